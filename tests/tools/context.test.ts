import assert from 'node:assert/strict';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createGit } from '../../src/git/index.ts';
import { ToolRegistry } from '../../src/mcp/registry.ts';
import { createSearch } from '../../src/search/index.ts';
import { contextTools } from '../../src/tools/context.ts';
import { changeCounter } from '../../src/tools/context-sources.ts';
import type { ToolDefinition } from '../../src/tools/define.ts';
import type { Services } from '../../src/tools/services.ts';
import { type AccessMode, Workspace } from '../../src/workspace/index.ts';
import { folderWith, git } from '../context/support.ts';

const tools = contextTools as unknown as readonly ToolDefinition[];

/** The tools on a real folder, called as a client would. */
async function serve(t: TestContext, files: Record<string, string>, accessMode: AccessMode = 'full') {
  const root = await folderWith(t, files);
  const stateDir = `${root}-state`;
  await mkdir(stateDir);
  t.after(() => rm(stateDir, { recursive: true, force: true }));
  const workspace = new Workspace({ roots: [root], accessMode, protectedPaths: [stateDir] });
  const search = createSearch({ stateDir });
  // The tools use no other service.
  const services = {
    workspace,
    search,
    git: createGit({ env: process.env, accessMode }),
  } as unknown as Services;
  const defects: unknown[] = [];
  const registry = new ToolRegistry({
    tools,
    services,
    form: 'auto',
    onDefect: (_, error) => defects.push(error),
  });
  const never = new AbortController().signal;
  const call = async (name: string, args: object = {}) => {
    const result = await registry.call({
      name,
      arguments: args,
      cancelled: never,
      abandoned: never,
      conversation: undefined,
      progress: () => {},
    });
    assert.deepEqual(defects, []);
    const [block] = result.content;
    assert.ok(block?.type === 'text');
    const [line = '', ...bulk] = block.text.split('\n\n');
    const envelope = JSON.parse(line);
    return { envelope, data: envelope.data, text: bulk.join('\n\n'), bytes: Buffer.byteLength(block.text) };
  };
  return { root, stateDir, services, call, registry };
}

