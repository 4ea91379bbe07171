import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replaceInOrder, replaceLiteral } from '../../src/edit/index.ts';
import { CodedError, type ErrorCode } from '../../src/runtime/errors.ts';

function fails(act: () => unknown, code: ErrorCode): CodedError {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof CodedError, String(error));
    assert.equal(error.code, code, error.message);
    return error;
  }
  throw new Error(`expected ${code}`);
}

const replaced = (text: string, oldText: string, newText: string, replaceAll = false) =>
  replaceLiteral(text, { oldText, newText, replaceAll }).text;

test('dollar signs and regex characters are plain text', () => {
  assert.equal(replaced('a.b(c)', '.b(c)', "$& $1 $` $' $$"), "a$& $1 $` $' $$");
});

test('line endings of old_text do not matter; the file keeps its own', () => {
  assert.equal(replaced('a\r\nb\r\nc\r\n', 'a\nb', 'x\ny\nz'), 'x\r\ny\r\nz\r\nc\r\n');
  assert.equal(replaced('a\nb\nc\n', 'a\r\nb', 'x\r\ny'), 'x\ny\nc\n');
  assert.equal(replaced('a\r\nb', 'b', 'b\nc'), 'a\r\nb\r\nc');
});

test('mixed line endings: untouched lines keep theirs, replaced lines take those of what they replace', () => {
  const text = '1\r\n2\n3\r\n4\n5\n';
  assert.equal(replaced(text, '2\n3\n4', '2\nX\n4'), '1\r\n2\nX\r\n4\n5\n');
  assert.equal(replaced(text, '2\n3\n4', 'A\nB\nC'), '1\r\nA\nB\r\nC\n5\n');
  assert.equal(replaced(text, '1', '0\n1'), '0\n1\r\n2\n3\r\n4\n5\n', 'added lines end like most lines');
});

test('a lone CR and U+2028 are characters of their own', () => {
  assert.equal(replaced('a\rb\u2028c', '\r', '\n'), 'a\nb\u2028c');
  assert.equal(replaced('a\r\nb', '\nb', '\nc'), 'a\r\nc');
  fails(() => replaced('a\r\nb', 'a\r', 'x'), 'NO_MATCH');
});

test('several matches are refused with every line, none is edited', () => {
  const error = fails(() => replaced('x\na\nx\nb\nx', 'x', 'y'), 'NOT_UNIQUE');
  assert.deepEqual(error.details, { lines: [1, 3, 5], occurrences: 3 });
  assert.equal(replaced('x\na\nx\nb\nx', 'x', 'y', true), 'y\na\ny\nb\ny');
});

test('overlapping places are ambiguous', () => {
  fails(() => replaced('aaa', 'aa', 'b'), 'NOT_UNIQUE');
  assert.equal(replaced('aaaa', 'aa', 'b', true), 'bb');
});

test('more than twenty matches: the first lines and the number', () => {
  const error = fails(() => replaced('x\n'.repeat(50), 'x', 'y'), 'NOT_UNIQUE');
  assert.match(error.message, /50 times.*and 30 more/);
});

test('nothing to do is an error', () => {
  fails(() => replaced('a', '', 'b'), 'INVALID_PARAMS');
  fails(() => replaced('a', 'a', 'a'), 'INVALID_PARAMS');
});

test('multi edits run in order on what the one before left', () => {
  const result = replaceInOrder('a b c', [
    { oldText: 'a', newText: 'b' },
    { oldText: 'b b', newText: 'x' },
    { oldText: 'c', newText: 'xx' },
    { oldText: 'x', newText: 'y', replaceAll: true },
  ]);
  assert.equal(result.text, 'y yy');
  assert.equal(result.replacements, 6);
});

test('a failing edit names itself', () => {
  const error = fails(
    () =>
      replaceInOrder('a b', [
        { oldText: 'a', newText: 'x' },
        { oldText: 'nope', newText: 'y' },
      ]),
    'NO_MATCH',
  );
  assert.match(error.message, /^Edit 2 of 2/);
  assert.equal(error.details?.['edit'], 2);
});

test('counting overlapping places of a long text in a repetitive file does not take seconds', () => {
  const startedMs = performance.now();
  const error = fails(() => replaced('a'.repeat(2_000_000), 'a'.repeat(20_000), 'b'), 'NOT_UNIQUE');
  assert.match(error.message, /more than 1000 times, at lines 1, 1/);
  assert.ok(performance.now() - startedMs < 2_000, `${performance.now() - startedMs} ms`);
});

test('millions of replacements are refused, not suffered', () => {
  const error = fails(() => replaced('a'.repeat(30_000_000), 'a', 'bc', true), 'TOO_LARGE');
  assert.match(error.message, /Nothing was changed/);
});
