import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SEA_FUSE } from './sea-fuse.mjs';

const run = promisify(execFile);
const LIMIT_MS = 120_000;

/**
 * Puts the blob into an ELF or Mach-O executable, in place.
 *
 * @param {{ file: string, blob: string, isMac: boolean, packages: import('./packages.mjs').Packages }} options
 */
export async function inject({ file, blob, isMac, packages }) {
  const segment = isMac ? ['--macho-segment-name', 'NODE_SEA'] : [];
  const args = [file, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', SEA_FUSE, ...segment];
  // As a program of its own, because it prints a dozen harmless warnings that are of interest on failure only.
  await run(process.execPath, [packages.installed('postject/dist/cli.js'), ...args], { timeout: LIMIT_MS });
}
