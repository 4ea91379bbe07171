import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildModule } from './build-modules.ts';

const CONTENT = Buffer.from(`#!/bin/sh\necho started\n${'# padding\n'.repeat(5000)}`);
const VERSION = '1.2.3';

/** Unpackers and the archives that each must understand; `$A` is the archive, the working folder is the destination. */
const UNPACKERS = [
  { program: 'tar', args: ['-xJf'], archive: '.tar.xz' },
  { program: 'tar', args: ['-xzf'], archive: '.tar.gz' },
  { program: 'busybox', args: ['tar', '-xJf'], archive: '.tar.xz' },
  { program: 'busybox', args: ['tar', '-xzf'], archive: '.tar.gz' },
  { program: 'unzip', args: ['-q'], archive: '.zip' },
  { program: 'busybox', args: ['unzip', '-q'], archive: '.zip' },
] as const;

describe('archives of a release', { skip: process.platform === 'win32' && 'only on Linux and macOS' }, () => {
  let folder: string;
  let made: string[];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'local-coder-archives-'));
    made = await makeAll(join(folder, 'first'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function makeAll(outDir: string): Promise<string[]> {
    const { writeArchives } = await buildModule('archives');
    await mkdir(outDir);
    const executable = join(outDir, '..', 'program');
    await writeFile(executable, CONTENT, { mode: 0o700 });
    const targets = ['linux-x64', 'win-arm64'];
    const names = await Promise.all(
      targets.map((target) => writeArchives({ executable, target, version: VERSION, outDir })),
    );
    return names.flat();
  }

  test('they are named by version and target', () => {
    assert.deepEqual(made, [
      'local-coder-1.2.3-linux-x64.tar.gz',
      'local-coder-1.2.3-linux-x64.tar.xz',
      'local-coder-1.2.3-win-arm64.zip',
    ]);
  });

  test('the same executable gives the same bytes, whatever the time and the caller’s settings', async () => {
    process.env['XZ_OPT'] = '-0';
    process.env['XZ_DEFAULTS'] = '--threads=2';
    try {
      await makeAll(join(folder, 'second'));
    } finally {
      delete process.env['XZ_OPT'];
      delete process.env['XZ_DEFAULTS'];
    }
    for (const name of made) {
      const [first, second] = await Promise.all(
        ['first', 'second'].map((dir) => readFile(join(folder, dir, name))),
      );
      assert.ok(first !== undefined && second !== undefined && first.equals(second), name);
    }
  });

  for (const { program, args, archive } of UNPACKERS) {
    const missing = spawnSync(program, ['--help']).error !== undefined;
    const skip = missing ? `no ${program} on this machine` : false;
    test(`${program} ${args.join(' ')} takes one executable file out of ${archive}`, { skip }, async () => {
      const destination = await mkdtemp(join(folder, 'unpacked-'));
      const name = made.find((candidate) => candidate.endsWith(archive));
      assert.ok(name !== undefined);
      const { status, stderr } = spawnSync(program, [...args, join(folder, 'first', name)], {
        cwd: destination,
        encoding: 'utf8',
      });
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
      const expected = archive === '.zip' ? 'local-coder.exe' : 'local-coder';
      assert.deepEqual(await readdir(destination), [expected]);
      const file = join(destination, expected);
      assert.ok(CONTENT.equals(await readFile(file)));
      // busybox's unzip leaves modes to the umask.
      if (program !== 'busybox' || archive !== '.zip') assert.equal((await stat(file)).mode & 0o777, 0o755);
    });
  }

  test('entries are sorted, owned by nobody in particular, and without times', async () => {
    const { tar } = await buildModule('archives-tar');
    const { zip } = await buildModule('archives-zip');
    const files = ['b/two', 'a', 'b/one'].map((name) => ({ name, content: Buffer.from(name), mode: 0o644 }));
    const reversed = [...files].reverse();
    assert.ok(tar(files).equals(tar(reversed)));
    assert.ok((await zip(files)).equals(await zip(reversed)));
    const listing = spawnSync('tar', ['-tvf', '-', '--numeric-owner', '--utc'], { input: tar(files) });
    if (process.platform === 'linux')
      assert.match(
        listing.stdout.toString(),
        /^-rw-r--r-- 0\/0\s+1 1970-01-01 00:00 a\n.*b\/one\n.*b\/two\n$/s,
      );
    assert.throws(() => tar([{ name: 'ü', content: CONTENT, mode: 0o644 }]), /"ü" is no name/);
    assert.throws(() => tar([{ name: 'x'.repeat(101), content: CONTENT, mode: 0o644 }]), /is no name/);
  });
});
