/** `local-coder upgrade` against a mirror on this machine; a script stands for the executable. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { openInstances } from '../../src/cli/instances.ts';
import { type UpgradeFacts, type UpgradeOptions, upgrade } from '../../src/cli/upgrade.ts';
import type { SettingName } from '../../src/config/definitions.ts';
import { UsageError } from '../../src/config/usage-error.ts';
import { processStartTime } from '../../src/runtime/process-identity.ts';
import { standIn, tarballs, zipOf } from '../install/support/archives.ts';
import { type Mirror, signatureOf, startMirror, sumsOf } from '../install/support/mirror.ts';
import { snapshot } from '../install/support/snapshot.ts';

const skip = process.platform === 'win32' ? 'only on Linux and macOS' : false;
const OLD = standIn('1.0.0');
const NEW = standIn('1.1.0');
const ARCHIVE = 'local-coder-1.1.0-linux-x64.tar.gz';

function ownerKey(): { key: KeyObject; publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return { key: privateKey, publicKey: raw.toString('base64') };
}

describe('local-coder upgrade', { skip }, () => {
  const owner = ownerKey();
  let base: string;
  let mirror: Mirror;
  let folder: string;
  let executable: string;
  let said: string;
  before(async () => {
    base = mkdtempSync(join(tmpdir(), 'lc-upgrade-'));
    mirror = await startMirror();
  });
  after(async () => {
    await mirror.stop();
    rmSync(base, { recursive: true, force: true });
  });
  beforeEach(() => {
    folder = mkdtempSync(join(base, 'bin-'));
    executable = join(folder, 'local-coder');
    writeFileSync(executable, OLD);
    chmodSync(executable, 0o755);
    said = '';
    mirror.files.clear();
    mirror.asked.length = 0;
    publish('1.1.0', NEW);
  });

  function publish(
    version: string,
    program: Buffer,
    change: { key?: KeyObject; folders?: string[] } = {},
  ): void {
    const { gz, xz } = tarballs(program);
    const files = {
      [`local-coder-${version}-linux-x64.tar.gz`]: gz,
      [`local-coder-${version}-linux-x64.tar.xz`]: xz,
      [`local-coder-${version}-win-x64.zip`]: zipOf('local-coder.exe', program),
      'install.sh': Buffer.from('#'),
    };
    const sums = sumsOf(files);
    for (const place of change.folders ?? ['latest/download', `download/v${version}`]) {
      mirror.files.set(`${place}/SHA256SUMS`, sums);
      mirror.files.set(`${place}/SHA256SUMS.sig`, signatureOf(sums, change.key ?? owner.key));
      for (const [name, bytes] of Object.entries(files)) mirror.files.set(`${place}/${name}`, bytes);
    }
  }

  function run(options: Partial<UpgradeOptions> = {}, facts: Partial<UpgradeFacts> = {}) {
    return upgrade(
      new Map<SettingName, unknown>([['state-dir', join(base, 'no-state')]]),
      { check: false, to: undefined, ...options },
      {
        origin: { executable },
        version: '1.0.0',
        target: 'linux-x64',
        publicKey: owner.publicKey,
        env: { ...process.env, LOCAL_CODER_BASE_URL: mirror.url },
        signal: new AbortController().signal,
        pauseMs: 0,
        write: (text) => {
          said += text;
        },
        ...facts,
      },
    );
  }

  /** The upgrade is refused with these words, and nothing in the folder is another than before. */
  async function refused(pattern: RegExp, options?: Partial<UpgradeOptions>, facts?: Partial<UpgradeFacts>) {
    const state = snapshot(folder);
    await assert.rejects(run(options, facts), (error: unknown) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.match(error.message, pattern);
      return true;
    });
    assert.equal(snapshot(folder), state);
  }

  test('takes the newest version, and no other file stays', async () => {
    chmodSync(executable, 0o711);
    assert.equal(await run(), 0);
    assert.deepEqual(readFileSync(executable), NEW);
    assert.equal(statSync(executable).mode & 0o7777, 0o711);
    assert.deepEqual(readdirSync(folder), ['local-coder']);
    assert.equal(
      said,
      `Downloading local-coder 1.1.0 for linux-x64\nlocal-coder 1.1.0 is in the place of 1.0.0: ${executable}\n`,
    );
    assert.deepEqual(mirror.asked, [
      'latest/download/SHA256SUMS',
      'latest/download/SHA256SUMS.sig',
      `latest/download/${ARCHIVE}`,
    ]);
  });

  test('a zip archive where the system is Windows', async () => {
    await run({}, { target: 'win-x64' });
    assert.deepEqual(readFileSync(executable), NEW);
  });

  test('the newest is here already, or an older one is published: nothing is downloaded', async () => {
    const state = snapshot(folder);
    assert.equal(await run({}, { version: '1.1.0' }), 0);
    assert.equal(await run({}, { version: '1.2.0-rc.1' }), 0);
    assert.equal(await run({ to: 'v1.1.0' }, { version: '1.1.0' }), 0);
    assert.match(
      said,
      /^This is local-coder 1\.1\.0, the newest version\.\nThis is local-coder 1\.2\.0-rc\.1; the newest release is 1\.1\.0\. To go back to it: local-coder upgrade --to 1\.1\.0\nThis is local-coder 1\.1\.0\.\n$/,
    );
    assert.ok(!mirror.asked.some((path) => path.endsWith('.gz')));
    assert.equal(snapshot(folder), state);
  });

  test('--check only says it, also where the upgrade is somebody else’s', async () => {
    const state = snapshot(folder);
    assert.equal(await run({ check: true }), 0);
    assert.equal(await run({ check: true }, { origin: { instead: 'Run git pull.' } }), 0);
    assert.match(
      said,
      /1\.1\.0 is available; this is 1\.0\.0\. To take it: local-coder upgrade\n.* Run git pull\.\n$/,
    );
    assert.equal(snapshot(folder), state);
  });

  test('--to goes back; a version that is not there; no version', async () => {
    publish('0.9.0', standIn('0.9.0'), { folders: ['download/v0.9.0'] });
    assert.equal(await run({ to: '0.9.0' }), 0);
    assert.deepEqual(readFileSync(executable), standIn('0.9.0'));
    await refused(/There is no version 3\.0\.0 at http/, { to: '3.0.0' });
    await refused(/--to \.\.\/x is no version/, { to: '../x' });
  });

  test('a signed release of another version under the name of the one that was asked for', async () => {
    publish('0.9.0', standIn('0.9.0'), { folders: ['download/v1.0.5'] });
    await refused(/holds is version 0\.9\.0, not 1\.0\.5/, { to: '1.0.5' });
  });

  test('without the right signature nothing is downloaded', async () => {
    const sums = mirror.files.get('latest/download/SHA256SUMS') as Buffer;
    const right = mirror.files.get('latest/download/SHA256SUMS.sig') as Buffer;
    publish('1.1.0', NEW, { key: ownerKey().key });
    await refused(/does not carry the signature/);
    const changed = Buffer.from(sums.toString().replace(/^./, (digit) => (digit === '0' ? '1' : '0')));
    mirror.files.set('latest/download/SHA256SUMS', changed);
    mirror.files.set('latest/download/SHA256SUMS.sig', right);
    await refused(/does not carry the signature/);
    mirror.files.set('latest/download/SHA256SUMS', sums);
    for (const text of [
      '',
      '\n',
      'AAAA',
      `${right.toString().trim()}AAAA`,
      right.toString('hex'),
      'x'.repeat(88),
    ]) {
      mirror.files.set('latest/download/SHA256SUMS.sig', Buffer.from(text));
      await refused(/does not carry the signature/);
    }
    mirror.files.delete('latest/download/SHA256SUMS.sig');
    await refused(/is not signed, so it is not installed/);
    assert.ok(!mirror.asked.some((path) => path.endsWith('.gz')));
    mirror.files.set('latest/download/SHA256SUMS.sig', right);
    assert.equal(await run(), 0);
  });

  test('a list that is signed and broken', async () => {
    const line = (name: string) => `${'0'.repeat(64)}  ${name}\n`;
    for (const text of [
      '',
      'hello\n',
      line(ARCHIVE) + line(ARCHIVE),
      line(ARCHIVE) + line('local-coder-1.2.0-linux-x64.tar.gz'),
      line('../x'),
      line('local-coder-1.0-linux-x64.tar.gz'),
    ]) {
      const sums = Buffer.from(text);
      mirror.files.set('latest/download/SHA256SUMS', sums);
      mirror.files.set('latest/download/SHA256SUMS.sig', signatureOf(sums, owner.key));
      await refused(/is not the list of files of one release/);
    }
  });

  test('an archive that was changed, is missing, breaks off, or holds something else', async () => {
    const path = `latest/download/${ARCHIVE}`;
    const whole = mirror.files.get(path) as Buffer;
    mirror.files.set(path, Buffer.concat([whole, Buffer.from('x')]));
    await refused(/is not what the release lists: its SHA-256 is/);
    mirror.files.delete(path);
    await refused(/is in the list of the release, but not there/);
    mirror.files.set(path, { cut: whole });
    mirror.asked.length = 0;
    await refused(/could not be downloaded \(tried 3 times\): the connection was closed within the answer/);
    assert.equal(mirror.asked.filter((asked) => asked === path).length, 3);
    mirror.files.set(path, { status: 403 });
    await refused(/answered with status 403/);
    for (const bytes of [Buffer.from('no archive'), tarballs(NEW, 'other').gz]) {
      const sums = sumsOf({ [ARCHIVE]: bytes });
      mirror.files.set('latest/download/SHA256SUMS', sums);
      mirror.files.set('latest/download/SHA256SUMS.sig', signatureOf(sums, owner.key));
      mirror.files.set(path, bytes);
      await refused(/is broken or holds no executable/);
    }
    await refused(/has no build for linux-arm64/, {}, { target: 'linux-arm64' });
  });

  test('a redirect is followed', async () => {
    const path = `latest/download/${ARCHIVE}`;
    const whole = mirror.files.get(path) as Buffer;
    mirror.files.set('elsewhere', whole);
    mirror.files.set(path, { status: 302, location: '/releases/elsewhere' });
    assert.equal(await run(), 0);
    assert.deepEqual(readFileSync(executable), NEW);
  });

  test('a redirect away from this machine without https is not followed', async () => {
    for (const location of ['http://mirror.invalid/x', 'ftp://127.0.0.1/x', 'file:///etc/hosts']) {
      mirror.files.set(`latest/download/${ARCHIVE}`, { status: 302, location });
      await refused(/leads away from https/);
    }
  });

  test('a file that cannot be renamed over stays, and nothing beside it', {
    skip: process.getuid?.() === 0 ? false : 'only root can make a file of another user',
  }, async () => {
    const NOBODY = 65_534;
    chmodSync(base, 0o755);
    chmodSync(folder, 0o1777); // others may put files there, and replace only their own
    process.seteuid?.(NOBODY);
    try {
      await refused(/local-coder could not be replaced \(E(PERM|ACCES)\)\. The old one is still there/);
    } finally {
      process.seteuid?.(0);
    }
  });

  test('a new version that does not start, says another version, or is no program', async () => {
    const cases: readonly [string, RegExp][] = [
      [
        '#!/bin/sh\necho no such library >&2\nexit 127\n',
        /exit code 127: no such library\)\. Nothing was changed/,
      ],
      ['#!/bin/sh\necho 1.0.9\n', /says that it is version "1\.0\.9"/],
      ['\x7fELF broken', /does not start on this machine/],
      // What says its version, and no more: all of the program has to run.
      [
        '#!/bin/sh\n[ "$1" = --version ] && { echo 1.1.0; exit; }\necho bad bundle >&2\nexit 4\n',
        /exit code 4: bad bundle\)\. Nothing was changed/,
      ],
    ];
    for (const [program, pattern] of cases) {
      publish('1.1.0', Buffer.from(program));
      await refused(pattern);
    }
  });

  test('a new version that starts beside the old one and not in its place: the old one comes back', async () => {
    const fickle = '#!/bin/sh\ncase $0 in *local-coder-upgrade*) echo 1.1.0 ;; *) exit 3 ;; esac\n';
    publish('1.1.0', Buffer.from(fickle));
    await refused(/does not start on this machine \(exit code 3\)\. The old version is back/);
    assert.equal(execFileSync(executable, ['--version'], { encoding: 'utf8' }), '1.0.0\n');
  });

  test('the first start of the new version is marked, and such a start upgrades nothing', async () => {
    const program = '#!/bin/sh\n[ "$LOCAL_CODER_UPGRADE" = proving ] && echo 1.1.0\n';
    publish('1.1.0', Buffer.from(program));
    assert.equal(await run(), 0);
    const env = { LOCAL_CODER_BASE_URL: mirror.url, LOCAL_CODER_UPGRADE: 'proving' };
    await refused(/was started by an upgrade/, {}, { env });
  });

  test('interrupted in the middle of the download', async () => {
    const path = `latest/download/${ARCHIVE}`;
    mirror.files.set(path, { hang: mirror.files.get(path) as Buffer });
    const stop = new AbortController();
    const hanging = mirror.hanging().then(() => stop.abort(new UsageError('Interrupted.', 130)));
    await refused(/^Interrupted\.$/, {}, { signal: stop.signal });
    await hanging;
  });

  test('a folder that cannot be written, and a file system that is read-only', async () => {
    await refused(
      /cannot be written to \(ENOENT\)/,
      {},
      { origin: { executable: join(folder, 'gone/local-coder') } },
    );
    if (process.getuid?.() !== 0) {
      chmodSync(folder, 0o555);
      await refused(/cannot be written to \(EACCES\)\. Run the upgrade as the user who installed it/);
      chmodSync(folder, 0o755);
    } else if (process.platform === 'linux') {
      await refused(/\(E(ROFS|NOENT|ACCES|PERM)\)/, {}, { origin: { executable: '/proc/local-coder' } });
    }
  });

  test('what an upgrade left that was killed is removed; one that runs is respected', async () => {
    const dead = join(folder, '.local-coder-upgrade-4194305-0123456789ab');
    mkdirSync(dead);
    writeFileSync(join(dead, 'local-coder'), 'half');
    writeFileSync(`${executable}.01234567.old`, OLD);
    writeFileSync(`${executable}.old`, 'somebody else’s');
    assert.equal(await run(), 0);
    assert.deepEqual(readdirSync(folder).sort(), ['local-coder', 'local-coder.old']);
    const alive = join(folder, `.local-coder-upgrade-${process.ppid}-0123456789ab`);
    mkdirSync(alive);
    writeFileSync(`${executable}.01234567.old`, OLD); // its way back
    await refused(new RegExp(`Another upgrade of .* is under way \\(process ${process.ppid}\\)`));
  });

  test('no key, no release yet, an address that is none', async () => {
    await refused(/knows no key with which releases are signed/, {}, { publicKey: null });
    await refused(/No release of local-coder is published yet\. Set LOCAL_CODER_BASE_URL/, {}, { env: {} });
    for (const url of [
      'http://mirror.invalid/',
      'http://a:b@127.0.0.1/',
      'file:///x',
      'x',
      'https://h/?a',
      'http://127.0.0.1.x.invalid',
    ])
      await refused(/not the address of a mirror/, {}, { env: { LOCAL_CODER_BASE_URL: url } });
    await refused(/Run git pull/, {}, { origin: { instead: 'Run git pull.' } });
    assert.deepEqual(mirror.asked, []);
  });

  test('servers that still run the old version are named', async () => {
    const stateDir = join(base, 'state');
    mkdirSync(stateDir);
    const instances = await openInstances(stateDir);
    const common = { host: '127.0.0.1', roots: ['/srv/project'], access: 'full', startedAtMs: 0 };
    const startTime = (await processStartTime(process.pid)) ?? '';
    instances.add({ ...common, pid: process.pid, startTime, port: 3000, version: '1.0.0' });
    instances.add({ ...common, pid: 4194305, startTime: 'gone', port: 3001, version: '1.0.0' });
    instances.close();
    const flags = new Map<SettingName, unknown>([['state-dir', stateDir]]);
    await upgrade(
      flags,
      { check: false, to: undefined },
      {
        origin: { executable },
        version: '1.0.0',
        target: 'linux-x64',
        publicKey: owner.publicKey,
        env: { LOCAL_CODER_BASE_URL: mirror.url },
        signal: new AbortController().signal,
        pauseMs: 0,
        write: (text) => {
          said += text;
        },
      },
    );
    assert.match(
      said,
      /still run the old version.*--replace:\n {2}port 3000, process \d+, version 1\.0\.0: \/srv\/project\n$/,
    );
    assert.ok(existsSync(executable));
  });
});
