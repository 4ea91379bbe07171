import { constants } from 'node:fs';
import { type FileHandle, stat } from 'node:fs/promises';
import { systemCode } from '../runtime/errors.ts';
import { isWindows } from '../runtime/platform.ts';
import { fenceOf, openInside } from './fence.ts';
import { type FileRef, fileError, isADirectory, specialFile } from './file-errors.ts';

const GENERATED_CHUNK_BYTES = 64 * 1024;
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
    const handle = await openInside(file.path, READ_FLAGS);
    if (!fenceOf(file.path)) return { handle, sizeBytes: found.size };
    // What was looked at need not be what was opened: only the latter is known to be inside.
    const opened = await handle.stat();
    if (opened.isFile()) return { handle, sizeBytes: opened.size };
    await handle.close();
    throw specialFile(file);
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

/**
 * Reads a file whose size was just seen, with one read in the usual case. What is appended meanwhile is left out; a
 * size of 0 may be that of a generated file (/proc), so those are read until they end.
 */
export async function readToEnd(handle: FileHandle, sizeBytes: number, maxBytes: number): Promise<Buffer> {
  if (sizeBytes > 0) return readFully(handle, 0, Math.min(sizeBytes, maxBytes));
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const chunk = await readFully(handle, total, Math.min(GENERATED_CHUNK_BYTES, maxBytes - total));
    if (chunk.length === 0) return Buffer.concat(chunks);
    chunks.push(chunk);
    total += chunk.length;
  }
}

/** The bytes of an opened file from its beginning to its end; each chunk is a buffer of its own. */
export async function* readChunks(handle: FileHandle, chunkBytes: number): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    const chunk = await readFully(handle, position, chunkBytes);
    if (chunk.length > 0) yield chunk;
    if (chunk.length < chunkBytes) return;
    position += chunk.length;
  }
}

/** Gives back a descriptor that was only read from: nobody needs to wait, but Windows keeps the file busy until then. */
export async function closeAfterReading(handle: FileHandle): Promise<void> {
  const closed = handle.close();
  if (isWindows) await closed;
  else closed.catch(() => {});
}

/** True for what a stat or readdir answers when there is nothing at a path. */
export function isMissing(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}
