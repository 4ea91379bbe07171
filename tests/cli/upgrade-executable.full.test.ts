/** The real executable, built with the key of a test: install.sh installs it, it upgrades itself. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { standIn, tarballs } from '../install/support/archives.ts';
import { type Mirror, signatureOf, startMirror, sumsOf } from '../install/support/mirror.ts';
import { INSTALLER } from '../install/support/sandbox.ts';
import { ROOT } from '../support/built.ts';

const run = promisify(execFile);
const skip = process.platform === 'win32' ? 'only on Linux and macOS' : false;
const TARGET = `${process.platform}-${process.arch}`;
const VERSION = '0.8.1';

describe('an executable with the key of its owner', { skip }, () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  let base: string;
  let mirror: Mirror;
  let home: string;
  before(async () => {
    base = mkdtempSync(join(tmpdir(), 'lc-signed-'));
    mirror = await startMirror();
    home = join(base, 'home');
    mkdirSync(home);
    await build(join(base, 'sources'), join(base, 'out'));
  });
  after(async () => {
    await mirror.stop();
    rmSync(base, { recursive: true, force: true });
  });

  /** Builds a copy of the sources whose package.json names the test's version and key. */
  async function build(sources: string, out: string): Promise<void> {
    mkdirSync(sources);
    for (const name of readdirSync(ROOT)) {
      if (/^(node_modules|dist|\..*|tests|bench)$/.test(name)) continue;
      cpSync(join(ROOT, name), join(sources, name), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(sources, 'node_modules'));
    const file = join(sources, 'package.json');
    const manifest = JSON.parse(readFileSync(file, 'utf8'));
    const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
    const changed = { ...manifest, version: VERSION, release: { publicKey: raw.toString('base64') } };
    writeFileSync(file, JSON.stringify(changed));
    await run(process.execPath, ['build.mjs', '--target', TARGET, '--out', out], { cwd: sources });
  }

  function publish(version: string, archive: Buffer): void {
    const files = { [`local-coder-${version}-${TARGET}.tar.gz`]: archive };
    const sums = sumsOf(files);
    mirror.files.clear();
    mirror.files.set('latest/download/SHA256SUMS', sums);
    mirror.files.set('latest/download/SHA256SUMS.sig', signatureOf(sums, privateKey));
    for (const [name, bytes] of Object.entries(files)) mirror.files.set(`latest/download/${name}`, bytes);
  }

  test('install.sh installs it; it takes signed versions alone, and replaces itself', async () => {
    const executable = readFileSync(join(base, `out/local-coder-${VERSION}-${TARGET}`));
    publish(VERSION, gzipSync(tarOf(executable), { level: 1 }));
    const env = { PATH: process.env['PATH'], HOME: home, LOCAL_CODER_BASE_URL: mirror.url };
    // Without xz in sight the installer takes the archive that this test makes.
    const bin = join(base, 'bin');
    mkdirSync(bin);
    for (const name of readdirSync('/usr/bin'))
      if (name !== 'xz') symlinkSync(join('/usr/bin', name), join(bin, name));
    for (const name of readdirSync('/bin')) {
      if (name !== 'xz' && !readdirSync(bin).includes(name)) symlinkSync(join('/bin', name), join(bin, name));
    }
    const installed = await run('/bin/sh', [INSTALLER], { env: { ...env, PATH: bin } });
    assert.match(installed.stdout, /local-coder 0\.8\.1 is installed/);
    const folder = join(home, '.local/bin');
    const program = join(folder, 'local-coder');

    const same = await run(program, ['upgrade'], { env });
    assert.equal(same.stdout, 'This is local-coder 0.8.1, the newest version.\n');
    publish('9.9.9', tarballs(standIn('9.9.9')).gz);
    const signature = mirror.files.get('latest/download/SHA256SUMS.sig') as Buffer;
    mirror.files.set('latest/download/SHA256SUMS.sig', Buffer.from(Buffer.alloc(64, 1).toString('base64')));
    await assert.rejects(run(program, ['upgrade'], { env }), (error: { stderr?: string; code?: number }) => {
      assert.match(error.stderr ?? '', /does not carry the signature/);
      return error.code === 1;
    });
    mirror.files.set('latest/download/SHA256SUMS.sig', signature);

    const path = `latest/download/local-coder-9.9.9-${TARGET}.tar.gz`;
    const archive = mirror.files.get(path) as Buffer;
    mirror.files.set(path, { hang: archive });
    const interrupted = run(program, ['upgrade'], { env });
    await Promise.race([mirror.hanging(), interrupted]);
    interrupted.child.kill('SIGINT');
    await assert.rejects(interrupted, (error: { code?: number }) => error.code === 130);
    assert.deepEqual(readdirSync(folder), ['local-coder']);
    assert.equal((await run(program, ['--version'], { env })).stdout, `${VERSION}\n`);

    mirror.files.set(path, archive);
    const upgraded = await run(program, ['upgrade'], { env });
    assert.match(upgraded.stdout, /local-coder 9\.9\.9 is in the place of 0\.8\.1/);
    assert.equal((await run(program, ['--version'], { env })).stdout, '9.9.9\n');
    assert.deepEqual(readdirSync(folder), ['local-coder']);
  });
});

/** A tar archive (ustar) with one executable file: what tar makes of so many bytes goes through the disk twice. */
function tarOf(program: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write('local-coder', 0);
  header.write('0000755\0' + '0000000\0' + '0000000\0', 100);
  header.write(`${program.length.toString(8).padStart(11, '0')}\0${'0'.repeat(11)}\0`, 124);
  header.write('        0', 148);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const padding = Buffer.alloc((512 - (program.length % 512)) % 512);
  return Buffer.concat([header, program, padding, Buffer.alloc(1024)]);
}
