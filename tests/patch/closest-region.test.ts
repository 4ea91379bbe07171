import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { closestRegion } from '../../src/patch/index.ts';

const FILE = [
  'import a',
  '',
  'function f() {',
  "  say('hello');",
  '  return 1;',
  '}',
  '',
  'function g() {',
  '  return 2;',
  '}',
];

describe('closestRegion', () => {
  test('white space', () => {
    assert.deepEqual(closestRegion(FILE, ['function f() {', "\tsay('hello');", '\treturn 1;'])?.differences, [
      { kind: 'whitespace', line: 4, wanted: "\tsay('hello');", found: "  say('hello');" },
      { kind: 'whitespace', line: 5, wanted: '\treturn 1;', found: '  return 1;' },
    ]);
  });

  test('quotes', () => {
    assert.deepEqual(closestRegion(FILE, ['function f() {', '  say(‘hello’);'])?.differences, [
      { kind: 'quotes', line: 4, wanted: '  say(‘hello’);', found: "  say('hello');" },
    ]);
  });

  test('one changed line', () => {
    const region = closestRegion(FILE, ['function f() {', "  say('hello');", '  return 3;', '}']);
    assert.deepEqual([region?.startLine, region?.endLine], [3, 6]);
    assert.deepEqual(region?.differences, [
      { kind: 'line', line: 5, wanted: '  return 3;', found: '  return 1;' },
    ]);
  });

  test('a line too few, a line too many', () => {
    const few = closestRegion(FILE, ['function f() {', '  return 1;', '}']);
    assert.deepEqual(few?.differences, [{ kind: 'line', line: 4, wanted: null, found: "  say('hello');" }]);
    const many = closestRegion(FILE, ['function f() {', "  say('hello');", '  extra();', '  return 1;', '}']);
    assert.deepEqual(many?.differences, [{ kind: 'line', line: 5, wanted: '  extra();', found: null }]);
    assert.deepEqual([many?.startLine, many?.endLine], [3, 6]);
  });

  test('one misspelt line alone', () => {
    assert.equal(closestRegion(FILE, ['function gg() { hello'])?.lines.length, 1);
    assert.equal(closestRegion(FILE, ["  say('helo');"])?.startLine, 4);
  });

  test('lines that hang over the ends of the file', () => {
    const before = closestRegion(FILE, ['// head', '// more', 'import a', '']);
    assert.deepEqual([before?.startLine, before?.endLine], [1, 2]);
    const after = closestRegion(FILE, ['  return 2;', '}', '', 'more()']);
    assert.deepEqual([after?.startLine, after?.endLine], [9, 10]);
    assert.equal(after?.differences.length, 2);
  });

  test('nothing alike', () => {
    assert.equal(closestRegion(FILE, ['zzz', 'qqq']), undefined);
    assert.equal(closestRegion([], ['a']), undefined);
    assert.equal(closestRegion(FILE, []), undefined);
    assert.equal(closestRegion(FILE, ['', '']), undefined);
  });

  test('more lines than are aligned one by one', () => {
    const file = Array.from({ length: 1_000 }, (_, i) => `line number ${i}`);
    const wanted = file.slice(300, 800);
    wanted[250] = 'different';
    const region = closestRegion(file, wanted);
    assert.deepEqual([region?.startLine, region?.endLine], [301, 800]);
    assert.deepEqual(region?.differences, [
      { kind: 'line', line: 551, wanted: 'different', found: 'line number 550' },
    ]);
  });
});
