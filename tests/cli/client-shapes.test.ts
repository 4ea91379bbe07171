/**
 * Configuration files of every shape: after an entry is added, all other values and all other bytes are as they were, the
 * same entry again changes nothing, and what was added goes away again.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ParseError, parse as parseJson } from 'jsonc-parser';
import { parse as parseToml } from 'smol-toml';
import type { Entry } from '../../src/cli/client/clients.ts';
import { EditRefused, type EntryEditor } from '../../src/cli/client/edit.ts';
import { jsonEditor } from '../../src/cli/client/json-editor.ts';
import { unifiedDiffOf } from '../../src/cli/client/show-change.ts';
import { tomlEditor } from '../../src/cli/client/toml-editor.ts';

type Servers = Record<string, unknown>;

const NAME = 'local-coder';
const ENTRY: Entry = { command: '/x y/"q"\u007f', args: ['--stdio', 'a\u2028b', 'é', ''] };

const JSON_SHAPES: Readonly<Record<string, string>> = {
  empty: '',
  blank: ' \n\t\n',
  onlyComment: '// hi\n',
  onlyBlock: '/* x */',
  emptyObj: '{}',
  emptyObjNl: '{\n}\n',
  emptyObjComment: '{ // c\n}\n',
  emptyObjBlock: '{/* c */}',
  emptyServers: '{"mcpServers":{}}',
  emptyServersNl: '{\n  "mcpServers": {}\n}\n',
  emptyServersNl2: '{\n  "mcpServers": {\n  }\n}\n',
  emptyServersC: '{\n  "mcpServers": {\n    // none\n  }\n}\n',
  emptyServersC2: '{\n  "mcpServers": { /* none */ }\n}\n',
  one: '{"mcpServers":{"a":{"command":"x"}}}',
  oneSp: '{ "mcpServers": { "a": { "command": "x" } } }',
  oneTrail: '{"mcpServers":{"a":{"command":"x"},},}',
  oneTrailC: '{"mcpServers":{"a":{"command":"x"} /* c */ , /* d */},}',
  tabs: '{\n\t"mcpServers": {\n\t\t"a": {"command":"x"}\n\t}\n}',
  crlf: '{\r\n  "mcpServers": {\r\n    "a": {\r\n      "command": "x"\r\n    }\r\n  }\r\n}\r\n',
  oldMac: '{\r  "mcpServers": {\r    "a": {"command":"x"}\r  }\r}\r',
  mixed: '{\r\n  "mcpServers": {\n    "a": {"command":"x"}\r\n  }\n}',
  comma1: '{\n  "mcpServers": {\n    "a": {"command":"x"}\n    , "b": {"command":"y"}\n  }\n}\n',
  commaFirst:
    '{\n  "mcpServers": {\n      "a": {"command":"x"}\n    , "b": {"command":"y"}\n  }\n , "z": 1\n}\n',
  commentAfter: '{\n  "mcpServers": {\n    "a": {"command":"x"} // last\n  }\n}\n',
  commentAfterComma: '{\n  "mcpServers": {\n    "a": {"command":"x"}, // last\n    // "old": {}\n  }\n}\n',
  commentBetween:
    '{\n  "mcpServers": {\n    "a": {"command":"x"} // c1\n    // c2\n    ,\n    // c3\n  } // end\n} // eof',
  blockMulti: '{\n  "mcpServers": {\n    "a": {"command":"x"} /* m\n l */\n  }\n}\n',
  slashString: '{"mcpServers":{"a":{"command":"http://x/*y*/","args":["//no"]}}}',
  otherCase:
    '{\n  "mcpServers": {\n    "Local-Coder": {"command":"x"},\n    "LOCAL-CODER": {"command":"y"}\n  }\n}\n',
  unicode:
    '{\n  "mcpServers": {\n    "ключ": {"command":"x"},\n    "\\u006cocal": {"command":"y"}\n  },\n  "😀": "\\ud83d"\n}\n',
  escName: '{"mcpServers":{"local\\u002dcoder":{"command":"z"}}}',
  escKey: '{"mcp\\u0053ervers":{"a":{"command":"z"}}}',
  dupOther: '{"mcpServers":{"a":1,"a":2},"b":1,"b":2}',
  dupServers: '{"mcpServers":{},"mcpServers":{}}',
  dupName: '{"mcpServers":{"local-coder":{},"local-coder":{}}}',
  dupInner: '{"mcpServers":{"local-coder":{"command":"a","command":"b"}}}',
  proto: '{"__proto__":{"x":1},"mcpServers":{"__proto__":{"command":"x"},"constructor":{"command":"y"}}}',
  nullServers: '{"mcpServers":null}',
  arrServers: '{"mcpServers":[]}',
  rootArr: '[]',
  big: '{"n":12345678901234567890,"f":1.0,"e":1e400,"mcpServers":{"a":{"x":0.10}}}',
  nested:
    '{\n  "projects": {\n    "/p": {\n      "mcpServers": {\n        "local-coder": {"command":"other"}\n      }\n    }\n  }\n}\n',
  nested2:
    '{\n  "projects": {"/p": {"mcpServers": {"local-coder": {"command":"other"}}}},\n  "mcpServers": {"a": {"command":"x"}}\n}\n',
  existing:
    '{\n  "mcpServers": {\n    "local-coder": {"command":"old","args":["--stdio"],"env":{"A":"b"},"disabled":true}, // mine\n    "z": {"command":"x"}\n  }\n}\n',
  existingOne: '{"mcpServers":{"local-coder":{"command":"old"},"z":{}}}',
  existingHttp:
    '{\n "mcpServers": {\n  "local-coder": {"url":"http://x","headers":{"a":"b"}, "k": [1,2]}\n }\n}',
  existingEmpty: '{"mcpServers":{"local-coder":{}}}',
  existingNull: '{"mcpServers":{"local-coder":null}}',
  ws: '  \n\n{\n\n\n  "mcpServers"  :  {\n\n    "a"  :  {}\n\n\n  }\n\n}\n\n\n',
  last: '{\n  "x": 1,\n  "mcpServers": {"a": {}} }',
  bracesOnLine: '{ "x": 1,\n  "mcpServers": {\n    "a": {} } }',
  trailingGarbage: '{} x',
  unterminated: '{"mcpServers":{',
  nul: '{"mcpServers":{}}\0',
  nbsp: '{\u00a0"mcpServers":{}}',
  ls: '{"mcpServers":{"a":{"command":"x"}\u2028}}',
  deep: `{"a":${'['.repeat(1000)}${']'.repeat(1000)},"mcpServers":{}}`,
  single: "{'mcpServers':{}}",
  noquote: '{mcpServers:{}}',
  tooDeep: `{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`,
  commentNoNl: '{\n  "mcpServers": {\n    "a": {} }\n  // tail\n}',
  commentBefore:
    '// head\n{\n  // pre\n  "mcpServers": { // open\n    // first\n    "a": {}\n    // end\n  }\n  // close\n}\n// eof',
  onlyCommentOpen: '{\n  "mcpServers": { // open\n  }\n}',
};

