import { constants } from 'node:fs';
import { copyFile, type FileHandle, link, mkdir, open, rmdir, symlink, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../runtime/errors.ts';
import { isLinux, isWindows } from '../runtime/platform.ts';
import { replaceBy, takeOver } from './atomic-write.ts';
import { syncBeforeRename } from './durable.ts';
import { fenceOf, NO_FOLLOW, openInside, readFileInside, withEntries, withEntry } from './fence.ts';
import type { FileSnapshot } from './file-snapshot.ts';
import { isMissing } from './open-file.ts';
import { temporaryBeside, writeAll } from './temporary-file.ts';
import type { NewEntry } from './transaction-types.ts';

/** Makes the new content beside its target, complete with mode and owner. */
export async function stageEntry(
  staged: string,
  target: string,
  entry: NewEntry,
  before: FileSnapshot | undefined,
): Promise<void> {
  if (entry.type === 'link') return withEntry(staged, (path) => symlink(entry.target, path));
  const model = before ?? entry.like;
  // Never readable by more people than the file will be, not even for a moment.
  const mode = entry.mode ?? (model ? Number(model.stats.mode) : 0o666);
  const handle = await withEntry(staged, (path) => open(path, 'wx', mode & 0o777));
  try {
    if (entry.content instanceof Uint8Array) await writeAll(handle, entry.content);
    else await entry.content.writeTo(handle);
    if (model) await takeOver(handle, model);
    if (entry.mode !== undefined && !isWindows) await handle.chmod(entry.mode);
    if (before) await syncBeforeRename(handle, target, before.stats.dev);
  } finally {
    await handle.close();
  }
}

/**
 * Keeps the old content beside the target: a second link to it, which costs nothing and is exact, or a copy where the
 * file is going to be overwritten or the file system has no links.
 */
export async function backUp(target: string, backup: string, mustCopy: boolean): Promise<void> {
  if (!mustCopy) {
    try {
      return await withEntries(target, [backup], (from, to) => link(from, to!));
    } catch (error) {
      if (isMissing(error)) throw error;
    }
  }
  // In place or without links: read through a descriptor, so that no link is followed that was put there since.
  if (fenceOf(target)) return writeNew(backup, await readFileInside(target));
  await copyFile(target, backup, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
}

/** Puts a staged entry or a backup in the target's place; overwrites it where it must not or cannot be replaced. */
export async function putInPlace(from: string, target: string, inPlace: boolean): Promise<void> {
  if (inPlace) return overwriteFrom(from, target);
  try {
    await withEntries(target, [from], (to, own) => replaceBy(own!, to));
  } catch (error) {
    // A single file mounted into a container cannot be renamed over.
    if (!isLinux || systemCode(error) !== 'EBUSY') throw error;
    await overwriteFrom(from, target);
  }
}

/**
 * Whether a file was caught half way between two contents, as overwriting leaves it when the process is killed: it
 * begins like one of them and goes on like the other.
 */
export async function isTorn(target: string, oneSide: string, otherSide: string): Promise<boolean> {
  const [torn, one, other] = await Promise.all([target, oneSide, otherSide].map(readFileInside));
  if (!torn || !one || !other) return false;
  return goesOver(torn, one, other) || goesOver(torn, other, one);
}

export async function unlinkIfThere(path: string | null): Promise<void> {
  if (path === null) return;
  try {
    await withEntry(path, unlink);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/**
 * Makes one folder; it may have come into being meanwhile.
 * @param mode never open to more people than this, not even for a moment; its owner may put something in in any case
 */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  try {
    await withEntry(path, (folder) => mkdir(folder, { mode: (mode & 0o777) | 0o700 }));
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

/** Gives a folder that was made its own mode, in spite of the umask, once everything is in it. */
export async function setFolderMode(path: string, mode: number): Promise<void> {
  if (isWindows) return;
  const handle = await openInside(path, constants.O_RDONLY | constants.O_DIRECTORY | NO_FOLLOW);
  try {
    await handle.chmod(mode);
  } finally {
    await handle.close();
  }
}

/** Removes a folder unless something is in it. */
export async function removeIfEmpty(path: string): Promise<void> {
  try {
    await withEntry(path, rmdir);
  } catch (error) {
    const code = systemCode(error);
    if (!isMissing(error) && code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'EBUSY') throw error;
  }
}

/** The folders that a file at this path needs and that do not exist, outermost first. */
export async function missingFolders(
  path: string,
  exists: (folder: string) => Promise<boolean>,
): Promise<string[]> {
  const missing: string[] = [];
  for (let folder = dirname(path); !(await exists(folder)); folder = dirname(folder)) missing.unshift(folder);
  return missing;
}

/** Puts a symbolic link at a path, over whatever stands there. */
export async function replaceByLink(linkTarget: string, path: string): Promise<void> {
  const staged = temporaryBeside(path);
  await withEntry(staged, (entry) => symlink(linkTarget, entry));
  try {
    await withEntries(path, [staged], (to, own) => replaceBy(own!, to));
  } catch (error) {
    await unlinkIfThere(staged);
    throw error;
  }
}

async function overwriteFrom(from: string, target: string): Promise<void> {
  const [bytes, old] = await Promise.all([readFileInside(from), readFileInside(target)]);
  const handle = await openInside(target, constants.O_RDWR | NO_FOLLOW);
  try {
    await overwrite(handle, bytes);
  } catch (error) {
    // The blocks of the old content are still the file's, so this works on a full disk too.
    await overwrite(handle, old);
    throw error;
  } finally {
    await handle.close();
  }
}

async function overwrite(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  await writeAll(handle, bytes);
  await handle.truncate(bytes.length);
}

/** True when `torn` is `written` up to some point and `rest` after it. */
function goesOver(torn: Buffer, written: Buffer, rest: Buffer): boolean {
  let same = 0;
  while (same < torn.length && same < written.length && torn[same] === written[same]) same++;
  return (
    torn.length === Math.max(same, rest.length) &&
    torn.subarray(same).equals(rest.subarray(same, torn.length))
  );
}

async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await withEntry(path, (entry) => open(entry, 'wx', 0o600));
  try {
    await writeAll(handle, bytes);
  } finally {
    await handle.close();
  }
}
