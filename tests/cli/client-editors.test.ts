import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse as parseToml } from 'smol-toml';
import type { Entry } from '../../src/cli/client/clients.ts';
import { EditRefused } from '../../src/cli/client/edit.ts';
import { jsonEditor } from '../../src/cli/client/json-editor.ts';
import { tomlEditor } from '../../src/cli/client/toml-editor.ts';

const NAME = 'local-coder';
const stdio: Entry = {
  type: 'stdio',
  command: 'C:\\Programs\\local coder.exe',
  args: ['--stdio', '--workspace', '/a "b"'],
};
const untyped: Entry = { command: stdio.command ?? '', args: stdio.args ?? [] };
const http: Entry = { type: 'http', url: 'http://127.0.0.1:3000/mcp' };

const fixture = (name: string) => readFile(join(import.meta.dirname, 'fixtures', name), 'utf8');

/** The lines of `after` that `before` has not, where nothing of `before` is missing or moved; else undefined. */
function addedLines(before: string, after: string): string[] | undefined {
  const old = before.split('\n');
  const added: string[] = [];
  let at = 0;
  for (const line of after.split('\n')) {
    if (line === old[at]) at += 1;
    else added.push(line);
  }
  return at === old.length ? added : undefined;
}

describe('entries in JSON', () => {
  test('comments, trailing commas and other servers stay; removing gives the old bytes', async () => {
    const editor = jsonEditor('servers');
    const before = await fixture('vscode-mcp.json');
    const after = await editor.set(before, NAME, stdio);
    assert.deepEqual(addedLines(before, after), [
      '    "local-coder": {',
      '      "type": "stdio",',
      '      "command": "C:\\\\Programs\\\\local coder.exe",',
      '      "args": [',
      '        "--stdio",',
      '        "--workspace",',
      '        "/a \\"b\\""',
      '      ]',
      '    },',
    ]);
    assert.match(after, /\}, \/\/ last one\n {4}"local-coder"/);
    assert.equal(await editor.set(after, NAME, stdio), after, 'the same entry again changes nothing');
    assert.equal(await editor.remove(after, NAME), before);
  });

  test('tabs, CRLF and a missing trailing comma', async () => {
    const editor = jsonEditor('mcpServers');
    const before = (await fixture('cursor-mcp.json')).slice(1);
    const after = await editor.set(before, NAME, untyped);
    assert.ok(!/(?<!\r)\n/.test(after), 'every line ends with CRLF');
    assert.match(after, /\t\t\},\r\n\t\t"local-coder": \{\r\n\t\t\t"command": /);
    assert.equal(await editor.remove(after, NAME), before);
  });

  test('four spaces, entries of one line, keys around them', async () => {
    const editor = jsonEditor('mcpServers');
    const before = await fixture('claude_desktop_config.json');
    const after = await editor.set(before, NAME, untyped);
    assert.match(after, /server-memory"\] \},\n {8}"local-coder": \{\n {12}"command"/);
    assert.deepEqual(Object.keys(JSON.parse(after)), ['globalShortcut', 'mcpServers', 'preferences']);
    assert.equal(await editor.remove(after, NAME), before);
  });

  test('a file without servers gets the object at its end; numbers keep their form', async () => {
    const editor = jsonEditor('mcpServers');
    const before = await fixture('claude.json');
    const after = await editor.set(before, NAME, stdio);
    const cut = after.indexOf(',\n  "mcpServers"');
    assert.equal(after.slice(0, cut) + after.slice(after.lastIndexOf('\n}')), before);
    assert.deepEqual(JSON.parse(after).mcpServers, { [NAME]: stdio });
    assert.match(after, /12345678901234567890/);
    assert.match(
      await editor.remove(after, NAME),
      /"hasCompletedOnboarding": true,\n {2}"mcpServers": \{\}\n\}$/,
    );
  });

  const small: Record<string, [before: string, after: string]> = {
    nothing: ['', '{\n  "s": {\n    "n": {\n      "url": "u"\n    }\n  }\n}\n'],
    'an empty object': ['{}', '{\n  "s": {\n    "n": {\n      "url": "u"\n    }\n  }\n}'],
    'one line, no spaces': ['{"a":1,"s":{"x":{}}}', '{"a":1,"s":{"x":{},"n":{"url":"u"}}}'],
    'one line, spaces': ['{ "s": { "x": 1 } }', '{ "s": { "x": 1, "n": {"url": "u"} } }'],
    'an object on one line of several': [
      '{\n  "s": { "x": 1 }\n}',
      '{\n  "s": { "x": 1, "n": {"url": "u"} }\n}',
    ],
    'an empty object with a comment': [
      '{\n  "s": {\n    // none yet\n  }\n}',
      '{\n  "s": {\n    // none yet\n    "n": {\n      "url": "u"\n    }\n  }\n}',
    ],
    'a comment behind the last': [
      '{\n  "s": {\n    "x": 1 // one\n  }\n}',
      '{\n  "s": {\n    "x": 1, // one\n    "n": {\n      "url": "u"\n    }\n  }\n}',
    ],
  };
  for (const [name, [before, after]] of Object.entries(small)) {
    test(name, async () => {
      const editor = jsonEditor('s');
      assert.equal(await editor.set(before, 'n', { url: 'u' }), after);
      const removed = await editor.remove(after, 'n');
      assert.ok(!(await editor.read(removed)).has('n'));
      if (before.includes('x')) assert.equal(removed, before);
    });
  }

  test('removing the first, a middle one, one with a comment beside it', async () => {
    const editor = jsonEditor('s');
    assert.equal(
      await editor.remove('{\n  "s": {\n    "n": 1,\n    "x": 2\n  }\n}', 'n'),
      '{\n  "s": {\n    "x": 2\n  }\n}',
    );
    assert.equal(await editor.remove('{"s": {"a":1, "n":2, "x":3}}', 'n'), '{"s": {"a":1, "x":3}}');
    assert.equal(
      await editor.remove('{"s": {\n  "a": 1, // of a\n  "n": 2 // of n\n}}', 'n'),
      '{"s": {\n  "a": 1 // of a\n   // of n\n}}',
    );
  });

  test('a present entry keeps what is the user’s', async () => {
    const editor = jsonEditor('s');
    const before =
      '{"s": {\n  "n": {\n    "command": "old", // mine\n    "env": { "A": "1" },\n    "disabled": true\n  }\n}}';
    const after = await editor.set(before, 'n', { command: 'new', args: ['x'] });
    assert.match(
      after,
      /"command": "new", \/\/ mine\n {4}"env": \{ "A": "1" \},\n {4}"disabled": true,\n {4}"args": \[/,
    );
    const other = (await editor.read(await editor.set(after, 'n', { url: 'u' }))).get('n');
    assert.deepEqual(other, { url: 'u', disabled: true }, 'what only a program needs is gone');
  });

  for (const [text, why] of [
    ['{ "s": { "x": 1 ', /not valid JSON: close brace expected at line 1, column 17/],
    ['{\n  "s": nope\n}', /not valid JSON: invalid symbol at line 2, column 8/],
    ['[]', /does not hold a JSON object/],
    ['{"s": []}', /its "s" is not an object/],
    ['{"s": {"n": 5}}', /its entry "n" is not an object/],
    ['{"s": {}, "s": {}}', /"s" stands there twice/],
    ['{"s": {"n": {}, "n": {}}}', /"n" stands there twice/],
  ] as const) {
    test(`refused: ${text.replaceAll('\n', ' ')}`, async () => {
      await assert.rejects(jsonEditor('s').set(text, 'n', http), (error) => {
        assert.ok(error instanceof EditRefused);
        assert.match(error.message, why);
        return true;
      });
    });
  }
});

