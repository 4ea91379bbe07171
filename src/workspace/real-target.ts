import { lstat, readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CodedError } from '../runtime/errors.ts';
import { realPathOfExistingPart } from '../runtime/paths.ts';
import { assertFenced } from './fence.ts';
import { type FileRef, fileError } from './file-errors.ts';
import { isMissing } from './open-file.ts';

/**
 * Where a write to a path goes: symlinks are followed, so that the link stays and its target is written. The same file
 * has the same real path under all its names, which makes it the key of its lock.
 * @throws {CodedError} UNSUPPORTED_FILE for a link to something that does not exist: what lies behind it was never
 *   checked, and creating it is hardly what was meant
 */
export async function realTarget(file: FileRef): Promise<FileRef> {
  try {
    return { path: assertFenced(file.path, await realpath(file.path)), shown: file.shown };
  } catch (error) {
    if (!isMissing(error)) throw await fileError(error, file, 'written');
  }
  await refuseDanglingLink(file);
  return realEntry(file);
}

/** The path of a directory entry itself: its folder resolved, the entry not followed. For deleting and moving. */
export async function realEntry(file: FileRef): Promise<FileRef> {
  const entry = join(await realPathOfExistingPart(dirname(file.path)), basename(file.path));
  return { path: assertFenced(file.path, entry), shown: file.shown };
}

async function refuseDanglingLink(file: FileRef): Promise<void> {
  const found = await lstat(file.path).catch(() => undefined);
  if (!found?.isSymbolicLink()) return;
  throw new CodedError(
    'UNSUPPORTED_FILE',
    `"${file.shown}" is a symbolic link to "${await readlink(file.path)}", which does not exist.`,
    'Create the file that the link points to, or delete the link first.',
  );
}
