import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readFile, rmdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createGit } from '../../src/git/index.ts';
import { createHistory } from '../../src/history/index.ts';
import { editTools } from '../../src/tools/files-edit.ts';
import { moveTools } from '../../src/tools/files-move.ts';
import { writeTools } from '../../src/tools/files-write.ts';
import { gitCheckout } from '../../src/tools/git-branches.ts';
import { gitReset, gitRestore, gitStash } from '../../src/tools/git-undo.ts';
import { rewind } from '../../src/tools/history.ts';
import { failure, toolBench } from '../support/tool-context.ts';
import { treeOf } from '../workspace/transaction-support/example.ts';

const [writeFileTool] = writeTools;
const [editFile] = editTools;
const [deleteFile, deleteDirectory, copyFile, moveFile] = moveTools;

async function bench(t: TestContext) {
  const plain = await toolBench(t);
  const { workspace, stateDir } = plain.context.services;
  const history = createHistory({ stateDir, workspace });
  t.after(() => history.close());
  const services = {
    ...plain.context.services,
    history,
    git: createGit({ env: process.env, accessMode: 'full' }),
    recordChanges: (tool: string, conversation: string | undefined) =>
      history.recorder({ tool, conversation }),
  };
  const call: typeof plain.call = (tool, args) => plain.call(tool, args, { services });
  const at = (name: string) => join(plain.root, name);
  const put = (name: string, data: string | Buffer) => writeFile(at(name), data);
  return { ...plain, call, at, put, text: (name: string) => readFile(at(name), 'utf8') };
}

test('rewind lists, previews with a diff, restores and takes the restore back', async (t) => {
  const { call, put, text } = await bench(t);
  await put('a.txt', 'one\ntwo\nthree\n');
  const edited = await call(editFile, { path: 'a.txt', old_text: 'two', new_text: '2' });
  const id = edited.data.checkpoint_id ?? '';
  assert.equal(id, 'c1');
  await call(writeFileTool, { path: 'b.txt', content: 'new\n' });

  const list = await call(rewind, { action: 'list' });
  assert.equal(list.summary, '2 checkpoints, newest first.');
  assert.deepEqual(
    list.data.checkpoints?.map(({ checkpoint_id, tool, files }) => ({ checkpoint_id, tool, files })),
    [
      { checkpoint_id: 'c2', tool: 'write_file', files: [{ path: 'b.txt', change: 'created' }] },
      { checkpoint_id: 'c1', tool: 'edit_file', files: [{ path: 'a.txt', change: 'changed' }] },
    ],
  );
  const one = await call(rewind, { action: 'list', limit: 1 });
  assert.deepEqual(one.data.next, { action: 'list', checkpoint_id: 'c2', limit: 1 });

  const preview = await call(rewind, { action: 'preview', checkpoint_id: id });
  assert.equal(preview.summary, 'Restoring c1 would change 1 file of 1.');
  assert.match(preview.data.diff ?? '', /-2\n\+two\n/);
  assert.equal(await text('a.txt'), 'one\n2\nthree\n');

  const restored = await call(rewind, { action: 'restore', checkpoint_id: id });
  assert.equal(restored.summary, 'Restored c1: 1 file changed, recorded as c3. redo takes it back.');
  assert.equal(await text('a.txt'), 'one\ntwo\nthree\n');
  await call(rewind, { action: 'redo' });
  assert.equal(await text('a.txt'), 'one\n2\nthree\n');

  await put('a.txt', 'mine\n');
  const conflict = await call(rewind, { action: 'preview', checkpoint_id: id });
  assert.match(
    conflict.summary,
    /1 file changed since by something else: as it stands, restoring is refused/,
  );
  assert.match(conflict.data.diff ?? '', /-mine\n/);
  const error = await failure(call(rewind, { action: 'restore', checkpoint_id: id }), 'CONFLICT');
  assert.deepEqual(error.details, { conflicts: ['a.txt'], conflict_count: 1 });
  assert.equal(await text('a.txt'), 'mine\n');

  const status = await call(rewind, { action: 'status' });
  assert.match(status.summary, /run_command and other programs .* not recorded/);
  assert.equal(status.data.status?.['checkpoints'], 4);
});

