import { type FileHandle, statfs } from 'node:fs/promises';
import { isLinux } from '../runtime/platform.ts';

/**
 * Linux file systems on which a rename over a file reaches the disk after the data of the new file: ext2/3/4
 * (auto_da_alloc), btrfs (flush on rename), and those that live in memory.
 */
const ORDERED = new Set([0xef53, 0x9123683e, 0x01021994, 0x858458f6]);
const orderedByDevice = new Map<bigint, boolean>();

/**
 * Brings a new file's data to the disk before it replaces another, where the file system does not do so by itself.
 * Without it a power failure can leave an empty file under the old name (XFS, NTFS, APFS); on ext4 and btrfs the old
 * text or the new one is there anyway, and the call would cost as much as the rest of the write (0.2 ms on a
 * virtual disk, several on a real one). A killed process never needs it: the kernel keeps what was written.
 *
 * @param device st_dev of the folder's file system
 */
export async function syncBeforeRename(handle: FileHandle, path: string, device: bigint): Promise<void> {
  if (await isOrdered(path, device)) return;
  await handle.datasync();
}

async function isOrdered(path: string, device: bigint): Promise<boolean> {
  if (!isLinux) return false;
  let ordered = orderedByDevice.get(device);
  if (ordered === undefined) {
    ordered = await statfs(path).then(
      ({ type }) => ORDERED.has(type),
      () => false,
    );
    orderedByDevice.set(device, ordered);
  }
  return ordered;
}
