import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { baseFile, hostTarget, NODE_PACKAGES } from './targets.mjs';

const run = promisify(execFile);
const LIMIT_MS = 60_000;

/**
 * Has Node pack the launcher and the assets into a blob. It is a Node of exactly the base's version: one of another
 * version makes a blob that the base misreads, and the executable crashes.
 *
 * @param {{ root: string, node: string, assets: Record<string, string>, folder: string }} options
 * @returns {Promise<string>} the blob's file, in `folder`
 */
export async function makeBlob({ root, node, assets, folder }) {
  const template = JSON.parse(await readFile(join(root, 'sea-config.json'), 'utf8'));
  const [config, output] = [join(folder, 'sea-config.json'), join(folder, 'sea.blob')];
  await writeFile(config, JSON.stringify({ ...template, output, assets }));
  // In the root: the path of the launcher becomes part of the blob and must say nothing of this machine.
  await run(node, ['--experimental-sea-config', config], { cwd: root, timeout: LIMIT_MS });
  return output;
}

/**
 * A Node of this version that runs here.
 *
 * @param {string} version
 * @param {import('./packages.mjs').Packages} packages
 * @throws when the table of build/targets.mjs has none
 */
export async function nodeOfVersion(version, packages) {
  if (process.versions.node === version) return process.execPath;
  const host = hostTarget();
  const name = host?.base.package;
  const integrity = NODE_PACKAGES[`${name}@${version}`];
  if (host === undefined || integrity === undefined) {
    throw new Error(
      `This target needs Node ${version} to make its blob, which is pinned for linux-x64 only: build it there.`,
    );
  }
  const node = await packages.pinned({ name, version, integrity }, baseFile(host));
  await run(node, ['--version'], { timeout: LIMIT_MS }).catch((error) => {
    const hint = /libatomic/.test(error.stderr) ? ' Install libatomic (Debian: libatomic1).' : '';
    throw new Error(`Node ${version} does not run here: ${error.stderr?.trim() || error.message}.${hint}`);
  });
  return node;
}
