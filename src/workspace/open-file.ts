import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { systemCode } from '../runtime/errors.ts';
import { type FileRef, fileError, isADirectory, specialFile } from './file-errors.ts';

// A pipe that takes the file's place between stat and open must not block a thread until somebody writes to it.
const READ_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Opens a regular file for reading. Looked at before it is opened: opening a device or a pipe can already do something.
 * @returns the handle, which the caller closes, and the size when it was opened
 * @throws {CodedError} FILE_NOT_FOUND, IS_A_DIRECTORY, UNSUPPORTED_FILE, PERMISSION_DENIED, …
 */
export async function openForReading(file: FileRef): Promise<{ handle: FileHandle; sizeBytes: number }> {
  try {
    const found = await stat(file.path);
    if (found.isDirectory()) throw isADirectory(file);
    if (!found.isFile()) throw specialFile(file);
    return { handle: await open(file.path, READ_FLAGS), sizeBytes: found.size };
  } catch (error) {
    throw await fileError(error, file, 'read');
  }
}

/**
 * Reads `length` bytes at `position`, fewer only at the end of the file.
 * @param into a buffer of at least `length` bytes to be reused
 */
export async function readFully(
  handle: FileHandle,
  position: number,
  length: number,
  into: Buffer = Buffer.allocUnsafe(length),
): Promise<Buffer> {
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(into, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return into.subarray(0, filled);
}

/** Reads to the end of the file, whose expected size saves further reads; special files of size 0 (/proc) included. */
export async function readToEnd(
  handle: FileHandle,
  expectedBytes: number,
  maxBytes: number,
): Promise<Buffer> {
  // One byte more than expected: a full buffer means that the file has grown.
  let chunk = await readFully(handle, 0, Math.min(expectedBytes, maxBytes) + 1);
  const chunks = [chunk];
  let total = chunk.length;
  let asked = Math.min(expectedBytes, maxBytes) + 1;
  while (chunk.length === asked && total <= maxBytes) {
    asked = Math.min(Math.max(total, 64 * 1024), maxBytes + 1 - total);
    chunk = await readFully(handle, total, asked);
    chunks.push(chunk);
    total += chunk.length;
  }
  return chunks.length === 1 ? chunk : Buffer.concat(chunks);
}

/** True for what a stat or readdir answers when there is nothing at a path. */
export function isMissing(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}
