/** What install.sh promises, for one shell. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { standIn } from './archives.ts';
import { type Answer, type Mirror, sha256, sumsOf } from './mirror.ts';
import { filesOf, NEW, OLD, withReleases } from './releases.ts';
import { found, INSTALLER, noInstaller, Sandbox, type Shell } from './sandbox.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

/** What install.sh promises, as one suite for a shell. */
export function describeShell(shell: Shell): void {
  describe(`install.sh under ${shell.name}`, { skip: noInstaller(shell) }, () => {
    const releases = withReleases();
    const { publish } = releases;
    let mirror: Mirror;
    let box: Sandbox;
    beforeEach(() => {
      mirror = releases.mirror;
      box = new Sandbox(mirror.url);
    });
    afterEach(() => box.remove());
    /** The paths of the archive that is asked for, in either form. */
    const ARCHIVES = ['xz', 'gz'].map((form) => `latest/download/local-coder-1.1.0-linux-x64.tar.${form}`);
    const askedForArchive = () => mirror.asked.filter((path) => ARCHIVES.includes(path)).length;
    /** Has the mirror answer the archive in another way; without one it is not there. */
    const archive = (make?: (whole: Buffer) => Answer) => {
      for (const path of ARCHIVES) {
        const whole = mirror.files.get(path) as Buffer;
        mirror.files.delete(path);
        if (make !== undefined) mirror.files.set(path, make(whole));
      }
    };

    test('fresh, then the same again, then uninstall', async () => {
      const { code, stdout, stderr } = await box.run(shell);
      assert.equal(`${stderr}${code}`, '0');
      assert.deepEqual(readFileSync(box.program), NEW);
      assert.equal(statSync(box.program).mode & 0o7777, 0o755);
      assert.equal(mirror.asked.length, 2);
      assert.equal(mirror.asked[0], 'latest/download/SHA256SUMS');
      assert.equal(askedForArchive(), 1);
      assert.match(stdout, /local-coder 1\.1\.0 is installed: .*\/\.local\/bin\/local-coder\n/);
      assert.match(stdout, /\n {4}echo 'export PATH="\$HOME\/\.local\/bin:\$PATH"' >>~\/\.bashrc\n$/);
      const installed = box.state();
      assert.equal(installed.split('\n').length, 5, installed);

      const again = await box.run(shell);
      assert.equal(again.code, 0);
      assert.match(again.stdout, /1\.1\.0 is installed already/);
      assert.equal(mirror.asked.length, 3);
      assert.equal(box.state(), installed);

      const gone = await box.run(shell, ['--uninstall']);
      assert.equal(gone.code, 0, gone.stderr);
      assert.match(gone.stdout, /Removed .*local-coder \(version 1\.1\.0\)\./);
      assert.equal(existsSync(box.program), false);
      const nothing = await box.run(shell, ['--uninstall']);
      assert.equal(nothing.code, 0);
      assert.match(nothing.stdout, /There is no local-coder in/);
    });

    test('through a pipe, with arguments, an upgrade in a folder with odd characters', async () => {
      const folder = join(box.base, "a 'b' $c\\d");
      box.installed(OLD, join(folder, 'local-coder'));
      const result = await box.run(shell, ['--dir', "a 'b' $c\\d/"], {
        input: readFileSync(INSTALLER, 'utf8'),
      });
      assert.equal(`${result.stderr}${result.code}`, '0');
      assert.deepEqual(readFileSync(join(folder, 'local-coder')), NEW);
      assert.match(result.stdout, /local-coder 1\.1\.0 is in the place of 1\.0\.0/);
      assert.match(result.stdout, /Put the folder .* on your PATH/);
      assert.equal(execFileSync('ls', ['-A', folder], { encoding: 'utf8' }), 'local-coder\n');
    });

    test('one that says the newest version and does no more than that is put there anew', async () => {
      box.installed(Buffer.from('#!/bin/sh\n[ "$1" = --version ] && echo 1.1.0\n'));
      assert.equal((await box.run(shell, [])).code, 0);
      assert.deepEqual(readFileSync(box.program), NEW);
    });

    test('a version that is named, older than the newest', async () => {
      const { code } = await box.run(shell, ['--version=v1.0.0']);
      assert.equal(code, 0);
      assert.deepEqual(readFileSync(box.program), OLD);
      assert.equal(mirror.asked[0], 'download/v1.0.0/SHA256SUMS');
    });

    /** Every failure leaves the home and the temporary folder as they were, an older version among it. */
    async function unchanged(
      pattern: RegExp,
      options: {
        args?: readonly string[];
        fresh?: boolean;
        code?: number;
        run?: Parameters<Sandbox['run']>[2];
      } = {},
    ): Promise<void> {
      for (const fresh of options.fresh === undefined ? [true, false] : [options.fresh]) {
        if (!fresh) box.installed(OLD);
        const state = box.state();
        const result = await box.run(shell, options.args, options.run);
        assert.match(result.stderr, pattern);
        assert.equal(result.code, options.code ?? 1);
        assert.equal(box.state(), state);
      }
    }

    test('a wrong checksum', async () => {
      publish('1.1.0', releases.files, sumsOf(filesOf('1.1.0', OLD)));
      await unchanged(/is not what the release lists: its SHA-256 is [0-9a-f]{64}, not [0-9a-f]{64}/);
    });

    test('a connection that breaks in the middle, three times', async () => {
      archive((cut) => ({ cut }));
      await unchanged(/tar\.[xg]z could not be downloaded from .*tried 3 times/, { fresh: true });
      assert.equal(askedForArchive(), 3);
    });

    test('an archive that is missing, a version that is missing, no server', async () => {
      archive();
      await unchanged(/could not be downloaded from .*: it is not there \(404\)/);
      await unchanged(/There is no version 9\.9\.9 at http/, { args: ['--version', '9.9.9'] });
      assert.equal(mirror.asked.length, 2 * 2 + 2);
      const env = { LOCAL_CODER_BASE_URL: 'http://127.0.0.1:1/releases' };
      await unchanged(/The list of releases could not be downloaded .*tried 3 times/, {
        fresh: true,
        run: { env },
      });
    });

    test('a program that does not start, or is another version', async () => {
      const bad = Buffer.from('#!/bin/sh\necho "libfoo.so.6: cannot open" >&2\nexit 127\n');
      publish('1.1.0', filesOf('1.1.0', bad));
      await unchanged(
        /libfoo\.so\.6: cannot open\nlocal-coder: The downloaded local-coder 1\.1\.0 does not start/,
      );
      publish('1.1.0', filesOf('1.1.0', standIn('1.0.9')));
      await unchanged(/does not start here, so nothing was changed/);
      const half =
        '#!/bin/sh\n[ "$1" = --version ] && { echo 1.1.0; exit; }\necho "bad bundle" >&2\nexit 4\n';
      publish('1.1.0', filesOf('1.1.0', Buffer.from(half)));
      await unchanged(/bad bundle\nlocal-coder: The downloaded local-coder 1\.1\.0 does not start/);
    });

    test('lists of releases that are broken', async () => {
      const form = (await usesXz(shell, box)) ? 'xz' : 'gz';
      const [line] = sumsOf(releases.files)
        .toString()
        .split('\n')
        .filter((text) => text.endsWith(`linux-x64.tar.${form}`));
      const sums: readonly [string, RegExp][] = [
        ['', /newest release has no build for linux-x64/],
        [`${line}\n${line}\n`, /names two builds for linux-x64/],
        [`${line?.replace(/^./, 'X')}\n`, /list of releases at .* is broken/],
        [`${line?.slice(1)}\n`, /is broken/],
        [`${line?.replace('1.1.0', '../../x')}\n`, /is broken/],
        [`${line?.replace('1.1.0', '1.1.0;touch')}\n`, /is broken/],
      ];
      for (const [text, pattern] of sums) {
        mirror.files.set('latest/download/SHA256SUMS', Buffer.from(text));
        await unchanged(pattern, { fresh: true });
      }
      mirror.files.set('download/v1.0.0/SHA256SUMS', Buffer.from(`${line}\n`));
      await unchanged(/What .* holds is version 1\.1\.0, not 1\.0\.0/, {
        args: ['--version', '1.0.0'],
        fresh: true,
      });
    });

    test('systems without a build are refused before anything is asked for', async () => {
      const systems: readonly [string, string, RegExp][] = [
        ['SunOS', 'i86pc', /no build of local-coder for SunOS/],
        ['MINGW64_NT-10.0', 'x86_64', /On Windows run install\.ps1/],
        ['Linux', 'armv7l', /no build of local-coder for armv7l, only for x86_64 and arm64/],
      ];
      // A BusyBox that takes its own programs before those of PATH cannot be told another system.
      for (const [name, machine, pattern] of (await takesFakes(shell, box)) ? systems : []) {
        box.system(name, machine);
        await unchanged(pattern);
      }
      box.system('Linux', 'x86_64');
      box.fake('getconf', 'exit 1');
      box.fake('ldd', 'echo "musl libc (x86_64)" >&2; echo "Version 1.2.4" >&2; exit 1');
      await unchanged(/uses musl \(Alpine, Void\); the executable needs glibc.*Node 24/);
      box.fake('ldd', 'echo "ldd (Ubuntu GLIBC 2.27-3ubuntu1.6) 2.27"; echo Copyright');
      await unchanged(/has glibc 2\.27; local-coder needs 2\.28 or newer/);
      box.fake('getconf', '[ "$1" = GNU_LIBC_VERSION ] && echo glibc 2.17');
      await unchanged(/has glibc 2\.17; local-coder needs 2\.28/);
      box.fake('getconf', 'case $1 in LONG_BIT) echo 32 ;; *) echo glibc 2.36 ;; esac');
      await unchanged(/32-bit system/);
      assert.deepEqual(mirror.asked, []);
    });

    test('a folder that may not be written', async () => {
      const folder = join(box.base, 'closed');
      mkdirSync(folder);
      chmodSync(folder, 0o555);
      const run = isRoot ? { uid: NOBODY } : {};
      if (isRoot) chmodSync(box.home, 0o777);
      await unchanged(/closed cannot be written to\. Choose another/, {
        args: ['--dir', folder],
        fresh: true,
        run,
      });
      const below = join(folder, 'x/y');
      await unchanged(/The folder .*closed\/x\/y cannot be made/, {
        args: ['--dir', below],
        fresh: true,
        run,
      });
      writeFileSync(join(box.base, 'file'), '');
      const file = join(box.base, 'file/bin');
      await unchanged(/The folder .*file\/bin cannot be made/, { args: ['--dir', file], fresh: true });
      mkdirSync(join(box.base, 'taken/local-coder'), { recursive: true });
      await unchanged(/taken\/local-coder is a folder/, {
        args: ['--dir', join(box.base, 'taken')],
        fresh: true,
      });
    });

    for (const [signal, exitCode] of [
      ['SIGTERM', 143],
      ['SIGINT', 130],
      ['SIGHUP', 129],
    ] as const) {
      test(`${signal} during the download`, async () => {
        archive((hang) => ({ hang }));
        const state = box.state();
        let pid = 0;
        const running = box.run(shell, [], { started: (given) => (pid = given) });
        await Promise.race([mirror.hanging(), running]);
        process.kill(pid, signal);
        const { code } = await running;
        assert.equal(code, exitCode);
        assert.equal(box.state(), state);
      });
    }

    test('a full disk', { skip: noFullDisk() }, async () => {
      const large = standIn('1.1.0', pseudoRandom(400_000));
      publish('1.1.0', filesOf('1.1.0', large));
      const folder = join(box.base, 'small');
      mkdirSync(folder);
      // A disk of its own, in a mount namespace of its own; what is on it is told before it goes away.
      const script = `
          mount -t tmpfs -o size=160k none "$1"
          cp "$2" "$1/local-coder"
          shift 2
          "$@"
          echo "exit code $?"
          ls -A "$DIR"
          cat "$DIR/local-coder"`;
      const old = join(box.base, 'old');
      box.installed(OLD, old);
      const args = [
        '-m',
        '/bin/sh',
        '-c',
        script,
        'sh',
        folder,
        old,
        shell.file ?? '',
        ...shell.args,
        INSTALLER,
      ];
      const state = box.state();
      const { stdout, stderr } = await box.spawn(found('unshare') ?? '', [...args, '--dir', folder], {
        env: { DIR: folder, PATH: `${box.bin}:/usr/bin:/bin` },
      });
      assert.match(stderr, /is there space left in/);
      assert.match(
        stdout,
        new RegExp(`exit code 1\nlocal-coder\n${OLD.toString().replace(/[[\]$]/g, '\\$&')}$`),
      );
      assert.equal(box.state(), state);
    });

    test('a script that is cut off anywhere does nothing', async () => {
      const script = readFileSync(INSTALLER, 'utf8');
      const state = box.state();
      const last = script.lastIndexOf('main "$@"');
      const cuts = [
        last - 400,
        last,
        last + 4,
        last + 6,
        last + 9,
        last + 20,
        script.trimEnd().length - 1,
        3_000,
      ];
      for (const cut of cuts) {
        await box.run(shell, ['--dir', join(box.home, 'x')], { input: script.slice(0, cut) });
        assert.equal(box.state(), state, `cut at ${cut}: …${JSON.stringify(script.slice(cut - 20, cut))}`);
      }
      assert.deepEqual(mirror.asked, []);
    });

    test('usage', async () => {
      const help = await box.run(shell, ['--help']);
      assert.equal(help.code, 0);
      assert.match(help.stdout, /--version X .*\n.*--dir D/);
      await unchanged(/"--nonsense" is not an option/, { args: ['--nonsense'], code: 2 });
      await unchanged(/--dir needs a value/, { args: ['--dir'], code: 2 });
      await unchanged(/is no version such as/, { args: ['--version', '../1.0.0'], code: 2 });
      // zsh finds out by itself where the home is.
      const nowhere = shell.name.startsWith('zsh') ? { HOME: '' } : { HOME: undefined };
      await unchanged(/HOME is not set/, { run: { env: nowhere }, fresh: true });
      for (const [url, pattern] of [
        ['http://mirror.invalid/releases', /must be https/],
        ['http://127.0.0.1:80@mirror.invalid/', /without a password/],
        ['http://localhost.mirror.invalid/', /must be https/],
        ['ftp://127.0.0.1/', /must begin with https/],
        [undefined, /No release of local-coder is published yet/],
      ] as const) {
        await unchanged(pattern, { run: { env: { LOCAL_CODER_BASE_URL: url } }, fresh: true });
      }
      assert.deepEqual(mirror.asked, []);
    });
  });
}

/** False for a BusyBox that takes its own programs before those of PATH. */
async function takesFakes(shell: Shell, box: Sandbox): Promise<boolean> {
  box.system('Fake', 'fake');
  const { stdout } = await box.run(shell, [], { input: 'uname -s' });
  box.system('Linux', 'x86_64');
  return stdout.trim() === 'Fake';
}

async function usesXz(shell: Shell, box: Sandbox): Promise<boolean> {
  const { stdout } = await box.run(shell, [], { input: 'tar --version' });
  return /bsdtar|GNU tar/.test(stdout);
}

/** Text that no compressor makes small, the same every time. */
function pseudoRandom(length: number): string {
  let text = '';
  for (let seed = 'x'; text.length < length; ) {
    seed = sha256(Buffer.from(seed));
    text += seed;
  }
  return text.slice(0, length);
}

/** The reason why a small disk cannot be made here, or false. */
function noFullDisk(): string | false {
  if (process.platform !== 'linux') return 'only on Linux';
  if (!isRoot) return 'only root may mount a small disk';
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'no mount namespaces on this machine';
  }
}
