import { constants } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { NO_FOLLOW } from './fence.ts';
import { type FileRef, tooLargeToEdit } from './file-errors.ts';
import { assertUnchanged, type FileSnapshot } from './file-snapshot.ts';
import { temporaryBeside, writeAll } from './temporary-file.ts';

/**
 * Overwrites a file without replacing it, for the two cases in which a rename is wrong: several hard links, and a
 * file that is a mount point. Not atomic by nature, so the old content stands in a temporary file beside it until the
 * new one is complete, and is put back when writing fails.
 *
 * @throws {CodedError} TOO_LARGE when the old content was not kept; CHANGED_ON_DISK; system errors as they come
 */
export async function overwriteInPlace(
  file: FileRef,
  bytes: Uint8Array,
  before: FileSnapshot,
): Promise<void> {
  if (!before.bytes) throw tooLargeToEdit(file, Number(before.stats.size));
  const backup = temporaryBeside(file.path);
  let isWhole = true;
  try {
    await writeBackup(backup, before.bytes);
    await assertUnchanged(file, before);
    // The path is real: a link that stands there now was put there since.
    const handle = await open(file.path, constants.O_RDWR | NO_FOLLOW);
    isWhole = false;
    try {
      await overwrite(handle, bytes);
      isWhole = true;
    } catch (error) {
      // The blocks of the old content are still the file's, so this works on a full disk too.
      await overwrite(handle, before.bytes);
      isWhole = true;
      throw error;
    } finally {
      await handle.close();
    }
  } finally {
    // When even putting back failed, the backup is the only whole copy and stays.
    if (isWhole) await unlink(backup).catch(() => {});
  }
}

async function writeBackup(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    await writeAll(handle, bytes);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

async function overwrite(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  await writeAll(handle, bytes);
  await handle.truncate(bytes.length);
}
