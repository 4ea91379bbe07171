import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmod,
  link,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { editTools } from '../../src/tools/files-edit.ts';
import { moveTools } from '../../src/tools/files-move.ts';
import { treeTools } from '../../src/tools/files-tree.ts';
import { writeTools } from '../../src/tools/files-write.ts';
import { failure, toolBench } from '../support/tool-context.ts';

const [writeFileTool, writeFileBase64] = writeTools;
const [editFile, multiEdit, replaceRegex] = editTools;
const [, , createDirectory] = treeTools;
const [deleteFile, deleteDirectory, copyFile, moveFile] = moveTools;

async function bench(t: TestContext) {
  const made = await toolBench(t);
  const at = (name: string) => join(made.root, name);
  return {
    ...made,
    at,
    put: (name: string, data: string | Buffer) => writeFile(at(name), data),
    text: (name: string) => readFile(at(name), 'utf8'),
  };
}

test('write_file creates with folders, replaces, says what changed', async (t) => {
  const { call, text, put } = await bench(t);
  const made = await call(writeFileTool, { path: 'a/b/c.txt', content: 'one\n' });
  assert.equal(made.summary, 'Created a/b/c.txt (4 bytes).');
  assert.equal(made.data.created, true);
  const again = await call(writeFileTool, {
    path: 'a/b/c.txt',
    content: 'two',
    expected_sha256: made.data.sha256,
  });
  assert.deepEqual([again.data.created, again.data.changed], [false, true]);
  assert.equal(await text('a/b/c.txt'), 'two');
  await failure(
    call(writeFileTool, { path: 'a/b/c.txt', content: 'x', expected_sha256: made.data.sha256 }),
    'CHANGED_ON_DISK',
  );
  await put('crlf', 'a\r\nb\r\n');
  assert.match(
    (await call(writeFileTool, { path: 'crlf', content: 'a\nb\n' })).summary,
    /line ends were crlf, now lf/,
  );
  assert.equal(await text('crlf'), 'a\nb\n', 'the content is written as it was given');
});

test('write_file_base64 is strict', async (t) => {
  const { call, at } = await bench(t);
  await call(writeFileBase64, { path: 'b', content: 'AAEC\n/w==' });
  assert.deepEqual(await readFile(at('b')), Buffer.from([0, 1, 2, 255]));
  for (const content of ['AAE', 'A A=', 'AAE*', 'AA=A', '-_==']) {
    const outcome = call(writeFileBase64, { path: 'b', content });
    if (content === 'AAE') await outcome;
    else await failure(outcome, 'INVALID_PARAMS');
  }
});

test('edit_file: the diff, a dry run, the refusals', async (t) => {
  const { call, text, put } = await bench(t);
  await put('f', 'a\r\nb\r\nc\r\n');
  const dry = await call(editFile, { path: 'f', old_text: 'a\nb', new_text: 'a\nB', dry_run: true });
  assert.equal(dry.data.diff, '--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n a\r\n-b\r\n+B\r\n c\r\n');
  assert.match(dry.summary, /^Would make 1 replacement/);
  assert.equal(await text('f'), 'a\r\nb\r\nc\r\n');
  const done = await call(editFile, { path: 'f', old_text: 'a\nb', new_text: 'a\nB' });
  assert.equal(done.data.sha256, dry.data.sha256);
  assert.equal(await text('f'), 'a\r\nB\r\nc\r\n');
  await failure(call(editFile, { path: 'f', old_text: 'zzz', new_text: '' }), 'NO_MATCH');
  await put('twice', 'x\nx\n');
  const error = await failure(call(editFile, { path: 'twice', old_text: 'x', new_text: 'y' }), 'NOT_UNIQUE');
  assert.deepEqual(error.details?.['lines'], [1, 2]);
  await call(editFile, { path: 'twice', old_text: 'x', new_text: '$&', replace_all: true });
  assert.equal(await text('twice'), '$&\n$&\n');
  await failure(
    call(editFile, { path: 'twice', old_text: '&', new_text: '', expected_sha256: 'nope' }),
    'CHANGED_ON_DISK',
  );
  await failure(call(editFile, { path: 'missing', old_text: 'x', new_text: 'y' }), 'FILE_NOT_FOUND');
});

