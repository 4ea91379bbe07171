import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { Frame } from 'playwright-core';
import { VIEW_HTML } from '../../src/widgets/view-document.ts';
import { findChromium } from '../auth/support/chromium.ts';
import { startServer } from '../support/programs.ts';
import { openHost, seriousProblems, VIEW_HEIGHT } from './support/view-host.ts';

const run = promisify(execFile);
const program = await findChromium();
const skip = program === undefined ? 'there is no Chromium on this machine' : false;

type Result = Record<string, unknown>;

/** A result in the product's text form. */
const envelope = (tool: string, data: object, bulk = '', ok = true): Result => ({
  content: [
    {
      type: 'text',
      text: JSON.stringify({ ok, tool, summary: 'Done.', data }) + (bulk === '' ? '' : `\n\n${bulk}`),
    },
  ],
});

describe('the view in a real browser, in the frame of the reference host', { skip, timeout: 110_000 }, () => {
  let host: Awaited<ReturnType<typeof openHost>>;
  let real: Record<string, { input: object; result: Result }>;
  before(async () => {
    [host, real] = await Promise.all([openHost(program!), realResults()]);
  });
  after(async () => {
    await host?.close();
  });

  /** Plays a call as a host does: handshake, input, result. */
  async function play(input: object, result: Result, context: Parameters<typeof host.open>[0] = {}) {
    const frame = await host.open(context);
    await host.host('input', input);
    await host.host('result', result);
    await frame.waitForSelector('#view[aria-busy="false"]');
    return frame;
  }
  const textOf = (frame: Frame) => frame.innerText('#view');
  const count = (frame: Frame, selector: string) => frame.locator(selector).count();

  test('a patch of several files', async () => {
    const { input, result } = real['patch']!;
    const frame = await play(input, result);
    const text = await textOf(frame);
    for (const part of ['Patch', 'src/greet.ts', 'src/new.ts', 'created', 'notes.md', 'deleted', 'rewind']) {
      assert.ok(text.includes(part), `${part} in ${text}`);
    }
    assert.deepEqual(
      [await count(frame, '.file'), await count(frame, '.added'), await count(frame, '.removed')],
      [3, 4, 2],
    );
    await host.screenshot('patch-light');
    assert.deepEqual(await seriousProblems(frame), []);
  });

  test('an edit', async () => {
    const frame = await play(real['edit']!.input, real['edit']!.result, { theme: 'dark' });
    assert.match(
      await textOf(frame),
      /Edit[\s\S]*Made 1 replacement[\s\S]*src\/greet\.ts[\s\S]*−.*hi[\s\S]*\+.*good day/,
    );
    await host.screenshot('edit-dark');
    assert.deepEqual(await seriousProblems(frame), []);
  });

  test('git diff, with a renamed file', async () => {
    const frame = await play(real['diff']!.input, real['diff']!.result, { theme: 'dark' });
    assert.match(await textOf(frame), /Git diff/);
    assert.match(await textOf(frame), /old\.txt → renamed\.txt/);
    assert.equal((await frame.locator('.added[data-line="2"]').count()) > 0, true);
    await host.screenshot('git-diff-dark');
    assert.deepEqual(await seriousProblems(frame), []);
  });

  for (const theme of ['light', 'dark'] as const) {
    test(`a command, its colours and its failure: ${theme}`, async () => {
      const frame = await play(real['command']!.input, real['command']!.result, { theme });
      const text = await textOf(frame);
      assert.match(text, /exit code 3/);
      assert.match(text, /\d (ms|sec)/);
      assert.match(text, /Error output[\s\S]*went wrong/);
      assert.doesNotMatch(await frame.locator('.output').first().innerText(), /\[3[0-9]m|\u241b/);
      const red = await frame.locator('.coloured', { hasText: 'red' }).evaluate((one) => {
        const view = one.ownerDocument.defaultView;
        return String(view?.getComputedStyle(one).color);
      });
      assert.equal(red, theme === 'light' ? 'rgb(169, 32, 26)' : 'rgb(255, 138, 128)');
      assert.match(text, /Show \d+ more lines/);
      await host.screenshot(`command-${theme}`);
      assert.deepEqual(await seriousProblems(frame), []);
    });
  }

  test('a result that arrives in structuredContent alone, and an error', async () => {
    const frame = await play({}, real['structured']!.result);
    assert.match(await textOf(frame), /exit code 0[\s\S]*structured hello/);
    const failed = await play(real['error']!.input, real['error']!.result);
    assert.match(await textOf(failed), /Edit[\s\S]*NO_MATCH[\s\S]*Next step/);
    await host.screenshot('error-light');
    assert.deepEqual(await seriousProblems(failed), []);
  });

  test('before a result: the input as it streams, then cancelled', async () => {
    const frame = await host.open({
      toolInfo: { tool: { name: 'run_command', inputSchema: { type: 'object' } } },
    });
    await frame.waitForSelector('text=Waiting for the result');
    await host.host('partialInput', { command: 'npm t' });
    await frame.waitForSelector('code:text-is("npm t")');
    await host.host('input', { command: 'npm test' });
    await frame.waitForSelector('code:text-is("npm test")');
    await host.host('cancelled');
    await frame.waitForSelector('text=The call was cancelled');
  });

  test('what is missing or foreign is no trouble', async () => {
    const odd: Result[] = [
      { content: [] },
      { content: [{ type: 'text', text: 'not of ours' }] },
      { content: [{ type: 'image', data: '', mimeType: 'image/png' }], isError: true },
      { content: [], structuredContent: { ok: true, tool: 'run_command' } },
      envelope('git_diff', { files: [null, 3, { path: 'x' }], diff: 7 }),
      envelope('run_command', { exit_code: 'x', duration_ms: null, cwd: 3 }),
      envelope('apply_patch', {}, '@@ nonsense'),
    ];
    for (const result of odd) {
      const frame = await play({}, result);
      assert.notEqual((await textOf(frame)).trim(), '', JSON.stringify(result));
    }
    const frame = await host.open();
    for (const message of [
      null,
      'x',
      { jsonrpc: '2.0' },
      { jsonrpc: '2.0', method: 'ui/notifications/tool-result' },
    ]) {
      await host.host('raw', message);
    }
    await frame.waitForSelector('text=This view was given no result');
  });

  test('hostile names, output and diffs are text', async () => {
    const name = '<img src=x onerror="document.title=1">';
    const script = '<script>document.title=1</script></script><!--';
    const diff = `--- a/${name}\n+++ b/${name}\n@@ -1,2 +1,2 @@\n-${script}\n+\x1b[31m\u202e${script}\n \0\n`;
    const patch = await play({}, envelope('apply_patch', { files: [{ path: name, status: script }] }, diff));
    const output = `\x1b]0;${script}\x07\x1b]8;;javascript:alert(1)\x07${name}\x1b[8mhidden\x1b[2J\x1b[999C\n`;
    for (const selector of ['img', '#view script', 'a']) assert.equal(await count(patch, selector), 0);
    assert.match(await textOf(patch), /<img src=x onerror=[\s\S]*␛\[31m‹U\+202E›<script>/);
    const command = await play(
      {},
      envelope('run_command', { command: name, cwd: name, exit_code: 0 }, output),
    );
    for (const selector of ['img', '#view script', 'a']) assert.equal(await count(command, selector), 0);
    assert.match(await textOf(command), /<img src=x onerror="document.title=1">hidden/);
    assert.equal(await command.evaluate('document.title'), 'local-coder');
    await host.screenshot('hostile');
  });

  test('5 MB of diff, of output, and of one line: bounded and at once', async (context) => {
    const manyLines = `--- a/big\n+++ b/big\n@@ -0,0 +1,250000 @@\n${'+a line of a diff\n'.repeat(250_000)}`;
    const manyFiles = '--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n'.repeat(100_000);
    const coloured = '\x1b[31mred \x1b[0mplain\n'.repeat(250_000);
    const cases: Result[] = [
      envelope('git_diff', {}, manyLines),
      envelope('git_diff', {}, manyFiles),
      envelope('git_diff', {}, `--- a/x\n+++ b/x\n@@ -1 +1 @@\n-${'x'.repeat(5_000_000)}\n+y\n`),
      envelope('run_command', { exit_code: 0 }, coloured),
      envelope('run_command', { exit_code: 0 }, 'y'.repeat(5_000_000)),
      envelope('run_command', { exit_code: 0 }, '\x1b['.repeat(2_500_000)),
    ];
    for (const [index, result] of cases.entries()) {
      const frame = await host.open();
      await frame.evaluate(
        'window.longest = 0; new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) longest = Math.max(longest, duration); }).observe({ type: "longtask", buffered: true })',
      );
      await host.host('result', result);
      await frame.waitForSelector('#view[aria-busy="false"]');
      assert.ok((await count(frame, '#view *')) < 3_000, `case ${index}`);
      // A frame later the observer has been told.
      const longest = await frame.evaluate(
        'new Promise((resolve) => requestAnimationFrame(() => setTimeout(() => resolve(longest), 50)))',
      );
      context.diagnostic(`case ${index}: longest task ${longest} ms`);
      assert.ok(Number(longest) < 2_000, `case ${index}: ${longest} ms`);
    }
  });

  test('theme, language and colours follow the host', async () => {
    const frame = await play(real['command']!.input, real['command']!.result, {
      theme: 'light',
      locale: 'vi-VN',
    });
    assert.match(await textOf(frame), /mã thoát 3/);
    assert.equal(await frame.getAttribute('html', 'lang'), 'vi');
    await host.screenshot('command-vietnamese');
    await host.host('context', { theme: 'dark', locale: 'zh-CN' });
    await frame.waitForSelector('text=退出码 3');
    assert.equal(await frame.getAttribute('html', 'data-theme'), 'dark');
    await host.screenshot('command-chinese-dark');
    const variables = {
      '--color-background-primary': 'rgb(1, 2, 3)',
      '--color-text-primary': 'rgb(250, 250, 250)',
      '--font-sans': 'url(http://127.0.0.1:9/x), serif',
    };
    await host.host('context', { theme: 'dark', locale: 'en', styles: { variables } });
    await frame.waitForSelector('text=exit code 3');
    const body = await frame.evaluate(
      '({ background: getComputedStyle(document.body).backgroundColor, font: getComputedStyle(document.body).fontFamily })',
    );
    assert.deepEqual(body, { background: 'rgb(1, 2, 3)', font: 'system-ui, sans-serif' });
  });

  test('everything by keyboard', async () => {
    const lines = Array.from({ length: 3_000 }, (_, index) => `line ${index}`).join('\n');
    const diff = `--- a/long\n+++ b/long\n@@ -0,0 +1,3000 @@\n+${lines.replaceAll('\n', '\n+')}\n`;
    const frame = await play({}, envelope('git_diff', {}, diff));
    const { keyboard } = host.page;
    await frame.locator('summary').focus();
    await keyboard.press('Enter');
    assert.equal(await frame.locator('details').getAttribute('open'), null);
    await keyboard.press('Enter');
    assert.equal(await frame.locator('details').getAttribute('open'), '');
    await keyboard.press('Tab');
    assert.equal(await frame.evaluate('document.activeElement.className'), 'rows');
    await keyboard.press('Tab');
    assert.equal(await frame.evaluate('document.activeElement.textContent'), 'Show 2,971 more lines');
    for (const left of ['Show 1,971 more lines', 'Show 971 more lines']) {
      await keyboard.press('Enter');
      assert.equal(await frame.evaluate('document.activeElement.textContent'), left);
    }
    await keyboard.press('Enter');
    assert.equal(await count(frame, '.added'), 3_000);
    assert.equal(await count(frame, '.more'), 0);
    assert.equal(await frame.evaluate('document.activeElement.className'), 'lines');
  });

  test('on a phone nothing but the lines themselves scrolls sideways', async () => {
    await host.page.setViewportSize({ width: 375, height: 720 });
    try {
      for (const name of ['patch', 'command', 'diff'] as const) {
        const frame = await play(real[name]!.input, real[name]!.result);
        const [scroll, width] = (await frame.evaluate(
          '[document.documentElement.scrollWidth, innerWidth]',
        )) as [number, number];
        assert.equal(width, 375);
        assert.ok(scroll <= width, `${name}: ${scroll}`);
        await host.screenshot(`${name}-375`);
        assert.deepEqual(await seriousProblems(frame), []);
      }
    } finally {
      await host.page.setViewportSize({ width: 760, height: 720 });
    }
  });

  test('the protocol: handshake, sizes, teardown, unknown requests', async () => {
    const frame = await play(real['patch']!.input, real['patch']!.result);
    const tall = await frame.evaluate(VIEW_HEIGHT);
    await host.page.waitForFunction(`window.host.seen.sizes.at(-1)?.height === ${tall}`);
    const seen = await host.seen();
    assert.deepEqual(seen.app, {
      capabilities: { availableDisplayModes: ['inline', 'fullscreen'] },
      version: { name: 'local-coder', version: '1.0.0' },
    });
    assert.ok(seen.sizes.every(({ width }) => width === undefined));
    assert.deepEqual(await host.host('teardown'), {});
    assert.deepEqual((await host.seen()).problems, []);
  });

  test('no error in the console, and no request but for the host page itself', async () => {
    assert.deepEqual(host.written, []);
    const own = new Set(['/', '/host.js', '/view']);
    assert.deepEqual(
      host.requests.filter((url) => !own.has(new URL(url).pathname) || !url.startsWith('http://127.0.0.1:')),
      [],
    );
    assert.deepEqual(
      [...new Set(host.asked)].filter((path) => !own.has(path)),
      [],
    );
  });
});

/** Results of the real server for each of the tools. */
async function realResults(): Promise<Record<string, { input: object; result: Result }>> {
  const folder = await mkdtemp(join(tmpdir(), 'lc-view-'));
  const start = (...args: string[]) => startServer({ args: ['--workspace', folder, '--widgets', ...args] });
  const [server, structured] = await Promise.all([start(), start('--results', 'structured')]);
  const connect = async (url: string) => {
    const client = new Client({ name: 'host', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    await client.connect(new StreamableHTTPClientTransport(new URL(url)));
    return client;
  };
  const [client, other] = await Promise.all([connect(server.url), connect(structured.url)]);
  const git = (...args: string[]) =>
    run('git', ['-c', 'user.name=T', '-c', 'user.email=t@example.com', ...args], { cwd: folder });
  const call = async (name: string, input: Record<string, unknown>, by = client) => ({
    input,
    result: (await by.callTool({ name, arguments: input })) as Result,
  });
  try {
    const { contents } = await client.readResource({ uri: await viewAddress(client) });
    assert.equal((contents[0] as { text?: string }).text, VIEW_HTML, 'what is shown here is what is served');
    await git('init', '-q');
    await run('mkdir', ['-p', join(folder, 'src')]);
    await writeFile(join(folder, 'src/greet.ts'), 'export const hello = "hello";\nexport const hi = "hi";\n');
    await writeFile(join(folder, 'notes.md'), 'gone\n');
    await writeFile(join(folder, 'old.txt'), 'a\nb\nc\nd\ne\nf\n');
    await git('add', '-A');
    await git('commit', '-q', '-m', 'first');
    const patch = await call('apply_patch', {
      patch: [
        '*** Begin Patch',
        '*** Update File: src/greet.ts',
        '@@',
        '-export const hello = "hello";',
        '+export const hello = "hello, world";',
        '+export const bye = "bye";',
        '*** Add File: src/new.ts',
        '+export const a = 1;',
        '+export const b = 2;',
        '*** Delete File: notes.md',
        '*** End Patch',
      ].join('\n'),
    });
    const edit = await call('edit_file', { path: 'src/greet.ts', old_text: '"hi"', new_text: '"good day"' });
    const error = await call('edit_file', { path: 'src/greet.ts', old_text: 'not there', new_text: 'x' });
    await git('mv', 'old.txt', 'renamed.txt');
    await writeFile(
      join(folder, 'renamed.txt'),
      (await readFile(join(folder, 'renamed.txt'), 'utf8')).replace('c', 'C'),
    );
    const diff = await call('git_diff', { ref: 'HEAD' });
    const command = await call('run_command', {
      command:
        "printf '\\033[1mbuild\\033[0m \\033[31mred\\033[0m \\033[42mon green\\033[0m \\033[38;5;208morange\\033[0m\\n'; for i in $(seq 1 90); do echo \"step $i of a build that says what it does\"; done; echo 'went wrong' >&2; exit 3",
    });
    const quiet = await call('run_command', { command: 'echo structured hello' }, other);
    assert.equal((quiet.result['content'] as { text: string }[])[0]?.text.includes('hello\n'), false);
    return { patch, edit, error, diff, command, structured: quiet };
  } finally {
    await Promise.all([client.close(), other.close()]);
    await Promise.all([server.stop(), structured.stop()]);
    await rm(folder, { recursive: true, force: true });
  }
}

async function viewAddress(client: Client): Promise<string> {
  const { tools } = await client.listTools();
  const ui = tools.find(({ name }) => name === 'git_diff')?._meta?.['ui'] as { resourceUri: string };
  return ui.resourceUri;
}
