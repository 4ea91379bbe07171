/** `npm run release -- --make-key FILE`: the key pair of the release's owner, made once. */
import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { rawPublicKey } from './sums.mjs';

/**
 * Writes the private half to a file of its own and the public half into package.json.
 *
 * @param {{ keyFile: string, manifestFile: string }} options
 * @returns {Promise<string>} the public half, base64 of its 32 raw bytes
 * @throws {Error} when the file or a public half is there already: programs that are out there believe that one
 */
export async function makeKey({ keyFile, manifestFile }) {
  const text = await readFile(manifestFile, 'utf8');
  const { publicKey: existing } = JSON.parse(text).release;
  if (existing !== null) {
    throw new Error(
      'package.json has a release.publicKey already, and the programs that were released believe that one alone. ' +
        'To change it on purpose, set it to null first: `upgrade` of older versions will refuse what the new key signs.',
    );
  }
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  try {
    await writeFile(keyFile, pem, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (error.code === 'EEXIST') throw new Error(`${keyFile} exists; a key is never overwritten.`);
    throw error;
  }
  const publicKey = rawPublicKey(privateKey);
  // In the text, so that nothing else of it changes.
  const changed = text.replace(/("release"\s*:\s*\{[^}]*"publicKey"\s*:\s*)null/, `$1"${publicKey}"`);
  if (JSON.parse(changed).release.publicKey !== publicKey) {
    throw new Error(`package.json could not be changed: set release.publicKey to "${publicKey}" by hand.`);
  }
  await writeFile(manifestFile, changed);
  return publicKey;
}
