import { type BigIntStats, constants } from 'node:fs';
import { stat } from 'node:fs/promises';
import { CodedError } from '../runtime/errors.ts';
import { openInside } from './fence.ts';
import { type FileRef, isADirectory, specialFile } from './file-errors.ts';
import { closeAfterReading, isMissing, readToEnd } from './open-file.ts';

/** A regular file as it was read, to be compared with what is there when the change is committed. */
export interface FileSnapshot {
  readonly stats: BigIntStats;
  /** Undefined when the file is above the bound up to which content is kept. */
  readonly bytes: Buffer | undefined;
  /** The file was written so recently that a further write might not change its time stamp. */
  readonly isRacy: boolean;
}

/** Longer than the clock tick of time stamps with fractions of a second (4–16 ms). */
const FINE_TICK_MS = 50;
/** Longer than the two seconds of FAT. */
const COARSE_TICK_MS = 2_500;

/**
 * @param file path with symlinks resolved
 * @param maxBytes larger files are described without their content
 * @returns undefined when there is no file
 * @throws {CodedError} IS_A_DIRECTORY, UNSUPPORTED_FILE; system errors as they come
 */
export async function takeSnapshot(file: FileRef, maxBytes: number): Promise<FileSnapshot | undefined> {
  const stats = await statIfThere(file.path);
  if (!stats) return undefined;
  if (stats.isDirectory()) throw isADirectory(file);
  if (!stats.isFile()) throw specialFile(file);
  const hasFractions = stats.mtimeNs % 1_000_000_000n !== 0n;
  const ageMs = Date.now() - Number(stats.mtimeNs / 1_000_000n);
  return {
    stats,
    bytes: stats.size > maxBytes ? undefined : await readWhole(file.path, Number(stats.size), maxBytes),
    isRacy: ageMs < (hasFractions ? FINE_TICK_MS : COARSE_TICK_MS),
  };
}

/**
 * Called just before a change is committed: another process (an editor, a second local-coder) may have written since.
 * @throws {CodedError} CHANGED_ON_DISK
 */
export async function assertUnchanged(file: FileRef, before: FileSnapshot | undefined): Promise<void> {
  const [now, isSame] = await Promise.all([
    statIfThere(file.path),
    before?.isRacy ? hasContent(file, before) : true,
  ]);
  if (!before || !now) {
    if (before || now) throw changedOnDisk(file);
    return;
  }
  const old = before.stats;
  const looksSame =
    now.ino === old.ino && now.dev === old.dev && now.size === old.size && now.mtimeNs === old.mtimeNs;
  if (!looksSame || !isSame) throw changedOnDisk(file);
  // Permissions or links changed, or somebody wrote and set the time stamp back.
  if (now.ctimeNs !== old.ctimeNs && !(await hasContent(file, before))) throw changedOnDisk(file);
}

async function statIfThere(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function hasContent(file: FileRef, before: FileSnapshot): Promise<boolean> {
  if (!before.bytes) return true;
  try {
    const bytes = await readWhole(file.path, before.bytes.length, before.bytes.length);
    return bytes.equals(before.bytes);
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

export function changedOnDisk(file: FileRef): CodedError {
  return new CodedError(
    'CHANGED_ON_DISK',
    `"${file.shown}" was changed by another program in the meantime. Nothing was written.`,
    'Read the file again and repeat the change on its present text.',
  );
}

async function readWhole(path: string, expectedBytes: number, maxBytes: number): Promise<Buffer> {
  const handle = await openInside(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    return await readToEnd(handle, expectedBytes, maxBytes);
  } finally {
    await closeAfterReading(handle);
  }
}
