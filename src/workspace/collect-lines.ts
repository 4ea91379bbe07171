import { isUtf8 } from 'node:buffer';
import type { ByteSource } from './byte-source.ts';
import { behindLineEnd, skipLines } from './line-scan.ts';
import { decodeBody, type TextEncoding, withoutCutCharacter } from './text-encoding.ts';

export interface CollectLimits {
  readonly maxLines: number;
  /** Bound of the result, in bytes of UTF-8. */
  readonly maxBytes: number;
  /** A longer line is cut after this many of its bytes, with a mark. */
  readonly maxLineBytes: number;
}

export interface CollectedLines {
  readonly text: string;
  readonly lines: number;
  readonly cutLines: number;
  /** True when the source ended with the last line collected. */
  readonly atEnd: boolean;
  /** windows-1252 when a text that began as UTF-8 turned out to hold other bytes. */
  readonly encoding: TextEncoding;
}

const WINDOW_BYTES = 256 * 1024;
/** How far the end of a cut line is looked for before the answer leaves without the lines behind it. */
const MAX_LINE_SCAN_BYTES = 64 * 1024 * 1024;

/**
 * Collects lines from the byte at which one begins, holding no more in memory than the limits allow.
 * @param firstLine the 1-based number of that line, null when it is not known
 */
export async function collectLines(
  source: ByteSource,
  from: number,
  firstLine: number | null,
  encoding: TextEncoding,
  limits: CollectLimits,
  signal: AbortSignal | undefined,
): Promise<CollectedLines> {
  const parts: (Buffer | string)[] = [];
  let usedBytes = 0;
  let lines = 0;
  let cutLines = 0;
  let position = from;
  let window: Buffer = Buffer.alloc(0);
  let windowStart = from;
  let runStart = from;
  /** Moves what was collected from the window, which the next read overwrites, to the parts. */
  const flush = () => {
    if (position > runStart)
      parts.push(Buffer.from(window.subarray(runStart - windowStart, position - windowStart)));
    runStart = position;
  };

  while (lines < limits.maxLines && position < source.sizeBytes) {
    signal?.throwIfAborted();
    let at = position - windowStart;
    let end = behindLineEnd(window, at, encoding);
    if (end === -1 && windowStart + window.length < source.sizeBytes && (at > 0 || window.length === 0)) {
      // The window holds only the beginning of this line, or nothing yet: let the window begin with the line.
      flush();
      window = await source.read(position, WINDOW_BYTES);
      windowStart = position;
      at = 0;
      end = behindLineEnd(window, 0, encoding);
      if (window.length === 0) break;
    }
    const line = window.subarray(at, end === -1 ? window.length : end);
    const shown = line.length > limits.maxLineBytes ? cutAt(line, limits.maxLineBytes, encoding) : line;
    const cost = outputBytes(shown, encoding);
    if (lines > 0 && usedBytes + cost > limits.maxBytes) break;
    usedBytes += cost;
    lines++;
    if (shown === line) {
      position += line.length;
      continue;
    }
    cutLines++;
    flush();
    parts.push(Buffer.from(shown));
    const endsInWindow = end !== -1 || windowStart + window.length >= source.sizeBytes;
    const next = endsInWindow
      ? position + line.length
      : lines === limits.maxLines
        ? undefined
        : await endOfLine(source, position, encoding, signal);
    parts.push(cutMark(firstLine === null ? null : firstLine + lines - 1, shown.length, position, next));
    if (next === undefined) return finish(false);
    if (!endsInWindow) window = Buffer.alloc(0);
    position = next;
    runStart = next;
    if (!endsInWindow) windowStart = next;
  }
  flush();
  return finish(position >= source.sizeBytes);

  function finish(atEnd: boolean): CollectedLines | Promise<CollectedLines> {
    if (
      encoding === 'utf-8' &&
      mergeBuffers(parts).some((part) => typeof part !== 'string' && !isUtf8(part))
    ) {
      return collectLines(source, from, firstLine, 'windows-1252', limits, signal);
    }
    const text = mergeBuffers(parts)
      .map((part) => (typeof part === 'string' ? part : decodeBody(part, encoding)))
      .join('');
    return { text, lines, cutLines, atEnd, encoding };
  }
}

async function endOfLine(
  source: ByteSource,
  lineStart: number,
  encoding: TextEncoding,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const until = lineStart + MAX_LINE_SCAN_BYTES;
  const { position, skipped } = await skipLines(source, lineStart, 1, encoding, signal, until);
  if (skipped === 1) return position;
  return until >= source.sizeBytes ? source.sizeBytes : undefined;
}

/** A multi-byte character may lie across two windows, so neighbours are joined before they are decoded. */
function mergeBuffers(parts: readonly (Buffer | string)[]): (Buffer | string)[] {
  const merged: (Buffer | string)[] = [];
  let run: Buffer[] = [];
  const closeRun = () => {
    if (run.length > 0) merged.push(run.length === 1 ? run[0]! : Buffer.concat(run));
    run = [];
  };
  for (const part of parts) {
    if (typeof part !== 'string') run.push(part);
    else {
      closeRun();
      merged.push(part);
    }
  }
  closeRun();
  return merged;
}

/** The beginning of a line that does not end inside a character. */
function cutAt(line: Buffer, bytes: number, encoding: TextEncoding): Buffer {
  if (encoding === 'windows-1252') return line.subarray(0, bytes);
  if (encoding === 'utf-8' || encoding === 'utf-8-bom') return withoutCutCharacter(line.subarray(0, bytes));
  const even = bytes - (bytes % 2);
  const last = encoding === 'utf-16le' ? line.readUInt16LE(even - 2) : line.readUInt16BE(even - 2);
  const isHighSurrogate = last >= 0xd800 && last < 0xdc00;
  return line.subarray(0, isHighSurrogate ? even - 2 : even);
}

function cutMark(
  line: number | null,
  shownBytes: number,
  lineStart: number,
  next: number | undefined,
): string {
  const size = next === undefined ? 'more' : `${next - lineStart}`;
  const name = line === null ? 'line' : `line ${line}`;
  return `… [${name} cut: ${shownBytes} of ${size} bytes shown; read_file_base64 with offset ${lineStart + shownBytes} has the rest]\n`;
}

/** An upper bound of the UTF-8 bytes that a piece becomes in the answer. */
function outputBytes(bytes: Buffer, encoding: TextEncoding): number {
  if (encoding === 'utf-8' || encoding === 'utf-8-bom') return bytes.length;
  if (encoding !== 'windows-1252') return Math.ceil(bytes.length * 1.5);
  let extra = 0;
  for (const byte of bytes) if (byte >= 0x80) extra += 2;
  return bytes.length + extra;
}