test('rewind says what is wrong with an id', async (t) => {
  const { call } = await bench(t);
  await failure(call(rewind, { action: 'restore' }), 'INVALID_PARAMS');
  await failure(call(rewind, { action: 'restore', checkpoint_id: 'yesterday' }), 'INVALID_PARAMS');
  await failure(call(rewind, { action: 'preview', checkpoint_id: 'c99' }), 'NOT_AVAILABLE');
  await failure(call(rewind, { action: 'redo' }), 'NOT_AVAILABLE');
  assert.match((await call(rewind, { action: 'list' })).summary, /^No changes are recorded/);
});

test('rewind takes back what the file tools do: delete, copy, move, folders and links included', async (t) => {
  const { call, root, at, put } = await bench(t);
  await mkdir(at('dir/sub/empty'), { recursive: true });
  await put('dir/a.txt', 'a\n');
  await put('dir/sub/b.bin', Buffer.from([0, 1, 2]));
  await put('other.txt', 'other\n');
  await symlink('a.txt', at('dir/link'));
  const before = await treeOf(root);
  const calls = [
    () => call(deleteFile, { path: 'dir/a.txt' }),
    () => call(deleteFile, { path: 'dir/link' }),
    () => call(deleteDirectory, { path: 'dir' }),
    () => call(moveFile, { source: 'dir', destination: 'moved/here' }),
    () => call(moveFile, { source: 'other.txt', destination: 'dir/a.txt', overwrite: true }),
    () => call(copyFile, { source: 'other.txt', destination: 'x/copy.txt' }),
    () => call(copyFile, { source: 'other.txt', destination: 'dir/a.txt', overwrite: true }),
  ];
  for (const [index, one] of calls.entries()) {
    const { data } = await one();
    assert.ok(data.checkpoint_id, `call ${index}`);
    const after = await treeOf(root);
    assert.notDeepEqual(after, before);
    await call(rewind, { action: 'restore', checkpoint_id: data.checkpoint_id });
    assert.deepEqual(await treeOf(root), before, `call ${index}`);
    await call(rewind, { action: 'redo' });
    assert.deepEqual(await treeOf(root), after, `call ${index}`);
    await call(rewind, { action: 'restore', checkpoint_id: data.checkpoint_id });
  }
});

test('git tools record the dirty files that they overwrite', async (t) => {
  const { call, root, put, text, at } = await bench(t);
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, stdio: 'pipe' });
  git('init', '-q', '-b', 'main');
  git('config', 'user.email', 'a@b');
  git('config', 'user.name', 'a');
  await put('.gitignore', '*.log\n');
  for (const name of ['a.txt', 'b.txt']) await put(name, `${name}\n`);
  git('add', '.');
  git('commit', '-qm', 'one');

  const cases: [string, () => Promise<{ data: { checkpoint_id?: string | undefined } }>][] = [
    ['git_restore', () => call(gitRestore, { files: ['a.txt'] })],
    ['git_reset', () => call(gitReset, { mode: 'hard' })],
    ['git_stash', () => call(gitStash, { action: 'push' })],
  ];
  for (const [tool, run] of cases) {
    await put('a.txt', `dirty before ${tool}\n`);
    const { data } = await run();
    assert.equal(await text('a.txt'), 'a.txt\n');
    assert.ok(data.checkpoint_id, tool);
    const { data: listed } = await call(rewind, { action: 'list', limit: 1 });
    assert.deepEqual(listed.checkpoints?.[0]?.files, [{ path: 'a.txt', change: 'changed' }]);
    assert.equal(listed.checkpoints?.[0]?.tool, tool);
    await call(rewind, { action: 'restore', checkpoint_id: data.checkpoint_id });
    assert.equal(await text('a.txt'), `dirty before ${tool}\n`);
  }
  git('checkout', '-q', '--', '.');
  const popped = await call(gitStash, { action: 'pop' });
  await call(rewind, { action: 'restore', checkpoint_id: popped.data.checkpoint_id });
  assert.equal(await text('a.txt'), 'a.txt\n');
  // Nothing dirty, nothing recorded.
  const checkout = await call(gitCheckout, { branch: 'main' });
  assert.equal(checkout.data.checkpoint_id, undefined);

  const ignored = await call(writeFileTool, { path: 'x.log', content: 'x' });
  assert.equal(ignored.data.checkpoint_id, undefined);
  assert.equal(ignored.data.not_recorded, 'git ignores it');
  assert.equal(await readFile(at('x.log'), 'utf8'), 'x');
});

