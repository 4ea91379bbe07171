import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { planPatch } from '../../src/patch/index.ts';
import { applyToText, readerOf, refusalOf } from './support/apply.ts';

const update = (body: string): string => `*** Begin Patch\n*** Update File: f\n${body}*** End Patch\n`;
const unified = (body: string): string => `--- a/f\n+++ b/f\n${body}`;

async function landed(text: string, patch: string): Promise<[line: number, level: string][]> {
  const plan = await planPatch(patch, readerOf({ f: text }));
  return (plan.reports[0]?.hunks ?? []).map(({ line, level }) => [line, level]);
}

describe('levels', () => {
  const rows = [
    ['exact', 'x\nfoo(1)\ny\n', '-foo(1)'],
    ['trailing-whitespace', 'x\nfoo(1)  \ny\n', '-foo(1)'],
    ['surrounding-whitespace', 'x\n    foo(1)\ny\n', '-foo(1)'],
    ['typography', 'x\n  say(“it’s – so”)\ny\n', '-say("it\'s - so")'],
    ['all-whitespace', 'x\nfoo( 1 )\ny\n', '-foo(1)'],
  ] as const;
  for (const [level, text, removed] of rows) {
    test(level, async () => {
      const patch = update(`@@\n${removed}\n+bar\n`);
      assert.deepEqual(await landed(text, patch), [[2, level]]);
      assert.equal(await applyToText(text, patch, 'f'), 'x\nbar\ny\n');
    });
  }

  test('a level is searched in the whole file before a looser one', async () => {
    const text = '  foo\nx\nfoo\n';
    assert.deepEqual(await landed(text, update('@@\n-foo\n+bar\n')), [[3, 'exact']]);
    // Not even the stated line makes a looser level win.
    assert.deepEqual(await landed(text, unified('@@ -1 +1 @@\n-foo\n+bar\n')), [[3, 'exact']]);
  });

  test('a block of which one line is missing is not there', async () => {
    const error = await refusalOf({ f: 'a\nb\nd\ne\n' }, update('@@\n a\n b\n c\n-d\n+D\n e\n'));
    assert.equal(error.code, 'NO_MATCH');
  });
});

describe('several places', () => {
  const text = 'x\n1\nx\n2\nx\n3\nx\n';

  test('no line to choose by: refused, with the lines', async () => {
    const error = await refusalOf({ f: text }, update('@@\n-x\n+y\n'));
    assert.equal(error.code, 'NOT_UNIQUE');
    assert.deepEqual(error.details?.['lines'], [1, 3, 5, 7]);
    assert.match(error.message, /Nothing was changed.*lines 1, 3, 5, 7/);
  });

  test('the nearest to the stated line', async () => {
    assert.deepEqual(await landed(text, unified('@@ -5 +5 @@\n-x\n+y\n')), [[5, 'exact']]);
    assert.deepEqual(await landed(text, unified('@@ -90 +90 @@\n-x\n+y\n')), [[7, 'exact']]);
  });

  test('a tie is refused', async () => {
    assert.equal((await refusalOf({ f: text }, unified('@@ -4 +4 @@\n-x\n+y\n'))).code, 'NOT_UNIQUE');
  });

  test('a count that contradicts its block makes the stated line less certain', async () => {
    // The block may have lost its first line: line 5 is then as good as line 6 says.
    const near = 'a\nx\nx\nb\n';
    assert.equal((await refusalOf({ f: near }, unified('@@ -2,2 +2,2 @@\n-x\n+y\n'))).code, 'NOT_UNIQUE');
  });

  test('the shift of earlier hunks counts', async () => {
    const moved = `${'new\n'.repeat(10)}first\n${'k\nx\n'.repeat(20)}`;
    // Ten lines were put in front: "x" of line 5 is now at line 15.
    const patch = unified('@@ -1 +1 @@\n-first\n+FIRST\n@@ -5 +5 @@\n-x\n+y\n');
    assert.deepEqual(await landed(moved, patch), [
      [11, 'exact'],
      [15, 'exact'],
    ]);
  });

  test('hunks do not take the same lines', async () => {
    const patch = unified('@@ -1 +1 @@\n-x\n+y\n@@ -1 +1 @@\n-x\n+z\n');
    assert.equal(await applyToText('x\nx\n', patch, 'f'), 'y\nz\n');
    assert.equal((await refusalOf({ f: 'x\n' }, patch)).code, 'NO_MATCH');
  });
});