test('project_context: facts as JSON, texts as they are', async (t) => {
  const { root, call } = await serve(t, {
    'AGENTS.md': 'Be "kind".\n',
    'package.json': '{\n  "scripts": { "lint": "check ." }\n}\n',
    'src/a.ts': 'export {};\n',
    '.github/workflows/ci.yml': '',
    'node_modules/x/index.js': '',
    '.gitignore': 'node_modules\n',
  });
  await git(root, 'init', '-q');
  await git(root, 'add', '.');
  await git(root, 'commit', '-qm', 'one');
  await git(root, 'rm', '-q', 'src/a.ts');
  const { envelope, data, text } = await call('project_context');
  assert.equal(envelope.ok, true);
  assert.equal(data.git.branch, 'main');
  assert.equal(data.git.changed_files, 1);
  assert.equal(data.truncated, false);
  assert.deepEqual(data.scripts, [{ name: 'lint', command: 'npm run lint', source: 'package.json' }]);
  assert.match(text, /--- AGENTS\.md \(from the workspace\) ---\nBe "kind"\.\n/);
  assert.match(text, /\.github\/workflows\/ ci\.yml/);
  assert.doesNotMatch(text, /node_modules\//);
});

test('the change counter of the instructions counts changed and untracked files', async (t) => {
  const { root, services } = await serve(t, { 'a.txt': 'a', 'b.txt': 'b' });
  await git(root, 'init', '-q');
  await git(root, 'add', 'a.txt');
  const never = new AbortController().signal;
  assert.equal(await changeCounter(services)(root, never), 2);
  await assert.rejects(changeCounter(services)(root, AbortSignal.abort(new Error('too late'))), /too late/);
});

test('project_context, outline, find_symbol and load_path_rules refuse the state of the program', async (t) => {
  const { stateDir, call } = await serve(t, {});
  for (const name of ['project_context', 'outline', 'load_path_rules']) {
    const { data } = await call(name, { path: stateDir });
    assert.equal(data.error.code, 'DENIED', name);
  }
  assert.equal((await call('find_symbol', { name: 'x', path: stateDir })).data.error.code, 'DENIED');
});

test('remember writes, and says when there is nothing to write', async (t) => {
  const { root, call } = await serve(t, {});
  const first = await call('remember', { note: 'use make' });
  assert.deepEqual(first.data, { path: 'AGENTS.md', line: 3, added: true });
  const second = await call('remember', { note: 'use make' });
  assert.equal(second.data.added, false);
  assert.match(second.envelope.summary, /has this note already, line 3/);
  assert.equal(await readFile(join(root, 'AGENTS.md'), 'utf8'), '## Memory\n\n- use make\n');
});

test('outline and find_symbol', async (t) => {
  const { call } = await serve(t, { 'a.ts': 'export class A {\n  run() {}\n}\n' });
  const outline = await call('outline', { path: 'a.ts' });
  assert.equal(outline.text, '1-3 class A\n  2 method run\n');
  assert.equal(outline.data.language, 'TypeScript');
  const found = await call('find_symbol', { name: 'A.run' });
  assert.deepEqual(found.data.definitions, [
    { path: 'a.ts', kind: 'method', name: 'A.run', text: 'run() {}', start_line: 2, end_line: 2 },
  ]);
  const none = await call('find_symbol', { name: 'B' });
  assert.match(none.envelope.summary, /No source file contains the word B/);
});

test('load_path_rules', async (t) => {
  const { call } = await serve(t, { 'AGENTS.md': 'TOP\n', 'src/AGENTS.md': 'SRC\n' });
  const { data, text } = await call('load_path_rules', { path: 'src/new.ts' });
  assert.deepEqual(
    data.rules.map(({ file }: { file: string }) => file),
    ['AGENTS.md', 'src/AGENTS.md'],
  );
  assert.equal(
    text,
    '--- AGENTS.md (from the workspace) ---\nTOP\n\n--- src/AGENTS.md (from the workspace) ---\nSRC\n',
  );
});

test('no answer is above 256 KiB', async (t) => {
  const files: Record<string, string> = { 'CLAUDE.md': '' };
  for (let i = 0; i < 60; i++) {
    files[`doc${i}.md`] = `${i} "quoted" text\n`.repeat(4000);
    files['CLAUDE.md'] += `@doc${i}.md\n`;
    files[`.claude/rules/r${i}.md`] = `${i} rule\n`.repeat(6000);
    files[`src/f${i}.ts`] = Array.from({ length: 500 }, (_, n) => `export function same(a${n}) {}\n`).join(
      '',
    );
  }
  const { call } = await serve(t, files);
  for (const [name, args] of [
    ['project_context', { max_bytes_per_file: 200_000 }],
    ['load_path_rules', { path: 'src/f1.ts' }],
    ['outline', { path: '.' }],
    ['outline', { path: 'src/f1.ts' }],
    ['find_symbol', { name: 'same' }],
  ] as const) {
    const { bytes, data } = await call(name, args);
    assert.ok(bytes <= 256 * 1024, `${name}: ${bytes}`);
    if (name !== 'outline') assert.equal(data.truncated, true, name);
  }
});

test('the tools are described in few bytes, with honest annotations', async (t) => {
  const { registry } = await serve(t, {});
  for (const tool of registry.list()) {
    // What the model reads; the output schema is for programs.
    const { outputSchema: _, ...shown } = tool;
    assert.ok(JSON.stringify(shown).length < 850, `${tool.name}: ${JSON.stringify(shown).length}`);
    assert.equal(tool.annotations['readOnlyHint'], tool.name !== 'remember');
    assert.equal(tool.annotations['destructiveHint'], false);
  }
});
