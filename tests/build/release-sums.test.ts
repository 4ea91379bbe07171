import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ROOT } from '../support/built.ts';
import { buildModule } from './build-modules.ts';

const SUMS = 'SHA256SUMS';
const isLinux = process.platform === 'linux';
/** What comes before the 32 bytes of an ed25519 public key in DER (RFC 8410), as openssl wants it. */
const DER_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

describe('sums and signature of a release', () => {
  let folder: string;
  let dir: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'local-coder-sums-'));
    dir = join(folder, 'release');
    await mkdir(join(dir, 'executables'), { recursive: true });
    await writeFile(join(dir, 'executables/not-published'), 'x');
    for (const name of ['local-coder-1.0.0-linux-x64.tar.gz', 'install.sh', 'local-coder-1.0.0.tgz'])
      await writeFile(join(dir, name), name);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function newKey(name: string): Promise<{ keyFile: string; publicKey: string }> {
    const { makeKey } = await buildModule('release-key');
    const manifestFile = join(folder, `${name}.json`);
    await writeFile(manifestFile, '{\n  "name": "x",\n  "release": {\n    "publicKey": null\n  }\n}\n');
    const keyFile = join(folder, `${name}.pem`);
    return { keyFile, publicKey: await makeKey({ keyFile, manifestFile }) };
  }

  test('every file at the top is in SHA256SUMS, sorted, and sha256sum finds them right', async (t) => {
    const { writeSums } = await buildModule('sums');
    await writeFile(join(dir, 'SHA256SUMS.sig'), 'of an earlier release');
    const text = await writeSums(dir);
    assert.deepEqual(
      text.split('\n').map((line) => line.slice(64)),
      ['  install.sh', '  local-coder-1.0.0-linux-x64.tar.gz', '  local-coder-1.0.0.tgz', ''],
    );
    await assert.rejects(stat(join(dir, 'SHA256SUMS.sig')), { code: 'ENOENT' });
    const { status, stdout, error } = spawnSync('sha256sum', ['-c', '--strict', SUMS], { cwd: dir });
    if (error) return t.skip('no sha256sum on this machine');
    assert.equal(status, 0, stdout.toString());
  });

  test('a key is made once, for its owner alone, and its public half is what package.json gets', async () => {
    const { makeKey } = await buildModule('release-key');
    const { keyFile, publicKey } = await newKey('once');
    assert.equal(Buffer.from(publicKey, 'base64').length, 32);
    if (process.platform !== 'win32') assert.equal((await stat(keyFile)).mode & 0o777, 0o600);
    const manifestFile = join(folder, 'once.json');
    const text = await readFile(manifestFile, 'utf8');
    assert.equal(text, `{\n  "name": "x",\n  "release": {\n    "publicKey": "${publicKey}"\n  }\n}\n`);
    await assert.rejects(
      makeKey({ keyFile: join(folder, 'other.pem'), manifestFile }),
      /has a release\.publicKey already/,
    );
    await writeFile(manifestFile, text.replace(`"${publicKey}"`, 'null'));
    await assert.rejects(makeKey({ keyFile, manifestFile }), /a key is never overwritten/);
  });

  test('the signature verifies here and with openssl, from a file or the text of a key', async (t) => {
    const { signSums, writeSums, isSigned } = await buildModule('sums');
    const { keyFile, publicKey } = await newKey('good');
    await writeSums(dir);
    await signSums(dir, keyFile, publicKey);
    const signature = await readFile(join(dir, 'SHA256SUMS.sig'), 'utf8');
    assert.match(signature, /^[A-Za-z0-9+/]{86}==\n$/);
    await signSums(dir, await readFile(keyFile, 'utf8'), publicKey);
    assert.equal(await readFile(join(dir, 'SHA256SUMS.sig'), 'utf8'), signature);
    const sums = await readFile(join(dir, SUMS));
    assert.equal(isSigned(sums, signature, publicKey), true);
    assert.equal(isSigned(Buffer.concat([sums, Buffer.from('\n')]), signature, publicKey), false);
    assert.equal(isSigned(sums, signature, (await newKey('stranger')).publicKey), false);

    const openssl = (key: string) => {
      return verifyWithOpenssl(folder, join(dir, SUMS), signature, key);
    };
    const verdict = await openssl(publicKey);
    if (verdict === undefined) return t.skip('no openssl on this machine');
    assert.equal(verdict, true);
    assert.equal(await openssl((await newKey('another')).publicKey), false);
  });

  test('the commands of docs/releases.md check a download', {
    skip: !isLinux && 'only on Linux',
  }, async (t) => {
    const { signSums, writeSums } = await buildModule('sums');
    const { keyFile, publicKey } = await newKey('readme');
    await writeSums(dir);
    await signSums(dir, keyFile, publicKey);
    const document = await readFile(join(ROOT, 'docs/releases.md'), 'utf8');
    const commands = /^ {4}\{ printf .*\n(?: {4}.*\n)+/m.exec(document)?.[0];
    assert.ok(commands?.includes('pkeyutl'), 'it has no such commands');
    if (spawnSync('openssl', ['version']).error) return t.skip('no openssl on this machine');
    const script = `set -e\n${commands}`;
    const check = (key: string) =>
      spawnSync('sh', ['-c', script], {
        cwd: dir,
        env: { PATH: process.env['PATH'], key },
        encoding: 'utf8',
      });
    const { status, stdout, stderr } = check(publicKey);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /Signature Verified Successfully/);
    assert.match(stdout, /^install\.sh: OK$/m);
    assert.notEqual(check((await newKey('someone')).publicKey).status, 0);
    await writeFile(join(dir, 'install.sh'), 'changed on the way');
    assert.notEqual(check(publicKey).status, 0);
  });

  test('a key that users do not have, of another kind, or none at all is refused', async () => {
    const { signSums, rawPublicKey } = await buildModule('sums');
    const { keyFile, publicKey } = await newKey('mine');
    const other = generateKeyPairSync('ed25519').privateKey;
    const pem = other.export({ type: 'pkcs8', format: 'pem' }).toString();
    await assert.rejects(signSums(dir, pem, publicKey), /belongs to the public key .*, package\.json has/);
    await assert.rejects(signSums(dir, pem, null), new RegExp(escaped(rawPublicKey(other))));
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const rsaPem = rsa.export({ type: 'pkcs8', format: 'pem' }).toString();
    await assert.rejects(signSums(dir, rsaPem, publicKey), /a key for rsa; ed25519 is needed/);
    await assert.rejects(signSums(dir, '-----BEGIN nothing', publicKey), /no private key in PEM/);
    await assert.rejects(signSums(dir, `${keyFile}.missing`, publicKey), { code: 'ENOENT' });
  });
});

/** @returns undefined where there is no openssl */
async function verifyWithOpenssl(
  folder: string,
  file: string,
  signature: string,
  publicKey: string,
): Promise<boolean | undefined> {
  const [der, raw] = [join(folder, 'public.der'), join(folder, 'signature.bin')];
  await writeFile(der, Buffer.concat([DER_PREFIX, Buffer.from(publicKey, 'base64')]));
  await writeFile(raw, Buffer.from(signature, 'base64'));
  const key = ['-pubin', '-inkey', der, '-keyform', 'DER'];
  const args = ['pkeyutl', '-verify', '-rawin', ...key, '-sigfile', raw, '-in', file];
  const { status, error } = spawnSync('openssl', args);
  return error ? undefined : status === 0;
}

function escaped(text: string): string {
  return text.replace(/[+/=]/g, '\\$&');
}
