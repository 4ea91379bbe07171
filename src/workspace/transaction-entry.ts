import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { NO_FOLLOW, openInside } from './fence.ts';
import type { EntryId } from './journal.ts';
import { isMissing, readChunks } from './open-file.ts';

const CHUNK_BYTES = 1024 * 1024;

/** Neither a regular file nor a symbolic link: a folder, a pipe, a device. */
export const OTHER = 'other';

/** What stands at a path now, the link itself where it is one; null when nothing does. */
export async function identifyEntry(path: string): Promise<EntryId | typeof OTHER | null> {
  try {
    const stats = await lstat(path);
    if (stats.isSymbolicLink()) return { type: 'link', target: await readlink(path) };
    if (!stats.isFile()) return OTHER;
    return await identifyFile(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** SHA-256 and size of a regular file of any size. */
export async function identifyFile(path: string): Promise<Extract<EntryId, { type: 'file' }>> {
  const digest = createHash('sha256');
  let sizeBytes = 0;
  const handle = await openInside(path, constants.O_RDONLY | NO_FOLLOW | (constants.O_NONBLOCK ?? 0));
  try {
    for await (const chunk of readChunks(handle, CHUNK_BYTES)) {
      digest.update(chunk);
      sizeBytes += chunk.length;
    }
  } finally {
    await handle.close();
  }
  return { type: 'file', sha256: digest.digest('hex'), sizeBytes };
}

export function isSameEntry(a: EntryId | typeof OTHER | null, b: EntryId | null): boolean {
  if (a === null || b === null || a === OTHER) return a === b;
  if (a.type === 'link') return b.type === 'link' && a.target === b.target;
  return b.type === 'file' && a.sha256 === b.sha256 && a.sizeBytes === b.sizeBytes;
}