test('multi_edit is all or nothing; unknown fields of an edit are refused', async (t) => {
  const { call, text, put } = await bench(t);
  await put('f', 'one two three');
  const edits = [
    { old_text: 'one', new_text: '1' },
    { old_text: 'four', new_text: '4' },
  ];
  const error = await failure(call(multiEdit, { path: 'f', edits }), 'NO_MATCH');
  assert.equal(error.details?.['edit'], 2);
  assert.equal(await text('f'), 'one two three');
  await call(multiEdit, { path: 'f', edits: edits.slice(0, 1) });
  assert.equal(await text('f'), '1 two three');
  assert.throws(() => multiEdit.input.parse({ path: 'f', edits: [{ ...edits[0], replaceAll: true }] }));
});

test('replace_regex: groups; an explosion changes nothing; no change is said', async (t) => {
  const { call, text, put } = await bench(t);
  await put('f', 'a1 b2\n');
  const plain = await call(replaceRegex, {
    path: 'f',
    pattern: '([a-z])(\\d)',
    replacement: '\\2',
    dry_run: true,
  });
  assert.match(plain.summary, /A group is \$1 in the replacement/);
  const groups = await call(replaceRegex, { path: 'f', pattern: '([a-z])(\\d)', replacement: '$2$1' });
  assert.doesNotMatch(groups.summary, /A group is/);
  assert.equal(await text('f'), '1a 2b\n');
  assert.match(
    (await call(replaceRegex, { path: 'f', pattern: 'a', replacement: 'a' })).summary,
    /The text is the same as before/,
  );
  await put('slow', `${'a'.repeat(50)}!`);
  const stuck = call(replaceRegex, { path: 'slow', pattern: '^(a+)+$', replacement: '' });
  await failure(stuck, 'TIMEOUT');
  assert.equal(await text('slow'), `${'a'.repeat(50)}!`);
});

test('50 concurrent edit_file calls lose none', async (t) => {
  const { call, text, put } = await bench(t);
  await put('f', Array.from({ length: 50 }, (_, i) => `line ${i};\n`).join(''));
  const edits = Array.from({ length: 50 }, (_, i) =>
    call(editFile, { path: 'f', old_text: `line ${i};`, new_text: `done ${i};` }),
  );
  await Promise.all(edits);
  assert.equal(await text('f'), Array.from({ length: 50 }, (_, i) => `done ${i};\n`).join(''));
});

test('copy_file and move_file: mode kept, folders created, no silent overwriting', async (t) => {
  const { call, text, put, at, root } = await bench(t);
  await put('run.sh', '#!/bin/sh\n');
  await chmod(at('run.sh'), 0o755);
  await call(copyFile, { source: 'run.sh', destination: 'bin/copy.sh' });
  if (process.platform !== 'win32') assert.equal((await stat(at('bin/copy.sh'))).mode & 0o777, 0o755);
  await put('other', 'other');
  for (const tool of [copyFile, moveFile]) {
    await failure(call(tool, { source: 'run.sh', destination: 'other' }), 'ALREADY_EXISTS');
    const folder = await failure(call(tool, { source: 'run.sh', destination: 'bin' }), 'ALREADY_EXISTS');
    assert.match(folder.hint, /"bin\/run.sh"/);
    await failure(call(tool, { source: 'run.sh', destination: './run.sh' }), 'INVALID_PARAMS');
    await failure(call(tool, { source: 'nope', destination: 'x' }), 'FILE_NOT_FOUND');
  }
  assert.equal(await text('other'), 'other');
  const copied = await call(copyFile, { source: 'run.sh', destination: 'other', overwrite: true });
  assert.equal(copied.data.overwritten, true);
  await call(moveFile, { source: 'run.sh', destination: 'other', overwrite: true });
  assert.equal(await text('other'), '#!/bin/sh\n');
  await call(moveFile, { source: 'bin', destination: 'deep/er/bin' });
  assert.deepEqual((await readdir(root)).sort(), ['deep', 'other']);
  await failure(call(moveFile, { source: 'deep', destination: 'deep/er/self' }), 'INVALID_PARAMS');
  const folder = await failure(call(copyFile, { source: 'deep', destination: 'x' }), 'IS_A_DIRECTORY');
  assert.match(folder.hint, /cp -R/);
  await failure(call(moveFile, { source: '.', destination: 'x' }), 'DENIED');
  await symlink('other', at('link'));
  await call(moveFile, { source: 'link', destination: 'moved-link' });
  assert.equal(await text('moved-link'), '#!/bin/sh\n', 'a link is moved as a link');
});

