/**
 * `node build/sign.mjs DIR` signs the SHA256SUMS of a release that was built before. It needs Node alone, so that the
 * key can be kept from everything that npm installs.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { signSums } from './sums.mjs';

/**
 * @param {string} dir
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<boolean>} false without a key: then there is no signature
 */
export async function signRelease(dir, env) {
  const key = env['LOCAL_CODER_RELEASE_KEY'];
  if (key === undefined || key === '') return false;
  const manifest = await readFile(join(import.meta.dirname, '../package.json'), 'utf8');
  await signSums(dir, key, JSON.parse(manifest).release.publicKey);
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const dir = process.argv[2];
    if (dir === undefined) throw new Error('node build/sign.mjs DIR');
    if (!(await signRelease(dir, process.env))) throw new Error('LOCAL_CODER_RELEASE_KEY is not set.');
  } catch (error) {
    process.stderr.write(`sign: ${error.message}\n`);
    process.exitCode = 1;
  }
}
