import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { listedTool } from '../../src/mcp/tool-list.ts';
import { createSearch } from '../../src/search/index.ts';
import type { ToolContext } from '../../src/tools/define.ts';
import { searchTools } from '../../src/tools/search.ts';
import type { Services } from '../../src/tools/services.ts';
import { Workspace } from '../../src/workspace/index.ts';
import { makeTree, type Tree } from '../search/support/tree.ts';

let tree: Tree;
let services: Services;
before(async () => {
  tree = await makeTree();
  const workspace = new Workspace({
    roots: [tree.root],
    accessMode: 'full',
    protectedPaths: [`${tree.root}/state`],
  });
  // The handlers under test use no other service.
  services = { workspace, search: createSearch({ stateDir: `${tree.root}/state` }) } as unknown as Services;
  await tree.write('src/x.ts', 'export const needle = 1;\n// (needle)\n');
  await tree.write('src/deep/y.tsx', 'needle\n');
  await tree.write('docs/new\nline.md', 'needle\n');
  await tree.write('state/secret.ts', 'needle\n');
  await tree.write('.gitignore', 'state/\nout/\n');
  await tree.write('out/o.ts', 'needle\n');
  for (const [index, path] of ['src/x.ts', 'src/deep/y.tsx', 'docs/new\nline.md'].entries()) {
    await tree.touch(path, 1_700_000_000 - index);
  }
});
after(() => tree?.remove());

async function call(
  name: string,
  args: Record<string, unknown>,
  overrides: Partial<ToolContext> = {},
): Promise<{ summary: string } & Record<string, unknown>> {
  const tool = searchTools.find((each) => each.name === name);
  assert.ok(tool);
  const input = tool.input.parse(args);
  // One of three tools: input and handler belong together, which the type of their union cannot say.
  const handler = tool.handler as (
    input: unknown,
    context: unknown,
  ) => Promise<{ summary: string; data: unknown }>;
  const answer = await handler(input, {
    services,
    signal: new AbortController().signal,
    answerByMs: performance.now() + 40_000,
    ...overrides,
  });
  return { summary: answer.summary, ...tool.output().strict().parse(answer.data) };
}

/** Makes the call that an answer says continues it. */
function follow(next: unknown) {
  const [, name, args] = /^(\w+) (\{.*\})$/.exec(String(next)) ?? [];
  assert.ok(name && args, String(next));
  return call(name, JSON.parse(args));
}

test('glob: newest first, zero folders for **, braces, one path per line', async () => {
  const found = await call('glob', { pattern: 'src/**/*.{ts,tsx}' });
  assert.equal(found['paths'], 'src/x.ts\nsrc/deep/y.tsx');
  assert.deepEqual([found['count'], found['total'], found['truncated']], [2, 2, false]);
  assert.equal((await call('glob', { pattern: '*.md' }))['paths'], '"docs/new\\nline.md"');
  assert.equal((await call('glob', { pattern: '*.tsx', path: 'src' }))['paths'], 'src/deep/y.tsx');
  assert.equal((await call('glob', { pattern: `${tree.root}/src/*.ts` }))['paths'], 'src/x.ts');
});

test('glob: a cut answer names the call that continues', async () => {
  const first = await call('glob', { pattern: '**/*.{ts,tsx,md}', max_results: 2 });
  assert.deepEqual([first['count'], first['total'], first['truncated']], [2, 3, true]);
  const second = await follow(first['next']);
  assert.equal(second['paths'], '"docs/new\\nline.md"');
  assert.deepEqual([second['truncated'], second['next']], [false, undefined]);
});

test('glob: nothing, nothing but ignored files, no folder', async () => {
  assert.match((await call('glob', { pattern: '*.zip' })).summary, /^No file matches "\*\.zip"\.$/);
  assert.equal(
    (await call('glob', { pattern: 'app/[id]/*' })).summary,
    'No file matches "app/[id]/*". [ ] stand for one of the characters in them; as they are: "app/\\[id\\]/*".',
  );
  assert.match((await call('glob', { pattern: 'out/*.ts' })).summary, /include_ignored/);
  assert.equal((await call('glob', { pattern: 'out/*.ts', include_ignored: true }))['paths'], 'out/o.ts');
  await assert.rejects(call('glob', { pattern: '*', path: 'nope' }), { code: 'FILE_NOT_FOUND' });
  await assert.rejects(call('glob', { pattern: '*', path: 'src/x.ts' }), { code: 'NOT_A_DIRECTORY' });
  await assert.rejects(call('glob', { pattern: '*', path: 'state' }), { code: 'DENIED' });
});

test('grep: lines grouped by file, with context', async () => {
  const found = await call('grep', { pattern: 'const needle', context_around: 1 });
  assert.equal(found['matches'], 'src/x.ts\n1:export const needle = 1;\n2-// (needle)');
  const all = await call('grep', { pattern: 'needle', glob: '*.{ts,tsx}', path: 'src' });
  assert.equal(
    all['matches'],
    'src/deep/y.tsx\n1:needle\n\nsrc/x.ts\n1:export const needle = 1;\n2:// (needle)',
  );
  assert.deepEqual([all['count'], all['files'], all['total']], [3, 2, 3]);
});

test('grep: the other output modes', async () => {
  const files = await call('grep', { pattern: 'needle', output_mode: 'files_with_matches', path: 'src' });
  assert.equal(files['matches'], 'src/deep/y.tsx\nsrc/x.ts');
  const counts = await call('grep', { pattern: 'needle', output_mode: 'count', path: 'src' });
  assert.equal(counts['matches'], 'src/deep/y.tsx:1\nsrc/x.ts:2');
  assert.deepEqual([counts['count'], counts['total']], [3, 3]);
});

