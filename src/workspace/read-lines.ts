import { CodedError } from '../runtime/errors.ts';
import { type ByteSource, fileSource, memorySource } from './byte-source.ts';
import { type CollectedLines, collectLines } from './collect-lines.ts';
import { binaryFile, type FileRef } from './file-errors.ts';
import { countLineEnds, skipLines, startOfTail, unitBytes } from './line-scan.ts';
import { type EolStyle, eolStyle } from './lines.ts';
import { closeAfterReading, openForReading, readFully, readToEnd } from './open-file.ts';
import { sha256Hex } from './sha256.ts';
import { decodeBody, detectEncoding, markLength, SNIFF_BYTES, type TextEncoding } from './text-encoding.ts';

/** Which lines: from `offset` (1-based), or the last `tail` ones. Without a limit as many as the bounds allow. */
export type LineSelection =
  | { readonly offset: number; readonly limit?: number | undefined }
  | { readonly tail: number };

export interface ReadLinesResult {
  /** The lines as they are, line ends included; a line above the bound is cut with a mark. */
  readonly content: string;
  /** Null when counting what stands before would mean reading the whole of a large file. */
  readonly startLine: number | null;
  readonly endLine: number | null;
  /** Exact, or null when counting would mean reading on. */
  readonly totalLines: number | null;
  readonly sizeBytes: number;
  readonly encoding: TextEncoding;
  /** Of the lines in `content`. */
  readonly eol: EolStyle;
  /** Of the whole file; only when the whole of it is in `content`. */
  readonly sha256: string | undefined;
  /** True when lines that were asked for are missing or cut. */
  readonly truncated: boolean;
  /** The selection that continues, when lines that were asked for (or, without a limit, further ones) are missing. */
  readonly next: LineSelection | undefined;
}

/** Bound of `content` in bytes of UTF-8: what is left of 256 KiB for one answer when the envelope has its share. */
export const MAX_CONTENT_BYTES = 248 * 1024;
const MAX_LINE_BYTES = 32 * 1024;
/** Files up to this size are read with one call; larger ones are streamed. */
const WHOLE_READ_BYTES = 1024 * 1024;
/** Up to this size the lines before a tail are counted, so that it can say its line numbers. */
const COUNTED_TAIL_BYTES = 64 * 1024 * 1024;

/**
 * Reads lines of a text file of any size with constant memory.
 * @throws {CodedError} BINARY_FILE, FILE_NOT_FOUND, IS_A_DIRECTORY, …; INVALID_PARAMS for an offset behind the end
 */
export async function readLines(
  file: FileRef,
  selection: LineSelection,
  signal?: AbortSignal,
): Promise<ReadLinesResult> {
  const { handle, sizeBytes } = await openForReading(file);
  let streaming: ReturnType<typeof fileSource> | undefined;
  try {
    if (sizeBytes <= WHOLE_READ_BYTES) {
      const bytes = await readToEnd(handle, sizeBytes, WHOLE_READ_BYTES);
      return await readFromMemory(file, bytes, selection, signal);
    }
    streaming = fileSource(handle, sizeBytes);
    const head = Buffer.from(await readFully(handle, 0, SNIFF_BYTES));
    const encoding = detectEncoding(head, streaming.sizeBytes, false);
    if (encoding === undefined) throw binaryFile(file);
    return await select(file, streaming, encoding, selection, signal);
  } finally {
    await streaming?.settled();
    await closeAfterReading(handle);
  }
}

async function readFromMemory(
  file: FileRef,
  bytes: Buffer,
  selection: LineSelection,
  signal: AbortSignal | undefined,
): Promise<ReadLinesResult> {
  const encoding = detectEncoding(bytes, bytes.length, true);
  if (encoding === undefined) throw binaryFile(file);
  const isWhole = 'offset' in selection && selection.offset === 1 && selection.limit === undefined;
  if (!isWhole || bytes.length > MAX_LINE_BYTES) {
    const result = await select(file, memorySource(bytes), encoding, selection, signal);
    const complete = !result.truncated && result.startLine === 1 && result.endLine === result.totalLines;
    return complete ? { ...result, sha256: sha256Hex(bytes) } : result;
  }
  // The usual case: a small file, all of it; no line of it can be above the bound.
  const content = decodeBody(bytes.subarray(markLength(encoding)), encoding);
  const totalLines = countAllLines(bytes, encoding);
  return {
    content,
    startLine: 1,
    endLine: totalLines,
    totalLines,
    sizeBytes: bytes.length,
    encoding,
    eol: eolStyle(content),
    sha256: sha256Hex(bytes),
    truncated: false,
    next: undefined,
  };
}

