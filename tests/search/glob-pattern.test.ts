import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileGlob, expandBraces, namesHidden } from '../../src/search/glob-pattern.ts';
import { anchorGlob } from '../../src/search/index.ts';

const matches = (glob: string, path: string, dot = false) => compileGlob(glob, { dot }).matches(path);

test('** spans zero or more folders', () => {
  for (const path of ['src/x.ts', 'src/a/x.ts', 'src/a/b/x.ts'])
    assert.ok(matches('src/**/*.ts', path), path);
  assert.ok(!matches('src/**/*.ts', 'x.ts'));
  assert.ok(!matches('src/**', 'src'));
  assert.ok(matches('**/a/**/b', 'x/a/y/z/b'));
});

test('* and ? stay within a segment, classes and escapes hold', () => {
  assert.ok(!matches('src/*.ts', 'src/a/x.ts'));
  assert.ok(matches('a?c', 'aßc'));
  assert.ok(!matches('a?c', 'a/c'));
  assert.ok(matches('[!a-c]x', 'dx') && !matches('[!a-c]x', 'bx'));
  assert.ok(matches('[]]', ']') && matches('\\*', '*') && !matches('\\*', 'x'));
});

test('braces nest and may hold folders', () => {
  assert.deepEqual(expandBraces('{a,b{c,d}}/x'), ['a/x', 'bc/x', 'bd/x']);
  assert.ok(matches('{src/lib,test}/**/*.{ts,tsx}', 'src/lib/deep/x.tsx'));
});

test('a leading dot must be written out unless dot is set', () => {
  assert.ok(!matches('**/*', '.env') && !matches('**/*.js', '.cache/x.js') && !matches('src/**', 'src/.x'));
  assert.ok(matches('.*', '.env') && matches('.github/**', '.github/a/b') && matches('**/*', '.env', true));
  assert.ok(
    namesHidden('.github/*') && namesHidden('{a,.b}/c') && !namesHidden('./a/*') && !namesHidden('../x'),
  );
});

test('what is not a glob is refused', () => {
  for (const glob of ['{a', 'a}', '[a', '{a,{b}', 'a\\', '[z-a]', '{a,b}'.repeat(20), 'x'.repeat(5000)]) {
    assert.throws(() => compileGlob(glob, { dot: false }), { code: 'INVALID_PATTERN' }, glob.slice(0, 20));
  }
});

test('a pattern made to backtrack takes no time', () => {
  const started = performance.now();
  assert.ok(!matches(`${'*a'.repeat(60)}b`, 'a'.repeat(250)));
  assert.ok(!matches(`${'**/a/'.repeat(60)}b`, 'a/'.repeat(500)));
  assert.ok(performance.now() - started < 500);
});

test('patterns are anchored where their caller means them', () => {
  const anchor = (pattern: string, folder = '/w') =>
    anchorGlob(folder, pattern, (path) => path.replace('~', '/home/u'));
  assert.deepEqual(anchor('*.ts'), { folder: '/w', pattern: '**/*.ts' });
  assert.deepEqual(anchor('./*.ts'), { folder: '/w', pattern: '*.ts' });
  assert.deepEqual(anchor('src/'), { folder: '/w', pattern: 'src/**' });
  assert.deepEqual(anchor('.'), { folder: '/w', pattern: '**' });
  assert.deepEqual(anchor('../o/*.ts'), { folder: '/', pattern: 'o/*.ts' });
  assert.deepEqual(anchor('a/../b/*'), { folder: '/w', pattern: 'b/*' });
  assert.deepEqual(anchor('/w/src/*.ts'), { folder: '/w', pattern: 'src/*.ts' });
  assert.deepEqual(anchor('/w/*.ts'), { folder: '/w', pattern: '*.ts' });
  assert.deepEqual(anchor('/else/**/x'), { folder: '/else', pattern: '**/x' });
  assert.deepEqual(anchor('~/x/*.ts'), { folder: '/home/u/x', pattern: '*.ts' });
  assert.deepEqual(anchor('!*.ts'), { folder: '/w', pattern: '!**/*.ts' });
  assert.throws(() => anchor('*/../x'), { code: 'INVALID_PATTERN' });
  assert.throws(() => anchor(''), { code: 'INVALID_PATTERN' });
});
