import assert from 'node:assert/strict';
import { chmod, link, mkdir, readdir, readFile, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { createHistory } from '../../src/history/index.ts';
import type { ErrorCode } from '../../src/runtime/errors.ts';
import { isWindows } from '../../src/runtime/platform.ts';
import { applyPatch } from '../../src/tools/apply-patch.ts';
import { failure, toolBench } from '../support/tool-context.ts';
import { treeOf } from '../workspace/transaction-support/example.ts';

async function bench(t: TestContext) {
  const made = await toolBench(t);
  const { workspace, stateDir } = made.context.services;
  const history = createHistory({ stateDir, workspace });
  t.after(() => history.close());
  const services = {
    ...made.context.services,
    history,
    recordChanges: (tool: string, conversation: string | undefined) =>
      history.recorder({ tool, conversation }),
  };
  const at = (name: string) => join(made.root, name);
  return {
    ...made,
    at,
    history,
    apply: (patch: string, args: { path?: string; dry_run?: boolean } = {}) =>
      made.call(applyPatch, { patch, ...args }, { services }),
    async put(name: string, data: string | Buffer) {
      await mkdir(dirname(at(name)), { recursive: true });
      await writeFile(at(name), data);
    },
    text: (name: string) => readFile(at(name), 'utf8'),
  };
}

const codex = (...lines: string[]) => ['*** Begin Patch', ...lines, '*** End Patch', ''].join('\n');

test('apply_patch creates, edits, renames and deletes, and says where each hunk landed', async (t) => {
  const { apply, put, text, root, at } = await bench(t);
  await put('src/a.ts', 'one\ntwo\nthree\n');
  await put('old.txt', 'first\nsecond\n');
  await put('gone.txt', 'bye\n');
  await chmod(at('old.txt'), 0o755);
  const patch = codex(
    '*** Update File: src/a.ts',
    '@@',
    ' one',
    '-two',
    '+TWO',
    ' three',
    '*** Update File: old.txt',
    '*** Move to: deep/new.txt',
    '@@',
    ' first',
    '-second',
    '+2nd',
    '*** Delete File: gone.txt',
    '*** Add File: lib/made.txt',
    '+made',
  );
  const dry = await apply(patch, { dry_run: true });
  assert.match(dry.summary, /^Would apply the patch: /);
  assert.equal(dry.data.checkpoint_id, undefined);
  assert.deepEqual(await readdir(root), ['gone.txt', 'old.txt', 'src']);

  const done = await apply(patch);
  assert.match(
    done.summary,
    /^Applied the patch: 1 file updated, 1 renamed, 1 deleted, 1 created \(\+3 −3 lines\)\./,
  );
  assert.deepEqual(done.data.files, dry.data.files);
  assert.deepEqual(done.data.files[0]?.hunks, [{ line: 1, level: 'exact' }]);
  assert.equal(done.data.files[1]?.new_path, 'deep/new.txt');
  assert.match(
    done.data.diff,
    /--- src\/a\.ts\n\+\+\+ src\/a\.ts\n@@ -1,3 \+1,3 @@\n one\n-two\n\+TWO\n three\n/,
  );
  assert.equal(done.data.checkpoint_id, 'c1');
  assert.equal(await text('src/a.ts'), 'one\nTWO\nthree\n');
  assert.equal(await text('deep/new.txt'), 'first\n2nd\n');
  assert.equal((await stat(at('deep/new.txt'))).mode & 0o777, 0o755);
  assert.deepEqual(Object.keys(await treeOf(root)), [
    'deep',
    'deep/new.txt',
    'lib',
    'lib/made.txt',
    'src',
    'src/a.ts',
  ]);
  const again = codex('*** Update File: src/a.ts', '@@', ' one', '-two', '+TWO', ' three');
  await failure(apply(again), 'ALREADY_APPLIED');
});

test('the diff of a whole file says when its last line has no end', async (t) => {
  const { apply, put } = await bench(t);
  await put('gone.txt', 'x');
  const created = await apply('--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n\\ No newline at end of file\n');
  assert.match(created.data.diff, /\+x\n\\ No newline at end of file\n/);
  const deleted = await apply(codex('*** Delete File: gone.txt'));
  assert.match(deleted.data.diff, /-x\n\\ No newline at end of file\n/);
  const whole = await apply('--- /dev/null\n+++ b/m\n@@ -0,0 +1 @@\n+x\n');
  assert.doesNotMatch(whole.data.diff, /No newline/);
});

test('apply_patch is taken back by rewind as a whole', async (t) => {
  const { apply, put, root, history } = await bench(t);
  await put('a.txt', 'one\n');
  await put('b.sh', '#!/bin/sh\n');
  const before = await treeOf(root);
  const patch = [
    'diff --git a/b.sh b/b.sh',
    'old mode 100644',
    'new mode 100755',
    'diff --git a/a.txt b/c/d.txt',
    'rename from a.txt',
    'rename to c/d.txt',
    '',
  ].join('\n');
  const { data } = await apply(patch);
  assert.match((await treeOf(root))['b.sh'] ?? '', /^file 755/);
  await history.restore(data.checkpoint_id ?? '', { tool: 'rewind', conversation: undefined });
  assert.deepEqual(await treeOf(root), before);
});

test('apply_patch says aloud when a hunk matched only with differences ignored', async (t) => {
  const { apply, put, text } = await bench(t);
  await put('a.py', 'def f():\n    return “x”  \n');
  const { summary, data } = await apply(
    '--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,3 @@\n def f():\n     return "x"\n+    # end\n',
  );
  assert.equal(data.files[0]?.hunks[0]?.level, 'typography');
  assert.match(summary, /1 hunk matched only with differences ignored: a\.py:1 \(typography\)/);
  assert.equal(await text('a.py'), 'def f():\n    return “x”  \n    # end\n');
});

test('apply_patch keeps every byte outside of its hunks in files of any encoding', async (t) => {
  const { apply, put, at } = await bench(t);
  const patch = (name: string) => codex(`*** Update File: ${name}`, '@@', ' one', '-two', '+zwei', ' three');
  const text = (ends: [string, string, string]) => `one${ends[0]}two${ends[1]}three${ends[2]}`;
  const cases: [string, Buffer, Buffer][] = [
    ['crlf', Buffer.from(text(['\r\n', '\r\n', ''])), Buffer.from('one\r\nzwei\r\nthree')],
    ['mixed', Buffer.from(text(['\n', '\r\n', '\n'])), Buffer.from('one\nzwei\r\nthree\n')],
    ['bom', Buffer.from(`\uFEFF${text(['\n', '\n', '\n'])}`), Buffer.from('\uFEFFone\nzwei\nthree\n')],
    [
      'utf16',
      Buffer.from(`\uFEFF${text(['\n', '\n', '\n'])}`, 'utf16le'),
      Buffer.from('\uFEFFone\nzwei\nthree\n', 'utf16le'),
    ],
    [
      'latin1',
      Buffer.from(`caf\xe9\n${text(['\n', '\n', '\n'])}\xff\x81`, 'latin1'),
      Buffer.from('caf\xe9\none\nzwei\nthree\n\xff\x81', 'latin1'),
    ],
  ];
  for (const [name, before, after] of cases) {
    await put(name, before);
    await apply(patch(name));
    const result = await readFile(at(name));
    // Which end an added line takes in a file with mixed ends is the patch domain's business.
    if (name === 'mixed') assert.match(result.toString(), /^one\nzwei\r?\nthree\n$/);
    else assert.deepEqual(result, after, name);
  }
});

test('apply_patch goes through links and hard links to the file and leaves them as they are', {
  skip: isWindows,
}, async (t) => {
  const { apply, put, text, at } = await bench(t);
  await put('real/a.txt', 'one\n');
  await symlink('real/a.txt', at('link'));
  await link(at('real/a.txt'), at('second'));
  await apply(codex('*** Update File: link', '@@', '-one', '+two'));
  assert.equal(await text('real/a.txt'), 'two\n');
  assert.equal(await text('second'), 'two\n');
});

test('of many patches to one file at once every one is applied', async (t) => {
  const { apply, put, text } = await bench(t);
  await put('list.txt', `${Array.from({ length: 50 }, (_, n) => `line ${n}\nkeep`).join('\n')}\n`);
  const outcomes = await Promise.allSettled(
    Array.from({ length: 50 }, (_, n) =>
      apply(codex('*** Update File: list.txt', '@@', `-line ${n}`, `+LINE ${n}`)),
    ),
  );
  assert.deepEqual(
    outcomes.filter(({ status }) => status === 'rejected'),
    [],
  );
  assert.equal((await text('list.txt')).match(/LINE/g)?.length, 50);
});

test('path names the folder of a patch, also outside of the roots in full mode, or the file of bare hunks', async (t) => {
  const { apply, put, root, text } = await bench(t);
  const outside = join(dirname(root), 'outside');
  await mkdir(outside);
  await writeFile(join(outside, 'a.txt'), 'one\n');
  await put('sub/a.txt', 'one\n');
  const patch = codex('*** Update File: a.txt', '@@', '-one', '+two');
  await apply(patch, { path: 'sub' });
  assert.equal(await text('sub/a.txt'), 'two\n');
  await apply(patch, { path: outside });
  assert.equal(await readFile(join(outside, 'a.txt'), 'utf8'), 'two\n');
  await apply('@@ -1 +1 @@\n-two\n+three\n', { path: 'sub/a.txt' });
  assert.equal(await text('sub/a.txt'), 'three\n');
  await failure(apply(codex('*** Add File: ../x', '+x'), { path: outside }), 'PATH_OUTSIDE_WORKSPACE');
});

test('a file that a patch changes under several of its names', { skip: isWindows }, async (t) => {
  const { apply, put, text, at, root, history } = await bench(t);
  await put('a', 'one\ntwo\n');
  await link(at('a'), at('b'));
  await put('c', 'c\n');
  const update = (name: string, old: string, text: string) => [
    `*** Update File: ${name}`,
    '@@',
    `-${old}`,
    `+${text}`,
  ];
  const before = await treeOf(root);
  const different = codex(...update('c', 'c', 'C'), ...update('a', 'one', '1'), ...update('b', 'two', '2'));
  for (const dry_run of [true, false]) {
    const error = await failure(apply(different, { dry_run }), 'CONFLICT');
    assert.match(error.message, /^Nothing was changed\. "a" and "b" are names of one file/);
  }
  assert.deepEqual(await treeOf(root), before);

  const { data } = await apply(
    codex(...update('c', 'c', 'C'), ...update('a', 'one', '1'), ...update('b', 'one', '1')),
  );
  assert.equal(await text('b'), '1\ntwo\n');
  assert.equal((await stat(at('a'))).nlink, 2);
  await history.restore(data.checkpoint_id ?? '', { tool: 'rewind', conversation: undefined });
  assert.deepEqual(await treeOf(root), before);

  // One name goes, the file changes under the other one: in either order.
  for (const [gone, kept] of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    const mixed = await apply(codex(...update(kept, 'two', '2'), `*** Delete File: ${gone}`));
    assert.deepEqual([await text(kept), await names(root)], ['one\n2\n', [kept, 'c']]);
    await history.restore(mixed.data.checkpoint_id ?? '', { tool: 'rewind', conversation: undefined });
    await unlink(at(gone));
    await link(at(kept), at(gone));
  }
});

const names = async (folder: string) => (await readdir(folder)).sort();

test('1,000 files in one patch take under 5 seconds, with their record', async (t) => {
  const { apply, root, at } = await bench(t);
  const names = Array.from({ length: 1000 }, (_, n) => `dir${n % 20}/file-${n}.txt`);
  for (let n = 0; n < 20; n++) await mkdir(join(root, `dir${n}`));
  await Promise.all(names.map((name) => writeFile(at(name), `${name}\n${'some text\n'.repeat(200)}`)));
  const patch = codex(
    ...names.flatMap((name) => [`*** Update File: ${name}`, '@@', `-${name}`, `+new ${name}`]),
  );
  const started = performance.now();
  const { data } = await apply(patch);
  const tookMs = performance.now() - started;
  t.diagnostic(`1,000 files in ${Math.round(tookMs)} ms`);
  assert.ok(tookMs < 5_000);
  assert.equal(data.files.length + (data.more_files ?? 0), 1000);
  assert.ok(Buffer.byteLength(JSON.stringify(data)) < 250 * 1024);
});

describe('apply_patch refuses, and nothing is changed anywhere', () => {
  const update = (name: string, ...lines: string[]) => codex(`*** Update File: ${name}`, '@@', ...lines);
  const cases: [what: string, code: ErrorCode, patch: (outside: string) => string][] = [
    ['text that is not in the file', 'NO_MATCH', () => update('a.txt', '-nowhere', '+x')],
    ['several places and nothing to choose by', 'NOT_UNIQUE', () => update('twice.txt', '-same', '+x')],
    ['a missing file', 'FILE_NOT_FOUND', () => update('missing.txt', '-a', '+b')],
    ['adding over an existing file', 'ALREADY_EXISTS', () => codex('*** Add File: a.txt', '+other')],
    [
      'renaming onto an existing file',
      'ALREADY_EXISTS',
      () => codex('*** Update File: a.txt', '*** Move to: b.txt'),
    ],
    [
      'deleting a file whose content differs',
      'CONFLICT',
      () =>
        'diff --git a/a.txt b/a.txt\ndeleted file mode 100644\n--- a/a.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-else\n',
    ],
    [
      'a path that climbs out',
      'PATH_OUTSIDE_WORKSPACE',
      () => codex('*** Add File: ../outside/new.txt', '+x'),
    ],
    [
      'an absolute path outside',
      'PATH_OUTSIDE_WORKSPACE',
      (outside) => codex(`*** Add File: ${outside}/new.txt`, '+x'),
    ],
    ['changing a file outside', 'PATH_OUTSIDE_WORKSPACE', () => update('../outside/o.txt', '-outside', '+x')],
    [
      'deleting a file outside',
      'PATH_OUTSIDE_WORKSPACE',
      (outside) => codex(`*** Delete File: ${outside}/o.txt`),
    ],
    [
      'moving a file out',
      'PATH_OUTSIDE_WORKSPACE',
      () => codex('*** Update File: a.txt', '*** Move to: ../outside/a.txt'),
    ],
    [
      'moving a file in',
      'PATH_OUTSIDE_WORKSPACE',
      () => codex('*** Update File: ../outside/o.txt', '*** Move to: o.txt'),
    ],
    [
      'a link that leads to a file outside',
      'PATH_OUTSIDE_WORKSPACE',
      () => update('link-out.txt', '-outside', '+x'),
    ],
    [
      'a new file behind a folder link',
      'PATH_OUTSIDE_WORKSPACE',
      () => codex('*** Add File: folder-out/n.txt', '+x'),
    ],
    ['a dangling link that leads out', 'UNSUPPORTED_FILE', () => codex('*** Add File: dangling-out', '+x')],
    ['a dangling link', 'UNSUPPORTED_FILE', () => codex('*** Add File: dangling', '+x')],
    ['deleting a link', 'UNSUPPORTED_FILE', () => codex('*** Delete File: link')],
    ['writing into .git', 'DENIED', () => codex('*** Add File: .git/hooks/post-checkout', '+#!/bin/sh')],
    ['writing into .git of a folder below', 'DENIED', () => codex('*** Add File: sub/.GIT/config', '+x')],
    ['changing .git', 'DENIED', () => update('.git/config', '-x', '+y')],
    ['a folder', 'IS_A_DIRECTORY', () => update('sub', '-x', '+y')],
    ['a socket', 'UNSUPPORTED_FILE', () => update('socket', '-x', '+y')],
    ['text edits of a binary file', 'BINARY_FILE', () => update('binary', '-x', '+y')],
    [
      'a file where a folder would be needed',
      'NOT_A_DIRECTORY',
      () => codex('*** Add File: a.txt/below.txt', '+x'),
    ],
    [
      'a new file below another one',
      'INVALID_PATCH',
      () => codex('*** Add File: d/n', '+x', '*** Add File: d/n/deep/m', '+x'),
    ],
    [
      'a new file above another one',
      'INVALID_PATCH',
      () => codex('*** Add File: d/n/m', '+x', '*** Update File: a.txt', '*** Move to: d/n'),
    ],
    [
      'a binary patch without data',
      'INVALID_PATCH',
      () =>
        'diff --git a/x.png b/x.png\nindex 1234567..89abcde 100644\nBinary files a/x.png and b/x.png differ\n',
    ],
    [
      'a new symbolic link',
      'UNSUPPORTED_FILE',
      () =>
        'diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc/passwd\n\\ No newline at end of file\n',
    ],
    ['an empty patch', 'INVALID_PATCH', () => '*** Begin Patch\n*** End Patch\n'],
    ['no patch at all', 'INVALID_PATCH', () => 'please change a.txt'],
  ];

  for (const [what, code, patch] of cases) {
    test(what, { skip: isWindows && /link|socket/.test(what) }, async (t) => {
      const { apply, put, root, at } = await bench(t);
      const parent = dirname(root);
      const outside = join(parent, 'outside');
      await mkdir(outside);
      await writeFile(join(outside, 'o.txt'), 'outside\n');
      for (const [name, text] of Object.entries({
        'a.txt': 'one\n',
        'b.txt': 'two\n',
        'twice.txt': 'same\nx\nsame\n',
        'sub/c.txt': 'c\n',
        '.git/config': 'x\n',
        binary: 'a\0b\n',
      })) {
        await put(name, text);
      }
      if (!isWindows) {
        await symlink('../outside/o.txt', at('link-out.txt'));
        await symlink('../outside', at('folder-out'));
        await symlink('../outside/not-there', at('dangling-out'));
        await symlink('not-there', at('dangling'));
        await symlink('a.txt', at('link'));
        const server = createServer();
        await new Promise<void>((resolve) => server.listen(at('socket'), resolve));
        t.after(() => server.close());
      }
      const before = { root: await treeOf(root), outside: await treeOf(outside) };
      // Together with changes that would be fine, so that half of a patch would show.
      const good = ['*** Update File: b.txt', '@@', '-two', '+TWO', '*** Add File: fresh/new.txt', '+new'];
      const text = patch(outside);
      const variants = text.startsWith('*** Begin Patch\n***')
        ? [text, text.replace('*** Begin Patch', ['*** Begin Patch', ...good].join('\n'))]
        : [text];
      for (const variant of what === 'an empty patch' ? [text] : variants) {
        const error = await failure(apply(variant), code);
        assert.match(error.message, /nothing was changed/i);
        assert.deepEqual({ root: await treeOf(root), outside: await treeOf(outside) }, before);
      }
    });
  }

  test('what its own state holds', async (t) => {
    const { apply, context } = await bench(t);
    const patch = codex(`*** Add File: ${context.services.stateDir}/x`, '+x');
    await failure(apply(patch), 'DENIED');
  });
});

test('where indentation was ignored, the answer says that added lines have that of the patch', async (t) => {
  const { apply, put, text } = await bench(t);
  await put('a.py', 'def f():\n\treturn 1\n');
  const added = await apply(
    codex('*** Update File: a.py', '@@', ' def f():', '-    return 1', '+    return 2'),
  );
  assert.equal(await text('a.py'), 'def f():\n    return 2\n');
  assert.match(added.summary, /added ones are as in the patch: check their indentation\.$/);
  const removed = await apply(codex('*** Update File: a.py', '@@', ' def f():', '-\treturn 2'));
  assert.match(removed.summary, /the file's own text was kept\.$/);
});

test('a file that is not there: the hint says what names are relative to', async (t) => {
  const { apply, put } = await bench(t);
  await put('sub/a.txt', 'x\n');
  const patch = codex('*** Update File: a.txt', '@@', '-x', '+y');
  assert.match((await failure(apply(patch), 'FILE_NOT_FOUND')).hint, /give path, the folder/);
  await apply(patch, { path: 'sub' });
});
