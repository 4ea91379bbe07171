import assert from 'node:assert/strict';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileTools } from '../../src/tools/files.ts';
import { treeTools } from '../../src/tools/files-tree.ts';
import { failure, toolBench } from '../support/tool-context.ts';

const [listDirectory, directoryTree, , listAllowedDirectories] = treeTools;

async function bench(t: TestContext) {
  const made = await toolBench(t);
  const put = async (name: string, data = '') => {
    const path = join(made.root, name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, data);
  };
  return { ...made, put };
}

test('list_directory: types, sizes, times, link targets, odd names', async (t) => {
  const { call, put, root } = await bench(t);
  await put('b.txt', 'four');
  await put('dir/inside');
  await put('name with\nnewline');
  await put('.hidden');
  await put('.local-coder-0123456789ab.tmp');
  await symlink('nowhere', join(root, 'link'));
  const { data, summary } = await call(listDirectory, {});
  assert.equal(summary, 'The workspace folder has 5 entries.');
  const byName = new Map(data.entries.map((entry) => [entry.name, entry]));
  assert.deepEqual([...byName.keys()], ['.hidden', 'b.txt', 'dir', 'link', 'name with\nnewline']);
  assert.equal(byName.get('b.txt')?.size, 4);
  assert.match(byName.get('b.txt')!.mtime!, /^\d{4}-\d\d-\d\dT/);
  assert.equal(byName.get('dir')?.type, 'directory');
  assert.deepEqual([byName.get('link')?.type, byName.get('link')?.target], ['symlink', 'nowhere']);
  const filtered = await call(listDirectory, { path: '.', ignore: ['*.txt', 'dir/'] });
  assert.deepEqual(
    filtered.data.entries.map((entry) => entry.name),
    ['.hidden', 'link', 'name with\nnewline'],
  );
  await failure(call(listDirectory, { path: 'b.txt' }), 'NOT_A_DIRECTORY');
  await failure(call(listDirectory, { path: 'nope' }), 'FILE_NOT_FOUND');
});

test('a large directory comes in parts that add up', async (t) => {
  const { call, put } = await bench(t);
  const names = Array.from({ length: 2_300 }, (_, i) => `file-${String(i).padStart(4, '0')}`);
  for (const name of names) await put(`many/${name}`);
  const listPart = (from: number) => call(listDirectory, { path: 'many', offset: from });
  const seen: string[] = [];
  let offset: number | undefined = 0;
  while (offset !== undefined) {
    const { data }: Awaited<ReturnType<typeof listPart>> = await listPart(offset);
    assert.equal(data.total, 2_300);
    seen.push(...data.entries.map((entry) => entry.name));
    assert.equal(data.next?.['path'], data.next && 'many');
    offset = data.next?.offset;
  }
  assert.deepEqual(seen, names);
});

test('200 entries (timing only)', async (t) => {
  const { call, put } = await bench(t);
  for (let i = 0; i < 200; i++) await put(`d/f${i}`);
  const times: number[] = [];
  for (let i = 0; i < 40; i++) {
    const started = performance.now();
    await call(listDirectory, { path: 'd' });
    times.push(performance.now() - started);
  }
  t.diagnostic(`list_directory of 200 entries: p50 ${times.sort((a, b) => a - b)[20]!.toFixed(2)} ms`);
});

test('directory_tree applies nested ignore rules and the depth', async (t) => {
  const { call, put, root } = await bench(t);
  await mkdir(join(root, '.git', 'info'), { recursive: true });
  await put('.git/info/exclude', 'private\n');
  await put('.gitignore', '*.log\n/dist\n');
  await put('a.log');
  await put('private');
  await put('dist/x');
  await put('src/dist/kept');
  await put('src/.gitignore', '!important.log\n');
  await put('src/important.log');
  await put('src/other.log');
  await put('src/deep/er/file');
  await symlink('..', join(root, 'src', 'up'));
  const { data, summary } = await call(directoryTree, { max_depth: 3 });
  assert.deepEqual(JSON.parse(data.tree), [
    '.gitignore',
    { 'src/': ['.gitignore', { 'deep/': [{ 'er/': '…' }] }, { 'dist/': ['kept'] }, 'important.log', 'up@'] },
  ]);
  assert.equal(data.truncated, false);
  assert.deepEqual(data.next, { path: 'src/deep/er', max_depth: 3 });
  assert.equal(summary, 'The workspace folder: 5 files in 5 folders shown. 1 folder not shown in full.');
  const below = await call(directoryTree, { path: 'src', max_depth: 1 });
  assert.ok(!below.data.tree.includes('other.log'), 'rules of the folders above count below them');
  await failure(call(directoryTree, { path: '.gitignore' }), 'NOT_A_DIRECTORY');
});

test('directory_tree is bounded: the top is whole, the cut is marked', async (t) => {
  const { call, put } = await bench(t);
  const long = 'n'.repeat(200);
  for (let i = 0; i < 30; i++) for (let j = 0; j < 50; j++) await put(`d${i}/${long}${j}`);
  const { data } = await call(directoryTree, {});
  assert.equal(data.truncated, true);
  assert.ok(Buffer.byteLength(data.tree) <= 202 * 1024, String(Buffer.byteLength(data.tree)));
  assert.equal(data.directories, 30);
  assert.ok((data.unopened_count ?? 0) >= 1);
  const rest = await call(directoryTree, data.next!);
  assert.equal(rest.data.files, 50);
});

test('a closed folder inside a tree does not look empty', async (t) => {
  const { call, put, root } = await bench(t);
  if (process.getuid?.() === 0 || process.platform === 'win32') return t.skip('root may open everything');
  await put('closed/x');
  await chmod(join(root, 'closed'), 0);
  // Open again at once: the folder is removed before hooks of this test run.
  const { data } = await call(directoryTree, {}).finally(() => chmod(join(root, 'closed'), 0o755));
  assert.equal(data.tree, '[{"closed/":["…"]}]');
});

test('list_allowed_directories', async (t) => {
  const { call, root } = await bench(t);
  assert.deepEqual((await call(listAllowedDirectories, {})).data, { roots: [root], access_mode: 'full' });
});

test('the names of the public interface, and annotations that are true', () => {
  assert.deepEqual(fileTools.map((tool) => tool.name).sort(), [
    'copy_file',
    'create_directory',
    'delete_directory',
    'delete_file',
    'directory_tree',
    'edit_file',
    'list_allowed_directories',
    'list_directory',
    'move_file',
    'multi_edit',
    'read_file_base64',
    'read_text_file',
    'replace_regex',
    'view_image',
    'write_file',
    'write_file_base64',
  ]);
  assert.deepEqual(
    fileTools.filter((tool) => tool.slim).map((tool) => tool.name),
    ['read_text_file', 'view_image', 'write_file', 'edit_file', 'list_directory'],
  );
  for (const tool of fileTools) {
    const reads = /^(read|view|list|directory)/.test(tool.name);
    assert.equal(tool.annotations.readOnlyHint, reads, tool.name);
    assert.equal(tool.annotations.destructiveHint, !reads && tool.name !== 'create_directory', tool.name);
  }
});