const TOML_SHAPES: Readonly<Record<string, string>> = {
  empty: '',
  blank: '\n\n',
  comment: '# only\n',
  commentNoNl: '# only',
  plain: 'model = "x"\n',
  noNl: 'model = "x"',
  table: '[a]\nb = 1\n',
  one: '[mcp_servers.a]\ncommand = "x"\n\n[other]\nx = 1\n',
  oneC: '[mcp_servers.a]\ncommand = "x"\n# env = {}\n\n# about other\n[other]\nx = 1\n',
  parent: '[mcp_servers]\n\n[other]\nx=1\n',
  parentOnly: '[mcp_servers]\n',
  parentPairs: '[mcp_servers]\na = { command = "x" }\n\n[z]\n',
  inline: 'mcp_servers = { a = { command = "x" } }\n',
  inlineEmpty: 'mcp_servers = {}\n[x]\n',
  dotted: 'mcp_servers.a.command = "x"\n\n[z]\n',
  dottedIn: '[mcp_servers]\na.command = "x"\n',
  quoted: '["mcp_servers"."a b"]\ncommand = "x"\n',
  quoted2: "['mcp_servers'.'a.b']\ncommand = \"x\"\n",
  spaced: '[ mcp_servers . a ]\ncommand = "x"\n',
  esc: '["mcp_\\u0073ervers".a]\ncommand="x"\n',
  aot: '[[mcp_servers.list]]\nx=1\n[[mcp_servers.list]]\nx=2\n',
  aotOther: '[[x]]\na=1\n[[x.y]]\nb=2\n[mcp_servers.a]\ncommand="x"\n[[z]]\n',
  aotRoot: '[[mcp_servers]]\nx=1\n',
  ml: 's = """\n[mcp_servers.local-coder]\ncommand = "fake"\n"""\n[mcp_servers.a]\ncommand = """a\n[other]\n"""\nargs = [\n  "x", # ]\n  "[mcp_servers.b]",\n]\n',
  mlLit: "s = '''\n[mcp_servers.x]\n'''\n\n[q]\nv = '''it''s'''\n",
  mlq: 'a = """x\\""""""\n[mcp_servers.a]\n',
  mlq5: 'a = """x"""""\n[mcp_servers.a]\ncommand=""\n',
  sub: '[mcp_servers.a]\ncommand="x"\n[mcp_servers.a.env]\nK="v"\n\n[other]\n',
  crlf: '[mcp_servers.a]\r\ncommand = "x"\r\n\r\n[o]\r\nx = 1\r\n',
  noNlEnd: '[mcp_servers.a]\ncommand = "x"',
  date: 'd = 1979-05-27 07:32:00Z\nt=07:32:00\nf=inf\nn=nan\nb=0xff\nbig=9007199254740993\n[mcp_servers.a]\ncommand="x"\n',
  inlineMl: 'x = {a = [1,\n2], b = "]"}\n[mcp_servers.a]\n',
  otherCase: '[mcp_servers.Local-Coder]\ncommand="x"\n',
  quotedName: '[mcp_servers."local-coder"]\ncommand = "old"\nstartup_timeout_sec = 5\n',
  existing:
    '[mcp_servers.local-coder]\ncommand = "old" # c\nargs = [\n "a",\n # c\n]\nenv = { A = "b" }\n\n[mcp_servers.local-coder.tools]\nx = 1\n\n[z]\n',
  existingHttp:
    '[mcp_servers.local-coder]\nurl = "http://x"\nbearer_token_env_var = "B"\n\n[mcp_servers.local-coder.http_headers]\nA = "b"\n\n[z]\n',
  existingInline: '[mcp_servers]\nlocal-coder = { command = "x" }\n',
  existingDotted: '[mcp_servers]\nlocal-coder.command = "x"\n',
  outOfOrder: '[mcp_servers.a]\ncommand="x"\n[other]\ny=1\n[mcp_servers.b]\ncommand="y"\n[last]\n',
  scattered:
    '[mcp_servers.local-coder]\ncommand="x"\n[other]\ny=1\n[mcp_servers.local-coder.env]\nA="b"\n[last]\n',
  proto: '[mcp_servers.__proto__]\ncommand="x"\n',
  tabs: '\t[mcp_servers.a]\n\tcommand = "x"\n\t[o]\n',
  headerComment: '[mcp_servers.a] # [x]\ncommand="x"#c\n[o]#\n',
  bare: '[mcp_servers.1]\ncommand="x"\n',
  emptykey: '[mcp_servers.""]\ncommand="x"\n',
  broken: '[mcp_servers.a\n',
  dupTable: '[mcp_servers.a]\n[mcp_servers.a]\n',
  dottedTop: 'mcp_servers.a = {command="x"}\n[mcp_servers.b]\ncommand="y"\n',
  cr: 'a="x"\r[b]\r',
  lineendmix: '[mcp_servers.a]\r\ncommand="x"\n[b]\n',
  implicit: '[mcp_servers.a.env]\nX="1"\n[q]\n',
  defAfter: '[mcp_servers.local-coder.env]\nX="1"\n[q]\n',
};