test('a deleted folder comes back with its mode, also one that nothing can be put into', async (t) => {
  if (process.platform === 'win32') return t.skip('only on Linux and macOS');
  const { call, put, at, text } = await bench(t);
  await mkdir(at('private/closed'), { recursive: true });
  await put('private/key', 'secret');
  await put('private/closed/f', 'x');
  // Whoever is not root cannot empty a folder that is closed.
  const modes = { 'private/closed': process.geteuid?.() === 0 ? 0o500 : 0o770, private: 0o700 };
  for (const [name, mode] of Object.entries(modes)) await chmod(at(name), mode);
  umask(t, 0o022);
  const { data } = await call(deleteDirectory, { path: 'private' });
  await call(rewind, { action: 'restore', checkpoint_id: data.checkpoint_id ?? '' });
  for (const [name, mode] of Object.entries(modes)) {
    assert.equal((await stat(at(name))).mode & 0o777, mode, name);
  }
  assert.equal(await text('private/closed/f'), 'x');
  await call(rewind, { action: 'redo' });
  await assert.rejects(stat(at('private')), { code: 'ENOENT' });
});

/** Sets the umask for one test. */
function umask(t: TestContext, mask: number): void {
  const before = process.umask(mask);
  t.after(() => process.umask(before));
}

test('a change that alters nothing names no checkpoint', async (t) => {
  const { call, put } = await bench(t);
  await put('a.txt', 'same\n');
  await put('b.txt', 'same\n');
  const copied = await call(copyFile, { source: 'a.txt', destination: 'b.txt', overwrite: true });
  assert.equal(copied.data.checkpoint_id, undefined);
  const written = await call(writeFileTool, { path: 'a.txt', content: 'other\n' });
  const list = await call(rewind, { action: 'list' });
  assert.deepEqual(
    list.data.checkpoints?.map(({ checkpoint_id }) => checkpoint_id),
    [written.data.checkpoint_id],
  );
});

test('a folder that became a loop of links is told, and nothing is changed', async (t) => {
  if (process.platform === 'win32') return t.skip('only on Linux and macOS');
  const { call, at, root } = await bench(t);
  const ids: string[] = [];
  await mkdir(at('folder'));
  for (const content of ['1', '2']) {
    const { data } = await call(writeFileTool, { path: 'folder/f', content });
    ids.push(data.checkpoint_id ?? '');
  }
  ids.push((await call(deleteFile, { path: 'folder/f' })).data.checkpoint_id ?? '');
  await rmdir(at('folder'));
  await symlink('round', at('folder'));
  await symlink('folder', at('round'));
  const before = await treeOf(root);
  for (const checkpoint_id of ids) {
    await call(rewind, { action: 'preview', checkpoint_id });
    const error = await failure(call(rewind, { action: 'restore', checkpoint_id }), 'UNSUPPORTED_FILE');
    assert.match(error.message, /^"folder" is part of a loop of symbolic links/);
  }
  assert.deepEqual(await treeOf(root), before);
});