test('move_file over another hard link of the file takes the old name away', async (t) => {
  const { call, text, put, at, root } = await bench(t);
  await put('a', 'x');
  await link(at('a'), at('b'));
  await link(at('a'), at('c'));
  await call(moveFile, { source: 'a', destination: 'b', overwrite: true });
  assert.deepEqual((await readdir(root)).sort(), ['b', 'c']);
  await failure(call(copyFile, { source: 'b', destination: 'c', overwrite: true }), 'INVALID_PARAMS');
  assert.equal((await stat(at('b'))).nlink, 2, 'a copy onto itself parts no links');
  assert.equal(await text('c'), 'x');
});

test('a destination that appears while a copy is made or a move is recorded is not overwritten', async (t) => {
  const { call, text, put, at, root, context } = await bench(t);
  for (const tool of [copyFile, moveFile]) {
    await put('source', 'ours');
    const recorder = {
      prepare: async () => {
        await put('target', 'theirs');
        return { checkpointId: undefined, committed: async () => {}, abandoned: async () => {} };
      },
      outcome: () => ({ checkpointId: undefined, notRecorded: [] }),
    };
    const services = { ...context.services, recordChanges: () => recorder };
    await failure(call(tool, { source: 'source', destination: 'target' }, { services }), 'ALREADY_EXISTS');
    assert.deepEqual([await text('source'), await text('target')], ['ours', 'theirs']);
    assert.deepEqual((await readdir(root)).sort(), ['source', 'target']);
    await unlink(at('target'));
  }
});

test('what stands in the way of a path is named', async (t) => {
  const { call, put, at, root } = await bench(t);
  await put('file', 'x');
  await put('other', 'x');
  await mkdir(at('dir'));
  await symlink('nowhere', at('dangling'));
  const before = (await readdir(root)).sort();
  for (const path of ['file/sub', 'file/sub/deeper']) {
    const attempts = [
      () => call(copyFile, { source: 'other', destination: path }),
      () => call(moveFile, { source: 'other', destination: path }),
      () => call(writeFileTool, { path, content: 'x' }),
      () => call(editFile, { path, old_text: 'x', new_text: 'y' }),
      () => call(deleteDirectory, { path }),
      () => call(createDirectory, { path }),
    ];
    for (const attempt of attempts) {
      const error = await failure(attempt(), 'NOT_A_DIRECTORY');
      assert.match(error.message, /"file" above it is a file/);
    }
  }
  const lost = await failure(call(writeFileTool, { path: 'dangling/x', content: 'x' }), 'NOT_A_DIRECTORY');
  assert.match(lost.message, /"dangling" above it is a symbolic link to something that does not exist/);
  await failure(call(createDirectory, { path: 'dangling' }), 'ALREADY_EXISTS');
  const over = call(moveFile, { source: 'dir', destination: 'file', overwrite: true });
  assert.match((await failure(over, 'ALREADY_EXISTS')).message, /"file" is a file/);
  assert.deepEqual((await readdir(root)).sort(), before);
});

