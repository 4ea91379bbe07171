/** What `local-coder upgrade` is made of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findOrigin } from '../../src/cli/upgrade/origin.ts';
import { compareVersions, isVersion } from '../../src/cli/upgrade/versions.ts';
import { releaseAddress } from '../../src/runtime/release.ts';
import { fileFromZip } from '../../src/runtime/zip-entry.ts';
import { zipOf } from '../install/support/archives.ts';

test('versions are ordered as semver.org says', () => {
  const order = [
    '0.9.0',
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
    '1.0.9',
    '1.0.10',
    '1.2.0',
    '10.0.0',
  ];
  assert.deepEqual([...order].reverse().sort(compareVersions), order);
  assert.equal(compareVersions('1.0.0', '1.0.0'), 0);
  for (const text of order) assert.ok(isVersion(text), text);
  for (const text of ['', '1', '1.0', '1.0.0-', '1.0.0/x', '1.0.0-a..b', `1.0.0-${'a'.repeat(99)}`])
    assert.ok(!isVersion(text), text);
});

test('only an executable that is its own master replaces itself', async () => {
  const running = {
    isDeno: false,
    isSingleExecutable: false,
    execPath: process.execPath,
    script: '/x/src/main.ts',
  };
  const instead = async (change: Partial<typeof running>) =>
    (await findOrigin({ ...running, ...change })).instead;
  assert.match((await instead({})) ?? '', /runs from its sources: update them/);
  assert.match((await instead({ isDeno: true })) ?? '', /runs from its sources/);
  assert.match((await instead({ script: '/x/dist/local-coder.cjs' })) ?? '', /is a bundle/);
  assert.match(
    (await instead({ script: '/x/node_modules/local-coder/y.cjs' })) ?? '',
    /installed by npm: npm install -g/,
  );
  const own = await findOrigin({ ...running, isSingleExecutable: true });
  assert.ok(own.executable?.endsWith('node') || own.executable?.endsWith('node.exe'), String(own.instead));
});

test('a file that the system’s package manager owns is not touched', {
  skip: process.platform === 'win32' && 'only on Linux and macOS',
}, async () => {
  const origin = await findOrigin({
    isDeno: false,
    isSingleExecutable: true,
    execPath: '/usr/bin/env',
    script: '',
  });
  assert.match(origin.instead ?? '', /\/env belongs to the system's package manager: upgrade it there/);
});

test('where releases lie', () => {
  assert.match(
    releaseAddress(undefined, 'https://github.example/a/b').problem ?? '',
    /No release of local-coder is published yet/,
  );
  assert.deepEqual(releaseAddress('', 'https://github.com/a/b'), { url: 'https://github.com/a/b/releases' });
  assert.deepEqual(releaseAddress('https://mirror.invalid/x/'), { url: 'https://mirror.invalid/x' });
  for (const host of ['127.0.0.1:80', 'localhost:8080', '[::1]:8080'])
    assert.equal(releaseAddress(`http://${host}/x`).problem, undefined);
});

test('one file out of a zip archive; every broken byte is noticed or harmless', async () => {
  const program = Buffer.from('MZ program '.repeat(50));
  const zip = zipOf('local-coder.exe', program);
  assert.deepEqual(await fileFromZip(zip, 'local-coder.exe'), program);
  assert.equal(await fileFromZip(zip, 'other'), undefined);
  assert.deepEqual(await fileFromZip(Buffer.concat([zip, Buffer.alloc(0)]), 'local-coder.exe'), program);
  for (let length = 0; length < zip.length; length++) {
    await assert.rejects(fileFromZip(zip.subarray(0, length), 'local-coder.exe'), `cut to ${length}`);
  }
  for (let at = 0; at < zip.length; at++) {
    const changed = Buffer.from(zip);
    changed[at] = (changed[at] ?? 0) ^ 0xff;
    const result = await fileFromZip(changed, 'local-coder.exe').catch(() => undefined);
    if (result !== undefined) assert.deepEqual(result, program, `byte ${at}`);
  }
});
