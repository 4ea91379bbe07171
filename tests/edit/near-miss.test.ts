import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replaceLiteral } from '../../src/edit/index.ts';
import { CodedError } from '../../src/runtime/errors.ts';
import { seeded } from '../support/seeded.ts';

interface Closest {
  closest: { start_line: number; end_line: number; text: string };
  differences: string[];
}

function miss(
  text: string,
  oldText: string,
  newText = 'something else',
): { error: CodedError; details: Closest } {
  try {
    replaceLiteral(text, { oldText, newText });
  } catch (error) {
    assert.ok(error instanceof CodedError);
    assert.equal(error.code, 'NO_MATCH');
    return { error, details: (error.details ?? {}) as unknown as Closest };
  }
  throw new Error('matched');
}

const FILE = `import { a } from './a.ts';

export function first(x: number) {
\treturn compute(x, "one");
}

export function second(y: number) {
\treturn compute(y, "two");
}
`;

test('indentation: tabs against spaces', () => {
  const { details } = miss(FILE, 'export function second(y: number) {\n  return compute(y, "two");\n}');
  assert.deepEqual([details.closest.start_line, details.closest.end_line], [7, 9]);
  assert.equal(details.closest.text, 'export function second(y: number) {\n\treturn compute(y, "two");\n}');
  assert.equal(details.differences.length, 1);
  assert.match(
    details.differences[0]!,
    /^line 8: indentation differs: the file has 1 tab, old_text has 2 spaces/,
  );
});

test('quotes', () => {
  const { details } = miss(FILE, "\treturn compute(y, 'two');");
  assert.equal(details.closest.start_line, 8);
  assert.match(details.differences[0]!, /quotes, dashes or whitespace differ/);
});

test('typographic quotes, trailing whitespace, letter case', () => {
  assert.match(miss('say \u201Chello\u201D now', 'say "hello" now').details.differences[0]!, /quotes/);
  assert.match(
    miss('one line  \ntwo lines\n', 'one line\ntwo lines').details.differences[0]!,
    /trailing whitespace/,
  );
  assert.match(
    miss('Hello World again', 'hello world AGAIN').details.differences[0]!,
    /upper and lower case differ/,
  );
});

test('one changed line in a block', () => {
  const { details } = miss(FILE, 'export function first(x: string) {\n\treturn compute(x, "one");\n}\n');
  assert.deepEqual([details.closest.start_line, details.closest.end_line], [3, 5]);
  assert.equal(details.differences.length, 1);
  assert.match(
    details.differences[0]!,
    /^line 3: the text differs; the file has "export function first\(x: number\) \{"/,
  );
});

test('a line missing in old_text, and one that the file does not have', () => {
  const text = 'alpha one\nbeta two\ngamma three\ndelta four\n';
  const missing = miss(text, 'alpha one\ngamma three\ndelta four').details;
  assert.deepEqual([missing.closest.start_line, missing.closest.end_line], [1, 4]);
  assert.deepEqual(missing.differences, ['line 2 of the file is missing in old_text: "beta two"']);
  const extra = miss(text, 'alpha one\nbeta two\nnot there\ngamma three').details;
  assert.deepEqual([extra.closest.start_line, extra.closest.end_line], [1, 3]);
  assert.deepEqual(extra.differences, ['line 3 of old_text is not in the file there: "not there"']);
});

test('what models do: line numbers, double escapes, an edit made twice', () => {
  assert.match(
    miss(FILE, '3: export function first(x: number) {\n4: \treturn compute(x, "one");').error.hint,
    /line numbers/,
  );
  assert.match(miss(FILE, 'compute(x, \\"one\\");\\n}').error.hint, /escaped once too often/);
  const again = miss(FILE.replace('"two"', '"three"'), '"two"', 'compute(y, "three")');
  assert.match(again.error.hint, /already there, at line 8/);
});

test('nothing alike at all', () => {
  const { error } = miss(FILE, 'zzz qqq');
  assert.equal(error.details, undefined);
  assert.match(error.hint, /No part of old_text/);
});

test('10,000 lines: the region is found in under 50 ms, whatever the miss', (t) => {
  const random = seeded(3);
  const names = ['load', 'store', 'index', 'value', 'count', 'buffer', 'state', 'result', 'const', 'return'];
  const lines = Array.from(
    { length: 10_000 },
    (_, i) =>
      `  ${random.pick(names)} ${random.pick(names)}_${i} = ${random.pick(names)}(${random.int(999)}, "${i}");`,
  );
  const text = lines.join('\n');
  const block = lines.slice(6_000, 6_020);
  const cases: [string, string, number][] = [
    ['whitespace', block.map((line) => line.replace(/^ {2}/, '\t')).join('\n'), 6001],
    ['one changed line', block.with(10, '  entirely(different);').join('\n'), 6001],
    ['every line changed a little', block.map((line) => line.replace('=', '==')).join('\n'), 6001],
    ['one line, one word changed', block[0]!.replace('=', ':='), 6001],
    ['nothing', 'foo\nbar\nbaz', 0],
  ];
  for (const [name, wanted, line] of cases) {
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      const started = performance.now();
      const { details } = miss(text, wanted);
      times.push(performance.now() - started);
      assert.equal(details.closest?.start_line ?? 0, line, name);
    }
    const fastest = Math.min(...times);
    t.diagnostic(`${name}: ${fastest.toFixed(1)} ms`);
    assert.ok(fastest < 50, `${name}: ${fastest} ms`);
  }
});

test('a block of 3,000 lines and a file of one enormous line are answered, not suffered', () => {
  const many = Array.from({ length: 10_000 }, (_, i) => `line ${i}`);
  const started = performance.now();
  miss(many.join('\n'), many.slice(100, 3_100).with(5, 'x').join('\n'));
  miss('word '.repeat(1_000_000), 'wort '.repeat(10));
  assert.ok(performance.now() - started < 3_000);
});
