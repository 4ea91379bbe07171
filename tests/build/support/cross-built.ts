/** Executables for other platforms, built for the tests that look into them. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { VERSION } from '../../../src/runtime/version.ts';
import { ROOT } from '../../support/built.ts';

const run = promisify(execFile);
/** With bases that must be fetched first. */
export const BUILD_LIMIT_MS = 300_000;

/**
 * Builds a target, which is quick when nothing has changed since the last time.
 * @returns the absolute path of the executable, and what the build said
 */
export async function crossBuilt(
  target: string,
): Promise<{ readonly file: string; readonly output: string }> {
  const folder = join(ROOT, 'dist/cross');
  const args = ['build.mjs', '--target', target, '--out', folder];
  const { stdout } = await run(process.execPath, args, { cwd: ROOT, timeout: BUILD_LIMIT_MS });
  const suffix = target.startsWith('win-') ? '.exe' : '';
  return { file: join(folder, `local-coder-${VERSION}-${target}${suffix}`), output: stdout };
}

/** Where Node looks whether a blob was injected, in the state "yes". */
export const FUSE_SET = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:1';
export const FUSE_UNSET = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:0';
/** The first four bytes of a blob (Node's src/node_sea.cc), little-endian. */
export const BLOB_MAGIC = 0x143da20;

/** How often bytes occur. */
export function occurrences(file: Buffer, text: string): number {
  let count = 0;
  for (let at = file.indexOf(text); at >= 0; at = file.indexOf(text, at + 1)) count += 1;
  return count;
}
