import type { Dirent } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../runtime/errors.ts';
import { withFolder } from './fence.ts';
import { type FileRef, fileError, notADirectory } from './file-errors.ts';
import { isTemporaryName } from './temporary-file.ts';

export type EntryType = 'file' | 'directory' | 'symlink' | 'other';

export interface DirectoryEntry {
  readonly name: string;
  readonly type: EntryType;
  /** Of a regular file. */
  readonly sizeBytes: number | undefined;
  /** Undefined when the entry vanished, or could not be looked at, after it was listed. */
  readonly modified: Date | undefined;
  /** What a symlink says, as it stands there. */
  readonly target: string | undefined;
}

export interface DirectoryListing {
  readonly entries: readonly DirectoryEntry[];
  /** Entries of the directory that are not ignored. */
  readonly total: number;
}

/** Enough to keep the thread pool busy; a directory of 100,000 entries must not queue as many calls. */
const BATCH = 64;

/**
 * The entries of a directory, sorted by name; only the part asked for is looked at more closely.
 * @param isIgnored gets the name, with `/` at the end for a directory
 * @throws {CodedError} FILE_NOT_FOUND, NOT_A_DIRECTORY, PERMISSION_DENIED
 */
export async function listDirectory(
  folder: FileRef,
  part: { readonly offset: number; readonly limit: number },
  isIgnored: (name: string) => boolean,
  signal?: AbortSignal,
): Promise<DirectoryListing> {
  const found = await readEntries(folder);
  const kept = found.filter((entry) => !isIgnored(entry.isDirectory() ? `${entry.name}/` : entry.name));
  const wanted = kept.slice(part.offset, part.offset + part.limit);
  const entries: DirectoryEntry[] = [];
  for (let start = 0; start < wanted.length; start += BATCH) {
    signal?.throwIfAborted();
    const batch = wanted.slice(start, start + BATCH);
    const described = withFolder(folder.path, (path) =>
      Promise.all(batch.map((entry) => describe(path, entry))),
    );
    entries.push(
      ...(await described.catch(async (error: unknown) => Promise.reject(await folderError(error, folder)))),
    );
  }
  return { entries, total: kept.length };
}

/** The entries of a directory sorted by name, without the temporary files of writes under way. */
export async function readEntries(folder: FileRef): Promise<Dirent[]> {
  try {
    const entries = await withFolder(folder.path, (path) => readdir(path, { withFileTypes: true }));
    return entries
      .filter((entry) => !isTemporaryName(entry.name))
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  } catch (error) {
    throw await folderError(error, folder);
  }
}

export function entryType(entry: Pick<Dirent, 'isFile' | 'isDirectory' | 'isSymbolicLink'>): EntryType {
  if (entry.isSymbolicLink()) return 'symlink';
  if (entry.isDirectory()) return 'directory';
  return entry.isFile() ? 'file' : 'other';
}

async function describe(folder: string, entry: Dirent): Promise<DirectoryEntry> {
  const path = join(folder, entry.name);
  try {
    const [stats, target] = await Promise.all([
      lstat(path),
      entry.isSymbolicLink() ? readlink(path) : undefined,
    ]);
    const type = entryType(stats);
    return {
      name: entry.name,
      type,
      sizeBytes: type === 'file' ? stats.size : undefined,
      modified: stats.mtime,
      target,
    };
  } catch {
    // It vanished in the meantime, or may not be looked at; that it was listed is still true.
    return {
      name: entry.name,
      type: entryType(entry),
      sizeBytes: undefined,
      modified: undefined,
      target: undefined,
    };
  }
}

async function folderError(error: unknown, folder: FileRef): Promise<unknown> {
  if (systemCode(error) === 'ENOTDIR') {
    const isThere = await lstat(folder.path).then(
      () => true,
      () => false,
    );
    if (isThere) return notADirectory(folder);
  }
  return fileError(error, folder, 'listed');
}
