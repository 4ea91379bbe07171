import type { Stats } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { systemCode } from '../runtime/errors.ts';
import { identifyFile, isMissing } from '../workspace/index.ts';
import type { EntryState } from './types.ts';

const PERMISSION_BITS = 0o7777;

/**
 * What stands at a path now; undefined for pipes, sockets and devices.
 * @param known content that the file is known to have unless its size says otherwise; spares reading it
 */
export async function inspect(
  path: string,
  known?: { readonly sha256: string; readonly sizeBytes: number },
): Promise<EntryState | undefined> {
  const stats = await entryStats(path);
  if (!stats) return { type: 'none' };
  const mode = permissions(stats);
  if (stats.isDirectory()) return { type: 'folder', mode };
  if (stats.isSymbolicLink()) return { type: 'link', target: await readlink(path) };
  if (!stats.isFile()) return undefined;
  const { sha256, sizeBytes } = known?.sizeBytes === stats.size ? known : await identifyFile(path);
  return { type: 'file', sha256, sizeBytes, mode };
}

/** lstat; undefined when nothing is there, as behind a loop of symbolic links. */
export async function entryStats(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isMissing(error) || systemCode(error) === 'ELOOP') return undefined;
    throw error;
  }
}

export function permissions(stats: Stats): number {
  return stats.mode & PERMISSION_BITS;
}

/** Another one when a file was replaced or written to. A further link to it changes nothing of this. */
export function stampOf({ dev, ino, size, mtimeMs }: Stats): string {
  return `${dev} ${ino} ${size} ${mtimeMs}`;
}