describe('context headers', () => {
  const text = 'def a():\n  return 1\ndef b():\n  return 1\ndef c():\n  return 1\n';

  test('the function that the header names is edited', async () => {
    assert.deepEqual(await landed(text, update('@@ def b()\n-  return 1\n+  return 2\n')), [[4, 'exact']]);
  });

  test('a header that is not there is refused', async () => {
    const error = await refusalOf({ f: text }, update('@@ def z():\n-  return 1\n+  return 2\n'));
    assert.equal(error.code, 'NO_MATCH');
    assert.match(error.message, /def z\(\):/);
  });

  test('a header in several places with a block below each is refused', async () => {
    const twice = 'class A\n m\n x\nclass B\n m\n x\n';
    assert.equal((await refusalOf({ f: twice }, update('@@  m\n- x\n+ y\n'))).code, 'NOT_UNIQUE');
    assert.deepEqual(await landed(twice, update('@@ class B\n@@  m\n- x\n+ y\n')), [[6, 'exact']]);
  });

  test('the beginning of a word is no match', async () => {
    assert.equal(
      (await refusalOf({ f: 'def bar():\n  1\n' }, update('@@ def b\n-  1\n+  2\n'))).code,
      'NO_MATCH',
    );
  });

  test('the same header above each hunk of one function', async () => {
    const long = 'def a():\n  x\n  return 1\ndef b():\n  x\n  y\n  return 1\ndef c():\n  return 1\n';
    const patch = update('@@ def b():\n-  x\n+  X\n@@ def b():\n-  return 1\n+  return 2\n');
    assert.deepEqual(await landed(long, patch), [
      [5, 'exact'],
      [7, 'exact'],
    ]);
  });

  test('a header above the hunk before does not lead into the next function', async () => {
    const patch = update('@@ def b():\n-  return 1\n+  return 2\n@@ def a():\n-  return 1\n+  return 3\n');
    assert.equal((await refusalOf({ f: text }, patch)).code, 'NO_MATCH');
    const twice = update('@@ def a():\n-  return 1\n+  return 2\n@@ def a():\n-  return 1\n+  return 3\n');
    assert.equal((await refusalOf({ f: text }, twice)).code, 'NO_MATCH');
  });

  test('Codex hunks follow the order of the file, and the answer says so', async () => {
    const error = await refusalOf({ f: 'a\nb\nc\n' }, update('@@\n-c\n+C\n@@\n-a\n+A\n'));
    assert.equal(error.code, 'NO_MATCH');
    assert.equal(error.details?.['found_at'], 1);
  });
});

describe('the end of the file', () => {
  test('*** End of File elsewhere is refused', async () => {
    const error = await refusalOf({ f: 'a\nb\n' }, update('@@\n-a\n+A\n*** End of File\n'));
    assert.equal(error.code, 'NO_MATCH');
  });

  test('a no-newline mark belongs to the end, too', async () => {
    const patch = unified('@@ -1 +1 @@\n-a\n+A\n\\ No newline at end of file\n');
    assert.equal((await refusalOf({ f: 'a\nb\n' }, patch)).code, 'NO_MATCH');
  });
});

describe('the report', () => {
  test("lines count in the new file, the diff shows the file's own lines", async () => {
    const text = Array.from({ length: 30 }, (_, i) => `  line ${i + 1}\n`).join('');
    const patch = update('@@\n line 3\n+new\n@@\n line 20\n-line 21\n+LINE 21\n line 22\n');
    const plan = await planPatch(patch, readerOf({ f: text }));
    assert.deepEqual(plan.reports[0]?.hunks, [
      { line: 3, level: 'surrounding-whitespace' },
      { line: 21, level: 'surrounding-whitespace' },
    ]);
    assert.equal(
      plan.reports[0]?.diff,
      '@@ -3 +3,2 @@\n   line 3\n+new\n@@ -20,3 +21,3 @@\n   line 20\n-  line 21\n+LINE 21\n   line 22',
    );
    assert.deepEqual([plan.reports[0]?.addedLines, plan.reports[0]?.removedLines], [2, 1]);
  });

  test('a long diff is cut and says how much is missing', async () => {
    const added = Array.from({ length: 500 }, (_, i) => `+${i}\n`).join('');
    const plan = await planPatch(update(`@@\n a\n${added}`), readerOf({ f: 'a\n' }), { maxDiffLines: 50 });
    assert.equal(plan.reports[0]?.diff.split('\n').length, 51);
    assert.match(plan.reports[0]?.diff ?? '', /452 more lines of this diff are not shown$/);
  });
});
