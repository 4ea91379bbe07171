import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DiskFile, planPatch } from '../../src/patch/index.ts';
import { CodedError, type ErrorCode } from '../../src/runtime/errors.ts';
import { applyTo, readerOf, refusalOf, type Tree } from './support/apply.ts';

const codex = (body: string): string => `*** Begin Patch\n${body}*** End Patch\n`;
const unified = (body: string): string => `--- a/f\n+++ b/f\n${body}`;
const FILES: Tree = { f: 'one\ntwo\nthree\n', g: 'g\n' };

const ROWS: readonly (readonly [name: string, code: ErrorCode, patch: string, message?: RegExp])[] = [
  ['nothing', 'INVALID_PATCH', ''],
  ['white space', 'INVALID_PATCH', ' \n\n'],
  ['prose', 'INVALID_PATCH', 'I have changed the file as you asked.'],
  ['no sections', 'INVALID_PATCH', '*** Begin Patch\n*** End Patch\n', /empty/],
  ['only context', 'INVALID_PATCH', unified('@@ -1,2 +1,2 @@\n one\n two\n'), /adds and removes nothing/],
  [
    'only context, Codex',
    'INVALID_PATCH',
    codex('*** Update File: f\n@@\n one\n'),
    /adds and removes nothing/,
  ],
  ['an update without hunks', 'INVALID_PATCH', codex('*** Update File: f\n')],
  [
    'a patch that was cut off',
    'INVALID_PATCH',
    '*** Begin Patch\n*** Update File: f\n@@\n-two\n+TWO\n',
    /End Patch/,
  ],
  [
    'no begin',
    'INVALID_PATCH',
    '*** Update File: f\n@@\n-two\n+TWO\n*** End Patch\n',
    /Line 1 .*Begin Patch/,
  ],
  [
    'a section after the end',
    'INVALID_PATCH',
    `${codex('*** Delete File: g\n')}*** Delete File: f\n`,
    /Line 4/,
  ],
  [
    'two formats',
    'INVALID_PATCH',
    `${codex('*** Delete File: g\n')}${unified('@@ -2 +2 @@\n-two\n+TWO\n')}`,
    /mixed/,
  ],
  ['a new file without plus signs', 'INVALID_PATCH', codex('*** Add File: n\nx\n'), /Line 3.*"x"/],
  [
    'context without its space',
    'INVALID_PATCH',
    codex('*** Update File: f\n@@\none\n-two\n+TWO\n'),
    /Line 4.*"one"/,
  ],
  [
    'context without its space, unified',
    'INVALID_PATCH',
    unified('@@ -1,3 +1,3 @@\n one\ntwo\n-three\n+THREE\n'),
    /Line 5.*"two"/,
  ],
  [
    'a name without its other half',
    'INVALID_PATCH',
    `${unified('@@ -2 +2 @@\n-two\n+TWO\n')}--- a/g\n@@ -1 +1 @@\n-g\n+G\n`,
  ],
  ['hunks without a file', 'INVALID_PATCH', '@@ -2 +2 @@\n-two\n+TWO\n', /which file/],
  [
    'a context diff',
    'INVALID_PATCH',
    '*** f\n--- f\n***************\n*** 1,3 ****\n! two\n--- 1,3 ----\n! TWO\n',
    /context diff/,
  ],
  [
    'a combined diff',
    'INVALID_PATCH',
    'diff --cc f\nindex 1,2..3\n--- a/f\n+++ b/f\n@@@ -1,3 -1,3 +1,3 @@@\n  one\n--two\n++TWO\n',
    /combined/,
  ],
  [
    'binary without data',
    'INVALID_PATCH',
    'diff --git a/i.png b/i.png\nindex 1234567..89abcde 100644\nBinary files a/i.png and b/i.png differ\n',
    /binary/,
  ],
  [
    "git's binary patch",
    'INVALID_PATCH',
    'diff --git a/i b/i\nindex 1234567..89abcde 100644\nGIT binary patch\nliteral 1\nIcmZPo000310RR91\n\n',
    /binary/,
  ],
  [
    'a symbolic link',
    'UNSUPPORTED_FILE',
    'diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc/passwd\n\\ No newline at end of file\n',
  ],
  [
    'the target of a symbolic link',
    'UNSUPPORTED_FILE',
    'diff --git a/f b/f\nindex 1234567..89abcde 120000\n--- a/f\n+++ b/f\n@@ -2 +2 @@\n-two\n+TWO\n',
  ],
  [
    'a submodule',
    'UNSUPPORTED_FILE',
    'diff --git a/s b/s\nindex 1234567..89abcde 160000\n--- a/s\n+++ b/s\n@@ -1 +1 @@\n-Subproject commit 1\n+Subproject commit 2\n',
  ],
  [
    'additions whose context is missing',
    'INVALID_PATCH',
    unified('@@ -1,2 +1,3 @@\n+new\n'),
    /only added lines/,
  ],
  ['text that is not in the file', 'NO_MATCH', unified('@@ -2 +2 @@\n-zwei\n+TWO\n')],
  ['a missing file', 'FILE_NOT_FOUND', codex('*** Update File: x\n@@\n-a\n+b\n')],
  ['deletion of a missing file', 'FILE_NOT_FOUND', codex('*** Delete File: x\n')],
  ['a rename of a missing file', 'FILE_NOT_FOUND', 'rename from x\nrename to y\n'],
  ['add over an existing file', 'ALREADY_EXISTS', codex('*** Add File: f\n+x\n')],
  ['add over an existing file, unified', 'ALREADY_EXISTS', '--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+x\n'],
  ['rename onto an existing file', 'ALREADY_EXISTS', 'rename from f\nrename to g\n'],
  ['move onto an existing file', 'ALREADY_EXISTS', codex('*** Update File: f\n*** Move to: g\n')],
  ['copy onto an existing file', 'ALREADY_EXISTS', 'copy from f\ncopy to g\n'],
  [
    'half a rename',
    'INVALID_PATCH',
    'diff --git a/f b/h\nrename from f\n@@ -2 +2 @@\n-two\n+TWO\n',
    /one is missing/,
  ],
  [
    'a rename that contradicts its names',
    'INVALID_PATCH',
    'rename from f\nrename to h\n--- a/f\n+++ b/other\n@@ -2 +2 @@\n-two\n+TWO\n',
  ],
  [
    'deletion of a file that is different',
    'CONFLICT',
    '--- a/f\n+++ /dev/null\n@@ -1,3 +0,0 @@\n-one\n-zwei\n-three\n',
    /line 2/,
  ],
  [
    'deletion of a file that is longer',
    'CONFLICT',
    '--- a/f\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-one\n-two\n',
    /line 3/,
  ],
  [
    'deletion of an empty file that is not empty',
    'CONFLICT',
    'diff --git a/f b/f\ndeleted file mode 100644\nindex e69de29..0000000\n',
  ],
];