test('move_file to another file system, files and folders', async (t) => {
  const shm = '/dev/shm';
  const device = await stat(shm).then(
    (stats) => stats.dev,
    () => undefined,
  );
  const { call, put, at, root } = await bench(t);
  if (device === undefined || device === (await stat(root)).dev) return t.skip('no second file system here');
  const other = join(shm, `local-coder-test-${process.pid}`);
  await mkdir(other);
  t.after(async () => (await import('node:fs/promises')).rm(other, { recursive: true, force: true }));
  await mkdir(at('dir'));
  await put('dir/f', 'x');
  await chmod(at('dir/f'), 0o750);
  await call(moveFile, { source: 'dir/f', destination: join(other, 'f') });
  assert.equal((await stat(join(other, 'f'))).mode & 0o777, 0o750);
  await put('dir/g', 'y');
  await mkdir(at('dir/sub'));
  execFileSync('mkfifo', [at('dir/sub/pipe'), at('pipe')]);
  const withPipe = await failure(
    call(moveFile, { source: 'dir', destination: join(other, 'dir') }),
    'UNSUPPORTED_FILE',
  );
  assert.match(withPipe.message, /^"dir\/sub\/pipe" is a pipe, .*Nothing was changed\.$/);
  await failure(call(moveFile, { source: 'pipe', destination: join(other, 'pipe') }), 'UNSUPPORTED_FILE');
  assert.deepEqual(await readdir(other), ['f']);
  assert.deepEqual((await readdir(at('dir'))).sort(), ['g', 'sub']);
  await Promise.all([rm(at('dir/sub'), { recursive: true }), rm(at('pipe'))]);
  await call(moveFile, { source: 'dir', destination: join(other, 'dir') });
  assert.equal(await readFile(join(other, 'dir/g'), 'utf8'), 'y');
  assert.deepEqual(await readdir(root), []);
  assert.deepEqual((await readdir(other)).sort(), ['dir', 'f']);
});

test('delete: files, links, folders; never a root, never .git', async (t) => {
  const { call, put, at, root } = await bench(t);
  await mkdir(at('dir/sub'), { recursive: true });
  await put('dir/sub/f', 'x');
  await put('kept', 'x');
  await symlink('kept', at('link'));
  await symlink('..', at('dir/up'));
  await failure(call(deleteFile, { path: 'dir' }), 'IS_A_DIRECTORY');
  await failure(call(deleteDirectory, { path: 'kept' }), 'NOT_A_DIRECTORY');
  await failure(call(deleteFile, { path: 'nope' }), 'FILE_NOT_FOUND');
  await failure(call(deleteDirectory, { path: 'nope' }), 'FILE_NOT_FOUND');
  await failure(call(deleteDirectory, { path: '.' }), 'DENIED');
  await failure(call(deleteDirectory, { path: '..' }), 'DENIED');
  await failure(call(deleteDirectory, { path: 'dir/up/../root' }), 'FILE_NOT_FOUND');
  await mkdir(at('.git'));
  await failure(call(deleteDirectory, { path: '.git' }), 'DENIED');
  await call(deleteFile, { path: 'link' });
  const deleted = await call(deleteDirectory, { path: 'dir' });
  assert.equal(deleted.data.entries, 3);
  assert.deepEqual((await readdir(root)).sort(), ['.git', 'kept']);
});

test('delete_directory refuses what it could not record: a name that is not UTF-8', async (t) => {
  if (process.platform !== 'linux') return t.skip('only Linux takes names that are not UTF-8');
  const { call, put, at, context } = await bench(t);
  await mkdir(at('dir'));
  await put('dir/fine \uFFFD', 'x');
  await writeFile(Buffer.concat([Buffer.from(at('dir/bad')), Buffer.of(0xff)]), 'x');
  const recorder = {
    prepare: async () => ({ checkpointId: 'c1', committed: async () => {}, abandoned: async () => {} }),
    outcome: () => ({ checkpointId: 'c1', notRecorded: [] }),
  };
  const services = { ...context.services, recordChanges: () => recorder };
  await failure(call(deleteDirectory, { path: 'dir' }, { services }), 'UNSUPPORTED_FILE');
  assert.equal((await readdir(at('dir'))).length, 2);
});

test('names longer than the system allows are refused as such', async (t) => {
  const { call } = await bench(t);
  for (const path of ['a'.repeat(300), `dir/${'a'.repeat(300)}/b`, 'abc/'.repeat(3000)]) {
    await failure(call(writeFileTool, { path, content: 'x' }), 'INVALID_PARAMS');
    await failure(call(deleteFile, { path }), 'INVALID_PARAMS');
  }
});

test('create_directory', async (t) => {
  const { call, put } = await bench(t);
  assert.equal((await call(createDirectory, { path: 'a/b' })).data.created, true);
  assert.equal((await call(createDirectory, { path: 'a/b' })).data.created, false);
  await put('file', 'x');
  await failure(call(createDirectory, { path: 'file' }), 'ALREADY_EXISTS');
  await failure(call(createDirectory, { path: 'file/sub' }), 'NOT_A_DIRECTORY');
});