async function select(
  file: FileRef,
  source: ByteSource,
  encoding: TextEncoding,
  selection: LineSelection,
  signal: AbortSignal | undefined,
): Promise<ReadLinesResult> {
  const first: number = markLength(encoding);
  const maxLines = ('tail' in selection ? selection.tail : selection.limit) ?? Number.POSITIVE_INFINITY;
  let from = first;
  let startLine: number | null = 1;
  let totalLines: number | null = null;
  if ('tail' in selection) {
    from = await startOfTail(source, first, selection.tail, encoding, signal);
    if (from > first && source.inMemory === false && source.sizeBytes > COUNTED_TAIL_BYTES) startLine = null;
    else startLine = 1 + (await countBetween(source, first, from, encoding, signal));
  } else if (selection.offset > 1) {
    const wanted = selection.offset - 1;
    const { position, skipped } = await skipLines(source, first, wanted, encoding, signal);
    if (skipped < wanted || position >= source.sizeBytes) {
      throw behindTheEnd(file, selection.offset, skipped + (position < source.sizeBytes ? 1 : 0));
    }
    from = position;
    startLine = selection.offset;
  }
  const limits = { maxLines, maxBytes: MAX_CONTENT_BYTES, maxLineBytes: MAX_LINE_BYTES };
  const collected = await collectLines(source, from, startLine, encoding, limits, signal);
  const endLine = startLine === null ? null : startLine + collected.lines - 1;
  if (collected.atEnd) totalLines = endLine;
  else if (source.inMemory) {
    totalLines = countAllLines(await source.read(0, source.sizeBytes), encoding);
  }
  const missing = !collected.atEnd && collected.lines < maxLines;
  return {
    content: collected.text,
    startLine,
    endLine,
    totalLines,
    sizeBytes: source.sizeBytes,
    encoding: collected.encoding,
    eol: eolStyle(collected.text),
    sha256: undefined,
    truncated: missing || collected.cutLines > 0,
    next: missing ? continuation(selection, startLine, collected) : undefined,
  };
}

function continuation(
  selection: LineSelection,
  startLine: number | null,
  done: CollectedLines,
): LineSelection {
  if ('tail' in selection && startLine === null) return { tail: selection.tail - done.lines };
  const limit = 'tail' in selection ? selection.tail : selection.limit;
  return {
    offset: (startLine ?? 1) + done.lines,
    limit: limit === undefined ? undefined : limit - done.lines,
  };
}

function countAllLines(bytes: Buffer, encoding: TextEncoding): number {
  const body = bytes.subarray(markLength(encoding));
  if (body.length === 0) return 0;
  const lastUnit = body.subarray(body.length - unitBytes(encoding));
  return countLineEnds(body, encoding) + (countLineEnds(lastUnit, encoding) === 1 ? 0 : 1);
}

async function countBetween(
  source: ByteSource,
  from: number,
  to: number,
  encoding: TextEncoding,
  signal: AbortSignal | undefined,
): Promise<number> {
  let count = 0;
  for (let position = from; position < to; ) {
    signal?.throwIfAborted();
    const chunk = await source.read(position, Math.min(WHOLE_READ_BYTES, to - position), true);
    if (chunk.length === 0) break;
    count += countLineEnds(chunk, encoding);
    position += chunk.length;
  }
  return count;
}

function behindTheEnd(file: FileRef, offset: number, total: number): CodedError {
  return new CodedError(
    'INVALID_PARAMS',
    `offset ${offset} is behind the end of "${file.shown}", which has ${total} line${total === 1 ? '' : 's'}.`,
    total === 0 ? 'The file is empty.' : `Use an offset from 1 to ${total}, or tail.`,
    { total_lines: total },
  );
}
