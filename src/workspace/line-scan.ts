import type { ByteSource } from './byte-source.ts';
import type { TextEncoding } from './text-encoding.ts';

const SCAN_BYTES = 1024 * 1024;
const FIRST_TAIL_BYTES = 64 * 1024;

/**
 * Finds where a line begins by streaming over what stands before it.
 * @param linesToSkip line ends to pass, counted from `from`
 * @param until the byte at which to give up
 * @returns the byte behind the last line end passed, and how many were passed: fewer only when the source ended or `until` came
 */
export async function skipLines(
  source: ByteSource,
  from: number,
  linesToSkip: number,
  encoding: TextEncoding,
  signal: AbortSignal | undefined,
  until = source.sizeBytes,
): Promise<{ position: number; skipped: number }> {
  let skipped = 0;
  let behindLast = from;
  for (let position = from; skipped < linesToSkip && position < Math.min(until, source.sizeBytes); ) {
    signal?.throwIfAborted();
    const chunk = await source.read(position, SCAN_BYTES, true);
    if (chunk.length === 0) break;
    const inChunk = countLineEnds(chunk, encoding);
    if (skipped + inChunk >= linesToSkip) {
      let at = 0;
      for (; skipped < linesToSkip; skipped++) at = behindLineEnd(chunk, at, encoding);
      return { position: position + at, skipped };
    }
    if (inChunk > 0) behindLast = position + behindLastLineEnd(chunk, chunk.length, encoding);
    skipped += inChunk;
    position += chunk.length;
  }
  return { position: behindLast, skipped };
}

/** The byte at which the last `lines` lines begin, found by reading backwards from the end. */
export async function startOfTail(
  source: ByteSource,
  firstByte: number,
  lines: number,
  encoding: TextEncoding,
  signal: AbortSignal | undefined,
): Promise<number> {
  // The line end that closes the last line begins no further line.
  const lastByte = source.sizeBytes - unitBytes(encoding);
  let missing = lines;
  let size = FIRST_TAIL_BYTES;
  for (let end = Math.max(lastByte, firstByte); end > firstByte; size = SCAN_BYTES) {
    signal?.throwIfAborted();
    const start = Math.max(firstByte, end - size);
    const chunk = await source.read(start, end - start);
    const inChunk = countLineEnds(chunk, encoding);
    if (inChunk >= missing) {
      let at = chunk.length;
      for (; missing > 0; missing--)
        at = behindLastLineEnd(chunk, at, encoding) - (missing > 1 ? unitBytes(encoding) : 0);
      return start + at;
    }
    missing -= inChunk;
    end = start;
  }
  return firstByte;
}

export function unitBytes(encoding: TextEncoding): 1 | 2 {
  return encoding === 'utf-16le' || encoding === 'utf-16be' ? 2 : 1;
}

/** Number of LF characters in a piece that begins at a character boundary. */
export function countLineEnds(bytes: Buffer, encoding: TextEncoding): number {
  if (unitBytes(encoding) === 1) return countLineFeedBytes(bytes);
  const [low, high] = encoding === 'utf-16le' ? [0, 1] : [1, 0];
  let count = 0;
  for (let at = 0; at + 1 < bytes.length; at += 2) {
    if (bytes[at + low] === 10 && bytes[at + high] === 0) count++;
  }
  return count;
}

/** The position behind the first LF at or after `from`, or -1. */
export function behindLineEnd(bytes: Buffer, from: number, encoding: TextEncoding): number {
  const unit = unitBytes(encoding);
  const low = encoding === 'utf-16be' ? 1 : 0;
  for (let at = bytes.indexOf(10, from); at !== -1; at = bytes.indexOf(10, at + 1)) {
    if (unit === 1) return at + 1;
    if (at % 2 === low && bytes[at ^ 1] === 0) return at - low + 2;
  }
  return -1;
}

/** The position behind the last LF before `end`; only called when there is one. */
function behindLastLineEnd(bytes: Buffer, end: number, encoding: TextEncoding): number {
  const unit = unitBytes(encoding);
  const low = encoding === 'utf-16be' ? 1 : 0;
  for (let at = bytes.subarray(0, end).lastIndexOf(10); at > 0; at = bytes.subarray(0, at).lastIndexOf(10)) {
    if (unit === 1) return at + 1;
    if (at % 2 === low && bytes[at ^ 1] === 0) return at - low + 2;
  }
  return unit;
}

/**
 * Counts the bytes 0A four at a time: twice as fast as Buffer.indexOf on lines of ordinary length (measured
 * 0.2 ms against 0.4 ms per MiB), and the time does not depend on how short the lines are.
 */
function countLineFeedBytes(bytes: Buffer): number {
  let count = 0;
  let at = 0;
  while (at < bytes.length && (bytes.byteOffset + at) % 4 !== 0) if (bytes[at++] === 10) count++;
  if (at === bytes.length) return count;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, (bytes.length - at) >> 2);
  for (let word = 0; word < words.length; ) {
    // Each of the four lanes of `lanes` counts one byte position; 255 rounds fit into a lane.
    const end = Math.min(words.length, word + 255);
    let lanes = 0;
    for (; word < end; word++) {
      const zeroWhereLf = words[word]! ^ 0x0a0a0a0a;
      const carry = ((zeroWhereLf & 0x7f7f7f7f) + 0x7f7f7f7f) | 0;
      lanes = (lanes + (~(carry | zeroWhereLf | 0x7f7f7f7f) >>> 7)) | 0;
    }
    count += (lanes & 255) + ((lanes >>> 8) & 255) + ((lanes >>> 16) & 255) + (lanes >>> 24);
  }
  for (at += words.length * 4; at < bytes.length; at++) if (bytes[at] === 10) count++;
  return count;
}
