import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { assetFile, type EmbeddedAsset } from '../../src/runtime/assets.ts';
import { extractProgram, findRipgrep } from '../../src/runtime/ripgrep-asset.ts';

let base: string;
let asset: EmbeddedAsset;
let reads = 0;
before(async () => {
  base = await mkdtemp(join(tmpdir(), 'local-coder-asset-'));
  const bytes = await readFile((await assetFile('rg'))!);
  asset = {
    name: 'rg',
    sha256: createHash('sha256').update(bytes).digest('hex'),
    sizeBytes: bytes.length,
    read: async () => {
      reads++;
      return Buffer.from(bytes);
    },
  };
});
after(() => rm(base, { recursive: true, force: true }));

test('from the sources it is the file in node_modules', async () => {
  assert.equal(await findRipgrep(base), await assetFile('rg'));
});

test('instances that race leave one whole program, in a private folder', async () => {
  const folder = join(base, 'race/bin');
  const files = await Promise.all(Array.from({ length: 8 }, () => extractProgram(asset, [folder])));
  assert.equal(new Set(files).size, 1);
  assert.ok(files[0]);
  assert.deepEqual(await readdir(folder), [`rg-${asset.sha256.slice(0, 16)}`]);
  if (process.platform !== 'win32') assert.equal((await stat(folder)).mode & 0o777, 0o700);
});

test('the second time it is found, and a damaged one is replaced', async () => {
  const folder = join(base, 'again');
  const file = await extractProgram(asset, [folder]);
  reads = 0;
  assert.equal(await extractProgram(asset, [folder]), file);
  assert.equal(reads, 0);
  for (const damage of [Buffer.alloc(10), Buffer.alloc(asset.sizeBytes)]) {
    await rm(file!);
    await writeFile(file!, damage, { mode: 0o700 });
    assert.equal(await extractProgram(asset, [folder]), file);
    assert.equal(
      createHash('sha256')
        .update(await readFile(file!))
        .digest('hex'),
      asset.sha256,
    );
  }
});

test('a folder that cannot be made, that others may write to, or in which nothing runs: the next, then none', async () => {
  const blocked = join(base, 'file');
  await writeFile(blocked, '');
  const shared = join(base, 'shared');
  await mkdir(shared);
  await chmod(shared, 0o777);
  const good = join(base, 'good');
  const folders = process.platform === 'win32' ? [blocked] : [blocked, shared];
  assert.equal(await extractProgram(asset, folders), undefined);
  assert.equal(
    await extractProgram(asset, [...folders, good]),
    join(good, `rg-${asset.sha256.slice(0, 16)}`),
  );
  // As on a noexec mount: the bytes are right, and starting them fails.
  const text = Buffer.from('not a program');
  const broken = {
    ...asset,
    sha256: createHash('sha256').update(text).digest('hex'),
    sizeBytes: text.length,
    read: async () => text,
  };
  assert.equal(await extractProgram(broken, [join(base, 'noexec')]), undefined);
});