/** What is not edited, and why. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  onlyComment: /not valid JSON/,
  onlyBlock: /not valid JSON/,
  dupServers: /"mcpServers" stands there twice/,
  dupName: /"local-coder" stands there twice/,
  dupInner: /"command" stands there twice/,
  nullServers: /"mcpServers" is not an object/,
  arrServers: /"mcpServers" is not an object/,
  rootArr: /does not hold a JSON object/,
  existingNull: /its entry "local-coder" is not an object/,
  trailingGarbage: /not valid JSON/,
  unterminated: /not valid JSON/,
  nul: /not valid JSON/,
  nbsp: /not valid JSON/,
  ls: /not valid JSON/,
  single: /not valid JSON/,
  noquote: /not valid JSON/,
  tooDeep: /nested too deeply/,
  inline: /an inline table, dotted keys/,
  inlineEmpty: /an inline table, dotted keys/,
  aotRoot: /"mcp_servers" is not a table/,
  existingInline: /not written as a table/,
  existingDotted: /not written as a table/,
  defAfter: /not written as a table/,
  broken: /not valid TOML/,
  dupTable: /not valid TOML/,
  cr: /not valid TOML/,
};
/** Where removing leaves an empty object of servers, or lost the white space of an empty one. */
const NOT_RESTORED =
  /^(empty|blank|emptyObj|emptyObjNl|emptyObjComment|emptyObjBlock|emptyServersNl2|emptyServersC2|oneTrailC|nested)$/;