describe('refusals', () => {
  for (const [name, code, patch, message] of ROWS) {
    test(name, async () => {
      const error = await refusalOf(FILES, patch);
      assert.equal(error.code, code, error.message);
      assert.match(error.message, /^Nothing was changed\. /);
      if (message !== undefined) assert.match(error.message, message);
      assert.ok(error.hint.length > 10);
    });
  }

  test('one bad hunk among good ones, all problems are named', async () => {
    const patch = codex(
      '*** Update File: g\n@@\n-g\n+G\n*** Update File: f\n@@\n-one\n+ONE\n@@\n-zwei\n+TWO\n*** Delete File: x\n',
    );
    const error = await refusalOf(FILES, patch);
    assert.equal(error.code, 'NO_MATCH');
    assert.equal(error.details?.['file'], 'f');
    assert.equal(error.details?.['hunk'], 2);
    assert.equal(error.details?.['patch_line'], 10);
    assert.deepEqual(error.details?.['other_problems'], [
      { code: 'FILE_NOT_FOUND', message: 'x does not exist.', file: 'x' },
    ]);
  });

  test('the closest region, and what differs', async () => {
    const error = await refusalOf(FILES, unified('@@ -1,3 +1,3 @@\n one\n-tvo\n+TWO\n three\n'));
    assert.deepEqual(error.details?.['closest'], {
      start_line: 1,
      end_line: 3,
      text: 'one\ntwo\nthree',
      differences: [{ kind: 'line', line: 2, wanted: 'tvo', found: 'two' }],
    });
    assert.match(error.hint, /1 to 3/);
  });
});

describe('a patch that is already applied', () => {
  const DONE: Tree = { f: 'one\nTWO\nthree\n' };

  test('is recognised, with where', async () => {
    for (const patch of [
      unified('@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n'),
      codex('*** Update File: f\n@@\n one\n-two\n+TWO\n three\n'),
    ]) {
      const error = await refusalOf(DONE, patch);
      assert.equal(error.code, 'ALREADY_APPLIED');
      assert.match(error.message, /whole patch is already applied.*line 1/);
      assert.deepEqual(error.details?.['lines'], [1, 3]);
    }
  });

  test('an insertion, a removal, a new file, a rename', async () => {
    const rows: readonly (readonly [Tree, string])[] = [
      [{ f: 'a\nnew\nb\n' }, unified('@@ -1,2 +1,3 @@\n a\n+new\n b\n')],
      [{ f: 'a\nb\n' }, unified('@@ -1,3 +1,2 @@\n a\n-old\n b\n')],
      [{ n: 'x\n' }, codex('*** Add File: n\n+x\n')],
      [{ h: 'x\n' }, 'rename from f\nrename to h\n'],
      [{ h: 'one\nTWO\n' }, codex('*** Update File: f\n*** Move to: h\n@@\n one\n-two\n+TWO\n')],
    ];
    for (const [tree, patch] of rows)
      assert.equal((await refusalOf(tree, patch)).code, 'ALREADY_APPLIED', patch);
  });

  test('white space that was mended is not mended twice', async () => {
    const patch = unified('@@ -1 +1,2 @@\n-foo\n+  foo\n+bar\n');
    assert.equal((await refusalOf({ f: '  foo\nbar\n' }, patch)).code, 'ALREADY_APPLIED');
  });

  test('a part of it is no excuse for the rest', async () => {
    const patch = unified('@@ -1 +1 @@\n-one\n+ONE\n@@ -3 +3 @@\n-three\n+THREE\n');
    const part = await refusalOf({ f: 'ONE\ntwo\nthree\n' }, patch);
    assert.equal(part.code, 'ALREADY_APPLIED');
    assert.match(part.message, /A part of the patch is already applied, the rest is not/);
    assert.equal((await refusalOf({ f: 'ONE\ntwo\n3\n' }, patch)).code, 'NO_MATCH');
  });
});

