/** SHA256SUMS of a release and its signature: what installers and `upgrade` believe. */
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

export const SUMS = 'SHA256SUMS';
export const SIGNATURE = 'SHA256SUMS.sig';

/**
 * Writes SHA256SUMS for every file in the folder, sorted by name, as `sha256sum` prints and checks it.
 * @param {string} dir
 * @returns {Promise<string>} its text
 */
export async function writeSums(dir) {
  // Those of an earlier run; a signature over other sums must not stay.
  await Promise.all([SUMS, SIGNATURE].map((name) => rm(join(dir, name), { force: true })));
  const entries = await readdir(dir, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  const lines = [];
  for (const name of names.sort()) lines.push(`${await sha256Of(join(dir, name))}  ${name}\n`);
  const text = lines.join('');
  await writeFile(join(dir, SUMS), text);
  return text;
}

/**
 * Signs SHA256SUMS: base64 of the raw 64-byte ed25519 signature over its bytes, one line.
 * @param {string} dir
 * @param {string} privateKey PEM (PKCS#8), or the path of a file with it
 * @param {string | null} publicKey base64 of the 32 raw bytes that the program believes (package.json)
 * @throws {Error} when the key is none, or is not the one whose public half users have
 */
export async function signSums(dir, privateKey, publicKey) {
  const key = await readPrivateKey(privateKey);
  const own = rawPublicKey(key);
  if (publicKey === null) {
    throw new Error(
      `package.json has no release.publicKey, so nobody could verify this signature. Its value would be "${own}".`,
    );
  }
  if (publicKey !== own) {
    throw new Error(
      `LOCAL_CODER_RELEASE_KEY belongs to the public key "${own}", package.json has "${publicKey}".`,
    );
  }
  const signature = sign(null, await readFile(join(dir, SUMS)), key);
  await writeFile(join(dir, SIGNATURE), `${signature.toString('base64')}\n`);
}

/**
 * @param {Buffer} sums       the bytes of SHA256SUMS
 * @param {string} signature  the text of SHA256SUMS.sig
 * @param {string} publicKey  base64 of the 32 raw bytes
 */
export function isSigned(sums, signature, publicKey) {
  const x = Buffer.from(publicKey, 'base64').toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, sums, key, Buffer.from(signature.trim(), 'base64'));
}

/** Base64 of the 32 raw bytes of a key's public half. */
export function rawPublicKey(privateKey) {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  return Buffer.from(x, 'base64url').toString('base64');
}

async function readPrivateKey(textOrPath) {
  const pem = textOrPath.includes('-----BEGIN') ? textOrPath : await readFile(textOrPath, 'utf8');
  let key;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new Error('LOCAL_CODER_RELEASE_KEY is no private key in PEM (PKCS#8), and names no file with one.');
  }
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new Error(`LOCAL_CODER_RELEASE_KEY is a key for ${key.asymmetricKeyType}; ed25519 is needed.`);
}

async function sha256Of(file) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