/** Every byte of the old text stands in the new one, in its order; what is new is one piece, but for a comma. */
function isInserted(before: string, after: string): boolean {
  let start = 0;
  while (start < before.length && before[start] === after[start]) start += 1;
  const left = before.slice(start);
  return after.endsWith(left) || (after[start] === ',' && isInserted(left, after.slice(start + 1)));
}

/** Values as text: parsers give objects without a prototype, dates of their own and big integers. */
function told(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part));
}

function describeShapes(
  format: string,
  shapes: Readonly<Record<string, string>>,
  editor: EntryEditor,
  parse: (text: string) => Servers,
  key: string,
): void {
  describe(`shapes of ${format}`, () => {
    for (const [label, before] of Object.entries(shapes)) {
      test(label, async () => {
        const refusal = REFUSED[label];
        if (refusal !== undefined) {
          await assert.rejects(editor.set(before, NAME, ENTRY), (error: unknown) => {
            assert.ok(error instanceof EditRefused, String(error));
            assert.match(error.message, refusal);
            return true;
          });
          return;
        }
        const after = await editor.set(before, NAME, ENTRY);
        const [old, now] = [parse(before), parse(after)];
        const { [NAME]: present, ...others } = (old[key] ?? {}) as Servers;
        const { [NAME]: added, ...left } = now[key] as Servers;
        for (const [part, value] of Object.entries(ENTRY)) assert.deepEqual((added as Servers)[part], value);
        assert.equal(told(left), told(others));
        assert.equal(told({ ...now, [key]: undefined }), told({ ...old, [key]: undefined }));
        assert.equal(await editor.set(after, NAME, ENTRY), after, 'the same again changes nothing');
        const removed = await editor.remove(after, NAME);
        assert.equal(told(parse(removed)[key] ?? {}), told(others));
        if (present !== undefined) return;
        if (before.trim() !== '') assert.ok(isInserted(before, after), after);
        if (!(format === 'JSON' && NOT_RESTORED.test(label)) && before.trim() !== '')
          assert.equal(removed, before);
      });
    }
  });
}

describeShapes('JSON', JSON_SHAPES, jsonEditor('mcpServers'), parseJsonText, 'mcpServers');
describeShapes(
  'TOML',
  TOML_SHAPES,
  tomlEditor('mcp_servers'),
  (text) => parseToml(text, { integersAsBigInt: 'asNeeded' }),
  'mcp_servers',
);

function parseJsonText(text: string): Servers {
  const errors: ParseError[] = [];
  const value = parseJson(text, errors, { allowTrailingComma: true, allowEmptyContent: true }) as
    | Servers
    | undefined;
  assert.deepEqual(errors, []);
  return value ?? {};
}

describe('what is shown of a change', () => {
  const before = `{"projects":{"/p":{"history":"${'h'.repeat(5_000)}"}},"mcpServers":{"a":{"env":{"KEY":"hidden"}}}}`;

  test('of one long line: the part that changes, and to a pipe nothing else', async () => {
    const after = await jsonEditor('mcpServers').set(before, NAME, ENTRY);
    const piped = await unifiedDiffOf('/f', before, after, {});
    assert.match(piped, /^\+…,"local-coder":\{"command":[\s\S]*\}…$/m);
    assert.ok(!piped.includes('hidden') && !piped.includes('hhh'), piped);
    const watched = await unifiedDiffOf('/f', before, after, { isTTY: true });
    assert.match(watched, /^@@ line 1, from character 5\d{3} @@$/m);
    assert.match(watched, /^\+….*"KEY":"hidden".*"local-coder":/m);
    assert.ok(watched.length < 1_000);
  });

  test('of a short one to a pipe: no key of another server', async () => {
    const short = '{"mcpServers":{"a":{"env":{"KEY":"hidden"}}}}';
    const piped = await unifiedDiffOf(
      '/f',
      short,
      await jsonEditor('mcpServers').set(short, NAME, ENTRY),
      {},
    );
    assert.ok(piped.includes('"local-coder"') && !piped.includes('hidden'), piped);
  });
});
