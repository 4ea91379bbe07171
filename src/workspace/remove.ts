import type { Dirent } from 'node:fs';
import { lstat, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../runtime/errors.ts';
import type { ChangeOptions } from './change-file.ts';
import { type FileChange, recorded } from './change-recorder.ts';
import { entriesBelow } from './entries-below.ts';
import { fenceOf, removeFolder, withEntry } from './fence.ts';
import { type FileRef, fileError, fileNotFound, isADirectory, notADirectory } from './file-errors.ts';
import { withFileLocks } from './locks.ts';
import { isMissing } from './open-file.ts';
import { realEntry } from './real-target.ts';

/**
 * Deletes a file, or a symlink itself.
 * @throws {CodedError} FILE_NOT_FOUND, IS_A_DIRECTORY, PERMISSION_DENIED, …
 */
export async function deleteFile(
  file: FileRef,
  options: ChangeOptions,
): Promise<{ checkpointId?: string | undefined }> {
  const entry = await realEntry(file);
  return withFileLocks([entry.path], options.signal, async () => {
    try {
      const stats = await lstat(entry.path);
      if (stats.isDirectory()) throw isADirectoryToDelete(file);
      const changes = () => [removal(entry.path)];
      return await recorded(options.recorder, changes, options.signal, () => withEntry(entry.path, unlink));
    } catch (error) {
      throw await fileError(error, file, 'deleted');
    }
  });
}

/**
 * Deletes a directory with everything in it. Symlinks inside are removed, not followed.
 * @throws {CodedError} FILE_NOT_FOUND, NOT_A_DIRECTORY, PERMISSION_DENIED (some entries may be gone then)
 */
export async function deleteDirectory(
  folder: FileRef,
  options: ChangeOptions,
): Promise<{ entries: number; checkpointId: string | undefined }> {
  const entry = await realEntry(folder);
  return withFileLocks([entry.path], options.signal, async () => {
    try {
      const stats = await lstat(entry.path).catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw error;
      });
      if (!stats) throw await fileNotFound(folder);
      if (!stats.isDirectory()) throw notADirectoryToDelete(folder, stats.isSymbolicLink());
      const inside = await entriesBelow(entry.path);
      if (options.recorder) await refuseUnrecordable(folder, inside);
      const changes = () => [
        ...inside.map((found) => removal(join(found.parentPath, found.name))),
        removal(entry.path),
      ];
      const { checkpointId } = await recorded(options.recorder, changes, options.signal, async () => {
        try {
          if (fenceOf(entry.path)) await removeFolder(entry.path);
          // Windows keeps a folder busy for a moment after its last file is gone.
          else await rm(entry.path, { recursive: true, maxRetries: 3 });
        } catch (error) {
          throw await halfDeleted(await fileError(error, folder, 'deleted'), folder, entry.path, inside);
        }
      });
      return { entries: inside.length, checkpointId };
    } catch (error) {
      throw await fileError(error, folder, 'deleted');
    }
  });
}

/**
 * A name that is not UTF-8 comes out of readdir with U+FFFD in it and leads to nothing: the file could neither be
 * recorded nor brought back.
 */
async function refuseUnrecordable(folder: FileRef, inside: readonly Dirent[]): Promise<void> {
  for (const { name, parentPath } of inside) {
    if (!name.includes('\uFFFD')) continue;
    const found = await lstat(join(parentPath, name)).catch(() => undefined);
    if (found) continue;
    throw new CodedError(
      'UNSUPPORTED_FILE',
      `"${folder.shown}" holds a name that is not UTF-8 ("${name}"), which could not be brought back. Nothing was deleted.`,
      'Rename or delete that file first with run_command.',
    );
  }
}

/** The same failure, with how far it went. */
async function halfDeleted(
  error: unknown,
  { shown }: FileRef,
  path: string,
  inside: readonly Dirent[],
): Promise<unknown> {
  const left = await entriesBelow(path).catch(() => undefined);
  const gone = left === undefined ? 0 : inside.length - left.length;
  if (!(error instanceof CodedError) || gone <= 0) return error;
  return new CodedError(
    error.code,
    `${error.message} Before that, ${gone} of the ${inside.length} entries in "${shown}" were deleted.`,
    `${error.hint} rewind with action "list" shows the checkpoint that brings the deleted ones back.`,
    { ...error.details, deleted: gone, left: inside.length - gone },
  );
}

function removal(path: string): FileChange {
  return { path, before: undefined, after: undefined, kind: 'delete' };
}

function isADirectoryToDelete(file: FileRef): CodedError {
  return new CodedError(
    'IS_A_DIRECTORY',
    isADirectory(file).message,
    'Use delete_directory for a directory.',
  );
}

function notADirectoryToDelete(folder: FileRef, isLink: boolean): CodedError {
  return new CodedError(
    'NOT_A_DIRECTORY',
    isLink ? `"${folder.shown}" is a symbolic link, not a directory.` : notADirectory(folder).message,
    'Use delete_file for a file or a link.',
  );
}
