import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { INSTALLERS, upToDateInstaller, upToDateReadme, withPart } from '../build/readme.ts';

test('the README lists the tools and settings as they are (npm run docs mends it)', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  assert.equal(readme, await upToDateReadme('README.md'));
});

test('the installers name the address of package.json (npm run docs mends it)', async () => {
  for (const name of Object.keys(INSTALLERS)) {
    const installer = await readFile(new URL(`../${name}`, import.meta.url), 'utf8');
    assert.equal(installer, await upToDateInstaller(name));
  }
});

test('a missing part of the README is noticed', () => {
  assert.throws(() => withPart('no parts', 'tools', 'x'), /no part "tools"/);
  assert.equal(
    withPart('a\n<!-- x: y -->\nold\n<!-- /x -->\nb', 'x', 'new'),
    'a\n<!-- x: y -->\n\nnew\n\n<!-- /x -->\nb',
  );
});
