/** install.sh against a mirror on this machine, under dash; install-sh-shells.full.test.ts has the other shells. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { selfSigned } from '../support/certificate.ts';
import { describeHostile } from './support/hostile-table.ts';
import type { Mirror } from './support/mirror.ts';
import { NEW, OLD, withReleases } from './support/releases.ts';
import { found, INSTALLER, lacks, noInstaller, Sandbox, SHELLS, type Shell } from './support/sandbox.ts';
import { describeShell } from './support/shell-table.ts';

const DASH = SHELLS[0] as Shell;
describeShell(DASH);
describeHostile(DASH);

describe('install.sh', { skip: noInstaller(DASH) }, () => {
  const releases = withReleases();
  let mirror: Mirror;
  let box: Sandbox;
  beforeEach(() => {
    mirror = releases.mirror;
  });
  afterEach(() => box?.remove());

  describe('with other programs of the system', () => {
    const fresh = async (programs: readonly string[], prepare: (box: Sandbox) => void = () => {}) => {
      box = new Sandbox(mirror.url, programs);
      prepare(box);
      const result = await box.run(DASH);
      assert.equal(`${result.stderr}${result.code}`, '0');
      assert.deepEqual(readFileSync(box.program), NEW);
      return result;
    };

    const refused = async (programs: readonly string[], pattern: RegExp, env = {}) => {
      box = new Sandbox(mirror.url, programs);
      const state = box.state();
      const result = await box.run(DASH, [], { env });
      assert.match(result.stderr, pattern);
      assert.equal(result.code, 1);
      assert.equal(box.state(), state);
      box.remove();
    };
    const applet = (name: string) => (given: Sandbox) =>
      symlinkSync(found('busybox') ?? '', join(given.bin, name));

    test('wget in the place of curl', { skip: lacks('wget') }, async () => {
      const programs = Sandbox.programs({ without: ['curl'], and: ['wget'] });
      await fresh(programs);
      box.remove();
      const file = 'latest/download/local-coder-1.1.0-linux-x64.tar.xz';
      const whole = mirror.files.get(file) as Buffer;
      mirror.files.set(file, { cut: whole });
      await refused(programs, /could not be downloaded .*tried 3 times/);
      mirror.files.delete(file);
      await refused(programs, /it is not there \(404\)/);
    });

    test('wget that is led from https to http', { skip: lacks('wget', 'openssl') }, async () => {
      const { key, cert } = await selfSigned(['localhost']);
      const leads = createServer({ key, cert }, ({ url = '' }, response) =>
        response.writeHead(302, { location: `${mirror.url}${url}` }).end(),
      ).listen(0, '127.0.0.1');
      await once(leads, 'listening');
      try {
        box = new Sandbox(
          `https://localhost:${(leads.address() as AddressInfo).port}`,
          Sandbox.programs({ without: ['curl'], and: ['wget'] }),
        );
        const settings = join(box.base, 'wgetrc');
        writeFileSync(join(box.base, 'cert.pem'), cert);
        writeFileSync(settings, `ca_certificate = ${join(box.base, 'cert.pem')}\n`);
        const state = box.state();
        const { code, stderr } = await box.run(DASH, [], { env: { WGETRC: settings } });
        assert.match(stderr, /it is redirected to an address without https/);
        assert.equal(code, 1);
        assert.equal(box.state(), state);
      } finally {
        leads.close();
      }
    });

    test('the wget of BusyBox: for this machine alone', { skip: lacks('busybox') }, async () => {
      const programs = Sandbox.programs({ without: ['curl'] });
      await fresh(programs, applet('wget'));
      mirror.files.clear();
      const state = box.state();
      const missing = await box.run(DASH, ['--version', '3.0.0']);
      assert.match(missing.stderr, /There is no version 3\.0\.0/);
      const https = await box.run(DASH, [], { env: { LOCAL_CODER_BASE_URL: 'https://mirror.invalid' } });
      assert.match(https.stderr, /does not check the certificates of https servers\. Install curl/);
      assert.equal(box.state(), state);
    });

    test('a system of BusyBox alone', { skip: lacks('busybox') }, async () => {
      const names = execFileSync(found('busybox') ?? '', ['--list'], { encoding: 'utf8' })
        .trim()
        .split('\n');
      await fresh([], (given) => {
        for (const name of names) if (!existsSync(join(given.bin, name))) applet(name)(given);
      });
      assert.ok(mirror.asked.at(-1)?.endsWith('.tar.gz'), String(mirror.asked));
    });

    test('shasum or openssl in the place of sha256sum, none', {
      skip: lacks('openssl', 'shasum', 'perl'),
    }, async () => {
      for (const name of ['shasum', 'openssl']) {
        await fresh(Sandbox.programs({ without: ['sha256sum'], and: [name, 'perl'] }));
        box.remove();
      }
      await refused(Sandbox.programs({ without: ['sha256sum'] }), /Nothing here computes SHA-256/);
    });

    test('without xz the other archive; without timeout; without tar, curl and wget', async () => {
      await fresh(Sandbox.programs({ without: ['xz', 'timeout'] }));
      assert.ok(mirror.asked.at(-1)?.endsWith('linux-x64.tar.gz'));
      box.remove();
      await refused(Sandbox.programs({ without: ['curl'] }), /Neither curl nor wget is here/);
      await refused(Sandbox.programs({ without: ['tar'] }), /tar is needed/);
    });

    test('other machines, and a translated shell on Apple silicon', async () => {
      await fresh(Sandbox.programs({}), (given) => given.system('Linux', 'aarch64'));
      assert.ok(mirror.asked.at(-1)?.endsWith('1.1.0-linux-arm64.tar.xz'));
      box.remove();
      await fresh(Sandbox.programs({}), (given) => {
        given.system('Darwin', 'x86_64');
        given.fake('sysctl', '[ "$*" = "-n sysctl.proc_translated" ] && echo 1');
      });
      assert.ok(mirror.asked.at(-1)?.endsWith('1.1.0-darwin-arm64.tar.xz'));
    });

    test('PATH: said for the shell of the user, and who comes first there', async () => {
      box = new Sandbox(mirror.url);
      const after = async (env: Record<string, string>) => (await box.run(DASH, [], { env })).stdout;
      assert.match(await after({ SHELL: '/usr/bin/zsh' }), />>~\/\.zshrc/);
      assert.match(await after({ SHELL: '/usr/bin/fish' }), /fish_add_path "\$HOME\/\.local\/bin"/);
      assert.match(await after({ SHELL: '/bin/ash' }), />>~\/\.profile/);
      const folder = join(box.home, '.local/bin');
      assert.doesNotMatch(await after({ PATH: `${folder}:${box.bin}` }), /PATH/);
      box.fake('local-coder', 'exit 0');
      assert.match(
        await after({ PATH: `${box.bin}:${folder}` }),
        /Another local-coder comes first on your PATH/,
      );
    });

    test('uninstall leaves what it did not install, and says where the state is', async () => {
      box = new Sandbox(mirror.url);
      box.installed(Buffer.from('#!/bin/sh\necho I am somebody else\n'));
      const state = box.state();
      const refusedResult = await box.run(DASH, ['--uninstall']);
      assert.match(refusedResult.stderr, /does not look like what this script installs/);
      assert.equal(refusedResult.code, 1);
      assert.equal(box.state(), state);
      box.installed(OLD);
      mkdirSync(join(box.home, '.local/state/local-coder'), { recursive: true });
      const { stdout } = await box.run(DASH, ['--uninstall']);
      assert.match(stdout, /state .* stays\. To remove that too: rm -r '.*\/\.local\/state\/local-coder'/);
      assert.ok(existsSync(join(box.home, '.local/state/local-coder')));
    });
  });

  test('shellcheck finds nothing', { skip: lacks('shellcheck') }, () => {
    execFileSync('shellcheck', ['-s', 'sh', INSTALLER], { encoding: 'utf8' });
  });
});
