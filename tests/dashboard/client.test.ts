import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { generatedPage } from '../../build/page.ts';
import { appScript } from '../../src/dashboard/client/index.ts';

test('the page is made of its sources as they are (npm run page mends it)', async () => {
  const file = new URL('../../src/dashboard/client/generated.ts', import.meta.url);
  assert.equal(await readFile(file, 'utf8'), await generatedPage());
});

test('the script makes elements in one place, which the policy of the page names', () => {
  const script = appScript();
  assert.doesNotMatch(
    script,
    /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|createContextualFragment|\.cookie/,
  );
  assert.equal(script.split('parseFromString').length, 2);
  assert.match(script, /createPolicy\("local-coder"/);
});