describe('entries in TOML', () => {
  const editor = tomlEditor('mcp_servers');

  test('comments, tables and strings that look like tables stay; removing gives the old bytes', async () => {
    const before = await fixture('codex-config.toml');
    const after = await editor.set(before, NAME, untyped);
    assert.deepEqual(addedLines(before, after), [
      '[mcp_servers.local-coder]',
      'command = "C:\\\\Programs\\\\local coder.exe"',
      'args = ["--stdio", "--workspace", "/a \\"b\\""]',
      '',
    ]);
    assert.ok(
      after.indexOf('\n[mcp_servers.local-coder]\ncommand = "C:') < after.indexOf('# ---- projects ----'),
    );
    assert.equal(await editor.set(after, NAME, untyped), after);
    assert.equal(await editor.remove(after, NAME), before);
  });

  test('CRLF, no line end at the end, an empty file, no servers yet', async () => {
    for (const before of [
      (await fixture('codex-config.toml')).replaceAll('\n', '\r\n'),
      'model = "x"',
      'model = "x"\n',
      '',
      '[mcp_servers]\n',
      '[mcp_servers.a]\ncommand = "x"',
      '[mcp_servers.a]\ncommand = "x" # [b]\n[b]\nc = 1\n',
      '[mcp_servers]\na = { command = "x" }\n\n# end\n',
      'mcp_servers.a.command = "x"\n',
    ]) {
      const after = await editor.set(before, NAME, untyped);
      assert.deepEqual({ ...((await editor.read(after)).get(NAME) as object) }, untyped, before);
      if (before.includes('\r\n')) assert.ok(!/(?<!\r)\n/.test(after));
      const removed = await editor.remove(after, NAME);
      assert.equal(removed, before === '' ? '' : before);
    }
  });

  test('a present table keeps what is the user’s; another kind loses what contradicts', async () => {
    const before =
      '[mcp_servers.local-coder] # ours\ncommand = "old" # was\nstartup_timeout_sec = 5\n\n[mcp_servers.local-coder.env]\nA = "1"\n\n[z]\n';
    const after = await editor.set(before, NAME, untyped);
    assert.match(
      after,
      /# ours\nargs = .*\ncommand = "C:.*" # was\nstartup_timeout_sec = 5\n\n\[mcp_servers\.local-coder\.env\]/,
    );
    const { type: _, ...address } = http;
    const reached = await editor.set(after, NAME, address);
    assert.deepEqual(
      { ...((parseToml(reached)['mcp_servers'] as Record<string, object>)[NAME] as object) },
      {
        url: 'http://127.0.0.1:3000/mcp',
        startup_timeout_sec: 5,
      },
    );
    assert.match(reached, /\n\[z\]\n$/);
    assert.equal(await editor.remove(reached, NAME), '\n[z]\n');
  });

  for (const [text, why] of [
    ['a = \n', /not valid TOML: .* at line 1, column/],
    [
      'mcp_servers = { a = { command = "x" } }\n',
      /a form \(an inline table, dotted keys\) that cannot be edited/,
    ],
    [
      '[mcp_servers]\nlocal-coder = { command = "x" }\n',
      /not written as a table \[mcp_servers\.local-coder\]/,
    ],
    ['mcp_servers.local-coder.command = "x"\n', /not written as a table/],
    ['[[mcp_servers]]\na = 1\n', /its "mcp_servers" is not a table/],
  ] as const) {
    test(`refused: ${text.trim()}`, async () => {
      await assert.rejects(editor.set(text, NAME, untyped), (error) => {
        assert.ok(error instanceof EditRefused);
        assert.match(error.message, why);
        return true;
      });
    });
  }
});
