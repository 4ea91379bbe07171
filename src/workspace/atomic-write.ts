import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemCode } from '../runtime/errors.ts';
import { isLinux, isWindows } from '../runtime/platform.ts';
import { syncBeforeRename } from './durable.ts';
import { fenceOf, makeFolders, withEntry } from './fence.ts';
import type { FileRef } from './file-errors.ts';
import { assertUnchanged, type FileSnapshot } from './file-snapshot.ts';
import { overwriteInPlace } from './overwrite-in-place.ts';
import { temporaryBeside, writeAll } from './temporary-file.ts';

const PERMISSION_BITS = 0o7777;
/** Virus scanners and indexers hold a file for a moment after it was written: about two seconds in all. */
const WINDOWS_RENAME_DELAYS_MS = [10, 20, 50, 100, 200, 400, 600, 600];

/**
 * Replaces or creates a file so that at every moment either the old or the new content is there, whole: a temporary
 * file in the same folder, then a rename. Mode and, where allowed, owner of the old file are kept. A file with several
 * hard links is overwritten in place instead, because a rename would part it from its other names.
 *
 * @param file path with symlinks resolved (see realTarget); missing folders are created
 * @param before what was read; anything else found there at the end is CHANGED_ON_DISK
 * @throws {CodedError} CHANGED_ON_DISK; system errors as they come, with the target untouched and no temporary file left
 */
export async function writeAtomically(
  file: FileRef,
  bytes: Uint8Array,
  before: FileSnapshot | undefined,
): Promise<void> {
  if (!fenceOf(file.path)) return writeThere(file, bytes, before);
  if (!before) await makeFolders(dirname(file.path));
  return withEntry(file.path, (path) => writeThere({ path, shown: file.shown }, bytes, before));
}

async function writeThere(file: FileRef, bytes: Uint8Array, before: FileSnapshot | undefined): Promise<void> {
  if (before && before.stats.nlink > 1n) return overwriteInPlace(file, bytes, before);
  const temporary = temporaryBeside(file.path);
  const handle = await createTemporary(temporary, before);
  try {
    try {
      await writeAll(handle, bytes);
      if (before) {
        await takeOver(handle, before);
        await syncBeforeRename(handle, file.path, before.stats.dev);
      }
    } catch (error) {
      await handle.close();
      throw error;
    }
    // Closing can still report that the disk is full (NFS, quotas).
    const [closed, unchanged] = await Promise.allSettled([handle.close(), assertUnchanged(file, before)]);
    if (closed.status === 'rejected') throw closed.reason;
    if (unchanged.status === 'rejected') throw unchanged.reason;
    await replaceBy(temporary, file.path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    // A single file mounted into a container cannot be renamed over.
    if (isLinux && before && systemCode(error) === 'EBUSY') return overwriteInPlace(file, bytes, before);
    throw error;
  }
}

/** rename, repeated on Windows while another program holds the target for a moment. */
export async function replaceBy(from: string, to: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await rename(from, to);
    } catch (error) {
      const code = systemCode(error);
      const waitMs = WINDOWS_RENAME_DELAYS_MS[attempt];
      const mayPass = isWindows && (code === 'EPERM' || code === 'EACCES' || code === 'EBUSY');
      if (!mayPass || waitMs === undefined) throw error;
      await delay(waitMs);
    }
  }
}

async function createTemporary(path: string, before: FileSnapshot | undefined): Promise<FileHandle> {
  // Never readable by more people than the file that it replaces, not even for a moment.
  const mode = before ? Number(before.stats.mode) & 0o777 : 0o666;
  try {
    return await open(path, 'wx', mode);
  } catch (error) {
    if (before || systemCode(error) !== 'ENOENT') throw error;
    await makeFolders(dirname(path));
    return await open(path, 'wx', mode);
  }
}

/** Gives the new file the owner and the mode of the old one. */
export async function takeOver(handle: FileHandle, before: FileSnapshot): Promise<void> {
  if (isWindows) return;
  const { uid, gid, mode } = before.stats;
  const wanted = Number(mode) & PERMISSION_BITS;
  const isOurs = Number(uid) === process.geteuid?.() && Number(gid) === process.getegid?.();
  if (!isOurs) {
    // Only root may give files away; others at least keep the group where they belong to it.
    await handle.chown(Number(uid), Number(gid)).catch(() => handle.chown(-1, Number(gid)).catch(() => {}));
  }
  // The umask may have taken bits away, and chown drops set-user-id.
  if (!isOurs || (wanted & process.umask()) !== 0 || wanted > 0o777) await handle.chmod(wanted);
}
