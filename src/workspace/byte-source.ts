import type { FileHandle } from 'node:fs/promises';
import { readFully } from './open-file.ts';

/** Bytes that are read in pieces, so that one algorithm serves a small file in memory and a huge one on disk. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** True when every byte is at hand, so that counting all lines costs no reading. */
  readonly inMemory: boolean;
  /**
   * At most `length` bytes from `position`; shorter only at the end. The buffer is valid until the next call.
   * @param ahead true when the next call will be for the bytes that follow
   */
  read(position: number, length: number, ahead?: boolean): Promise<Buffer>;
}

export function memorySource(bytes: Buffer): ByteSource {
  return {
    sizeBytes: bytes.length,
    inMemory: true,
    read: async (position, length) => bytes.subarray(position, position + length),
  };
}

/** Reads from disk with two buffers: while the caller works on one, the other is being filled. */
export function fileSource(handle: FileHandle, sizeBytes: number): ByteSource & { settled(): Promise<void> } {
  let current: Buffer | undefined;
  let other: Buffer | undefined;
  let coming: { position: number; length: number; bytes: Promise<Buffer> } | undefined;

  const start = (position: number, length: number) => {
    if (!other || other.length < length) other = Buffer.allocUnsafeSlow(length);
    const bytes = readFully(handle, position, Math.max(0, Math.min(length, sizeBytes - position)), other);
    // Awaited later or, after an early end, by settled(); a failure must not count as unhandled until then.
    bytes.catch(() => {});
    return { position, length, bytes };
  };

  return {
    sizeBytes,
    inMemory: false,
    async read(position, length, ahead = false) {
      if (coming && (coming.position !== position || coming.length !== length)) {
        await coming.bytes;
        coming = undefined;
      }
      const bytes = await (coming ?? start(position, length)).bytes;
      [current, other] = [other, current];
      coming = ahead && position + length < sizeBytes ? start(position + length, length) : undefined;
      return bytes;
    },
    /** Resolves when no read is under way any more; the handle may be closed then. */
    async settled() {
      await coming?.bytes.catch(() => {});
    },
  };
}
