import type { FileRef } from './file-errors.ts';
import { closeAfterReading, openForReading, readFully } from './open-file.ts';
import { sha256Hex } from './sha256.ts';

export interface ReadBytesResult {
  readonly bytes: Buffer;
  readonly sizeBytes: number;
  /** Only when the bytes are the whole file. */
  readonly sha256: string | undefined;
}

/**
 * A range of a file's bytes; empty behind the end.
 * @throws {CodedError} FILE_NOT_FOUND, IS_A_DIRECTORY, UNSUPPORTED_FILE, PERMISSION_DENIED
 */
export async function readBytes(file: FileRef, offset: number, length: number): Promise<ReadBytesResult> {
  const { handle, sizeBytes } = await openForReading(file);
  try {
    const bytes = await readFully(handle, offset, Math.max(0, Math.min(length, sizeBytes - offset)));
    const isWhole = offset === 0 && bytes.length === sizeBytes;
    return { bytes, sizeBytes, sha256: isWhole ? sha256Hex(bytes) : undefined };
  } finally {
    await closeAfterReading(handle);
  }
}
