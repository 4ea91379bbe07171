/** What install.sh does in odd surroundings, with foreign files in its place and with archives of bad will. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { standIn } from './archives.ts';
import type { Mirror } from './mirror.ts';
import { NEW, withReleases } from './releases.ts';
import { found, noInstaller, Sandbox, type Shell } from './sandbox.ts';

/** One suite for a shell. */
export function describeHostile(shell: Shell): void {
  describe(`install.sh under ${shell.name}, against it`, { skip: noInstaller(shell) }, () => {
    const releases = withReleases();
    let mirror: Mirror;
    let box: Sandbox;
    beforeEach(() => {
      mirror = releases.mirror;
      box = new Sandbox(mirror.url);
    });
    afterEach(() => box.remove());

    test('without a home: --dir is enough, and no ~ becomes the root', async () => {
      const folder = join(box.base, 'given');
      const { code, stdout, stderr } = await box.run(shell, ['--dir', folder], { env: { HOME: undefined } });
      assert.equal(`${stderr}${code}`, '0');
      assert.match(stdout, new RegExp(`export PATH="${folder}:`));
      const nowhere = await box.run(shell, ['--dir=~/lc-nowhere'], { env: { HOME: '' } });
      assert.match(nowhere.stderr, /HOME is not set/);
      assert.equal(existsSync('/lc-nowhere'), false);
    });

    test('options of the shell that end a script early, or forbid to write over files', async () => {
      const result = await box.run({ ...shell, args: [...shell.args, '-e', '-C'] });
      assert.equal(`${result.stderr}${result.code}`, '0');
      assert.deepEqual(readFileSync(box.program), NEW);
    });

    test('a folder that is gone is not the root', async () => {
      const gone = join(box.base, 'gone');
      const script = 'mkdir "$1" && cd "$1" && rmdir "$1" && shift && exec "$@"';
      const args = ['-c', script, 'sh', gone, shell.file ?? '', ...shell.args];
      const inGone = { ...shell, file: found('dash') ?? found('sh'), args };
      const { code, stderr } = await box.run(inGone, ['--dir', 'lc-nowhere']);
      assert.match(stderr, /The folder that this runs in is gone/);
      assert.equal(code, 1);
      assert.equal(existsSync('/lc-nowhere'), false);
    });

    test('what a killed run left goes away with a later one, when it is a day old', async () => {
      const [old, young] = ['aB3dE6', 'xY9zZ0'].map((end) =>
        join(box.home, '.local/bin', `.local-coder-install.${end}`),
      );
      for (const folder of [old, young]) {
        mkdirSync(folder as string, { recursive: true });
        writeFileSync(join(folder as string, 'local-coder'), 'half');
      }
      const before = new Date(Date.now() - 49 * 3_600_000);
      utimesSync(old as string, before, before);
      const { code, stderr } = await box.run(shell);
      assert.equal(`${stderr}${code}`, '0');
      assert.deepEqual([existsSync(old as string), existsSync(young as string)], [false, true]);
    });

    test('a folder whose name ends in a line end goes away again', async () => {
      const state = box.state();
      const args = ['--version', '9.9.9', '--dir', join(box.home, 'x\n/y')];
      assert.match((await box.run(shell, args)).stderr, /There is no version 9\.9\.9/);
      assert.equal(box.state(), state);
    });

    test('what somebody else put there stays; a broken program of ours does not', async () => {
      const stays = async () => {
        const state = box.state();
        const { code, stderr } = await box.run(shell);
        assert.match(stderr, /local-coder is not what this script installs, so it stays/);
        assert.equal(code, 1);
        assert.equal(box.state(), state);
        rmSync(box.program);
      };
      box.installed(Buffer.from('#!/bin/sh\necho "local-coder 0.3 of somebody else"\n'));
      await stays();
      box.installed(Buffer.from('#!/bin/sh\nexit 3\n'));
      await stays();
      box.installed(Buffer.from('a list of coders'));
      chmodSync(box.program, 0o600);
      await stays();
      for (const target of ['../elsewhere', '/bin/true']) {
        symlinkSync(target, box.program);
        await stays();
      }
      for (const broken of ['', '\x7fELF, cut off']) {
        box.installed(Buffer.from(broken));
        assert.equal((await box.run(shell)).code, 0);
        assert.deepEqual(readFileSync(box.program), NEW);
      }
    });

    test('a mirror that lags behind takes nobody back', async () => {
      for (const [there, isNewer] of [
        ['1.1.1', true],
        ['1.10.0', true],
        ['2.0.0-rc.1', true],
        ['1.1.0-rc.1', false],
        ['1.0.10', false],
      ] as const) {
        const program = standIn(there);
        box.installed(program);
        const { code, stdout } = await box.run(shell);
        assert.equal(code, 0);
        assert.match(stdout, isNewer ? /newest release at .* is 1\.1\.0/ : /is in the place of/, there);
        assert.deepEqual(readFileSync(box.program), isNewer ? program : NEW);
      }
      box.installed(standIn('2.0.0'));
      assert.equal((await box.run(shell, ['--version', '1.1.0'])).code, 0);
      assert.deepEqual(readFileSync(box.program), NEW);
    });

    test('lists that are too long, or have line ends of Windows', async () => {
      const list = mirror.files.get('latest/download/SHA256SUMS') as Buffer;
      for (const [text, pattern] of [
        [`${'x\n'.repeat(600_000)}${list}`, /is broken: it is too long/],
        [list.toString().replaceAll('\n', '\r\n'), /is broken: it has the line ends of Windows/],
      ] as const) {
        mirror.files.set('latest/download/SHA256SUMS', Buffer.from(text));
        const state = box.state();
        assert.match((await box.run(shell)).stderr, pattern);
        assert.equal(box.state(), state);
      }
    });

    test('an archive in which the program is a link: what that leads to is not touched', async () => {
      const victim = join(box.base, 'victim');
      writeFileSync(victim, 'mine', { mode: 0o600 });
      for (const kind of ['hard', 'symbolic']) {
        const files = linkArchive(victim, kind === 'symbolic');
        releases.publish('1.1.0', files);
        const state = box.state();
        const { code, stderr } = await box.run(shell);
        assert.equal(code, 1, kind);
        assert.match(stderr, /holds no program|could not be unpacked/);
        assert.equal(statSync(victim).mode & 0o777, 0o600, `a ${kind} link`);
        assert.equal(readFileSync(victim, 'utf8'), 'mine');
        assert.equal(box.state(), state);
      }
    });
  });
}

/** The files of a release whose one entry is a link to a path. */
function linkArchive(target: string, isSymbolic: boolean): Record<string, Buffer> {
  const header = Buffer.alloc(512);
  header.write('local-coder', 0);
  header.write('0000755\x000000000\x000000000\x0000000000000\x0000000000000\x00        ', 100);
  header.write(isSymbolic ? '2' : '1', 156);
  header.write(target, 157);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\x00 `, 148);
  const tar = Buffer.concat([header, Buffer.alloc(1024)]);
  const name = 'local-coder-1.1.0-linux-x64.tar';
  return { [`${name}.gz`]: gzipSync(tar), [`${name}.xz`]: execFileSync('xz', ['-c'], { input: tar }) };
}