test('grep: one file, one ignored file', async () => {
  assert.equal((await call('grep', { pattern: 'needle', path: 'src/x.ts', head_limit: 9 }))['count'], 2);
  assert.equal(
    (await call('grep', { pattern: 'needle', path: 'out/o.ts' }))['matches'],
    'out/o.ts\n1:needle',
  );
});

test('grep: pages follow each other', async () => {
  for (const output_mode of ['content', 'files_with_matches', 'count']) {
    let answer = await call('grep', { pattern: 'needle', head_limit: 1, output_mode });
    const seen = [answer['matches']];
    while (answer['next'] !== undefined) {
      assert.equal(answer['truncated'], true);
      answer = await follow(answer['next']);
      seen.push(answer['matches']);
    }
    assert.equal(answer['truncated'], false);
    assert.equal(new Set(seen).size, output_mode === 'content' ? 4 : 3);
    assert.equal(seen.length, output_mode === 'content' ? 4 : 3);
  }
});

test('grep: "no matches" is no error, a missing path and a bad pattern are', async () => {
  const none = await call('grep', { pattern: 'nowhere to be found' });
  assert.match(none.summary, /^No matches for "nowhere to be found" in the workspace/);
  assert.deepEqual([none['count'], none['matches'], none['truncated']], [0, '', false]);
  await assert.rejects(call('grep', { pattern: 'x', path: 'src/z.ts' }), { code: 'FILE_NOT_FOUND' });
  await assert.rejects(call('grep', { pattern: '(' }), {
    code: 'INVALID_PATTERN',
    message: /unclosed group/,
  });
  await assert.rejects(call('grep', { pattern: 'x', glob: '{a' }), { code: 'INVALID_PATTERN' });
  await assert.rejects(call('grep', { pattern: 'a\\nb' }), { code: 'INVALID_PATTERN', hint: /multiline/ });
  assert.equal((await call('grep', { pattern: '\\(needle\\)$' }))['count'], 1);
  assert.equal((await call('grep', { pattern: '(?<=const )needle' }))['count'], 1);
  assert.equal((await call('grep', { pattern: '(needle)', fixed_strings: true }))['count'], 1);
});

test('nothing found: the summary names what was left out, and only that', async () => {
  const summary = async (args: Record<string, unknown>) => (await call('grep', args)).summary;
  assert.equal(
    await summary({ pattern: 'nowhere', path: 'src/x.ts' }),
    'No matches for "nowhere" in "src/x.ts".',
  );
  assert.equal(
    await summary({ pattern: 'needle', glob: 'out/**' }),
    'No matches for "needle" in the files of the workspace that match "out/**" (ignored, hidden and binary files left out).',
  );
});

test('a search whose time was up said "0 matching lines in 0 files."', async () => {
  await tree.write('slow/large.txt', `${'a'.repeat(3_000_000)}\n`);
  const late = { answerByMs: performance.now() + 1700 };
  for (const output_mode of ['content', 'files_with_matches', 'count']) {
    const args = { pattern: `${'a'.repeat(60_000)}b?c`, path: 'slow', output_mode };
    const { summary, truncated } = await call('grep', args, late);
    assert.equal(truncated, true);
    assert.match(summary, /^0 matching (lines|files) found before the time was up; there may be more:/);
  }
  await rm(`${tree.root}/slow`, { recursive: true });
});

test('a glob that is not valid was explained as a regular expression', async () => {
  await assert.rejects(call('grep', { pattern: 'x', glob: '[z' }), {
    code: 'INVALID_PATTERN',
    hint: /^Correct glob;/,
  });
});

test('search_files: text as it is, grouped by file', async () => {
  const found = await call('search_files', { path: '.', pattern: '(needle)' });
  assert.equal(found['matches'], 'src/x.ts\n2:// (needle)');
  const cut = await call('search_files', { path: '.', pattern: 'needle', max_results: 1 });
  assert.equal(cut['total'], null);
  assert.equal((await follow(cut['next']))['count'], 1);
});

test('the answer stays within its bound, whatever is found', async () => {
  const name = 'n'.repeat(200);
  await tree.write('wide/one.txt', `${'w'.repeat(900)}\n`.repeat(2000));
  for (let index = 0; index < 1500; index++) await tree.write(`wide/${name}${index}.txt`, 'w\n');
  const bytes = (answer: Record<string, unknown>) => Buffer.byteLength(JSON.stringify(answer));
  for (const args of [
    { pattern: 'w', head_limit: 10_000 },
    { pattern: 'w', head_limit: 10_000, output_mode: 'count' },
  ]) {
    const found = await call('grep', args);
    assert.ok(bytes(found) < 256 * 1024 && found['truncated'] === true, JSON.stringify(args));
  }
  const listed = await call('glob', { pattern: 'wide/*', max_results: 5000 });
  assert.ok(bytes(listed) < 256 * 1024 && listed['truncated'] === true);
  assert.equal((await follow(listed['next']))['count'], 1501 - Number(listed['count']));
});

test('the tools are small in tools/list', () => {
  // The declared types of one list: each definition ties its own schemas together.
  const sizes = searchTools.map((tool) => JSON.stringify(listedTool(tool as never, 'auto')).length);
  assert.ok(Math.max(...sizes) < 1100 && sizes.reduce((sum, size) => sum + size) < 2500, sizes.join(' '));
});