describe('the reader', () => {
  test("its refusals become the patch's, names reach it normalised", async () => {
    const asked: string[] = [];
    const patch = codex('*** Update File: ./../x//y\n@@\n-a\n+b\n*** Delete File: /etc/passwd\n');
    const read = async (path: string): Promise<DiskFile> => {
      asked.push(path);
      throw new CodedError('PATH_OUTSIDE_WORKSPACE', `${path} is outside.`, 'Stay inside.');
    };
    await assert.rejects(planPatch(patch, read), (error: CodedError) => {
      assert.equal(error.code, 'PATH_OUTSIDE_WORKSPACE');
      assert.equal(error.message, 'Nothing was changed. ../x/y is outside. 1 more problem.');
      return true;
    });
    assert.deepEqual(asked, ['../x/y', '/etc/passwd']);
  });

  test('a defect of the reader is no refusal', async () => {
    const read = async (): Promise<DiskFile> => {
      throw new TypeError('broken');
    };
    await assert.rejects(planPatch(codex('*** Delete File: f\n'), read), TypeError);
  });

  test('a file without editable text can be moved and deleted, not edited', async () => {
    const error = new CodedError('BINARY_FILE', 'i.png is binary.', 'Use read_file_base64.');
    const read = async (path: string): Promise<DiskFile> =>
      path === 'i.png' ? { kind: 'opaque', error } : { kind: 'missing' };
    const moved = await planPatch('rename from i.png\nrename to j.png\n', read);
    assert.deepEqual(moved.changes, [
      {
        path: 'i.png',
        before: { kind: 'opaque', error },
        after: undefined,
        source: undefined,
        mode: undefined,
        spelling: undefined,
      },
      {
        path: 'j.png',
        before: undefined,
        after: { kind: 'opaque', error },
        source: 'i.png',
        mode: undefined,
        spelling: undefined,
      },
    ]);
    const deleted = await planPatch(codex('*** Delete File: i.png\n'), read);
    assert.equal(deleted.changes[0]?.after, undefined);
    await assert.rejects(planPatch(codex('*** Update File: i.png\n@@\n-a\n+b\n'), read), {
      code: 'BINARY_FILE',
    });
  });

  test('two names for one file are one file', async () => {
    const read = async (path: string): Promise<DiskFile> =>
      path === 'new' ? { kind: 'missing' } : { kind: 'text', text: 'a\nb\n', key: 'the file' };
    const plan = await planPatch(
      codex('*** Update File: link\n@@\n-a\n+A\n*** Update File: real\n@@\n-b\n+B\n'),
      read,
    );
    assert.equal(plan.changes.length, 1);
    assert.deepEqual(plan.changes[0]?.after, { kind: 'text', text: 'A\nB\n' });
    const respelled = await planPatch('rename from Foo\nrename to foo\n', read);
    assert.deepEqual(
      respelled.changes.map(({ path, spelling }) => [path, spelling]),
      [['Foo', 'foo']],
    );
  });

  test('modes', async () => {
    const patch = 'diff --git a/f b/f\nold mode 100644\nnew mode 100755\n';
    const plan = await planPatch(patch, readerOf(FILES));
    assert.deepEqual(
      plan.changes.map(({ path, mode, before, after }) => [path, mode, before === after]),
      [['f', '100755', true]],
    );
    assert.equal(plan.reports[0]?.status, 'mode-changed');
  });

  test('hunks without a name belong to the default file', async () => {
    const plan = await planPatch('@@ -2 +2 @@\n-two\n+TWO\n', readerOf(FILES), { defaultPath: 'f' });
    assert.deepEqual(plan.changes[0]?.after, { kind: 'text', text: 'one\nTWO\nthree\n' });
  });

  test('an aborted call stops', async () => {
    await assert.rejects(
      planPatch(codex('*** Delete File: f\n'), readerOf(FILES), { signal: AbortSignal.abort() }),
      {
        name: 'AbortError',
      },
    );
  });

  test('a change of nothing beside a real one is reported as such', async () => {
    const patch = codex('*** Update File: f\n@@\n-one\n+one\n*** Update File: g\n@@\n-g\n+G\n');
    const plan = await planPatch(patch, readerOf(FILES));
    assert.deepEqual(
      plan.reports.map(({ status }) => status),
      ['unchanged', 'updated'],
    );
    assert.deepEqual(await applyTo(FILES, patch), { ...FILES, g: 'G\n' });
  });
});
