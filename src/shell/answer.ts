import type { ManagedProcess } from './managed-process.ts';
import type { OutputLog } from './output-log.ts';
import { decodeOutput, formatCount, wholeCharactersEnd, wholeCharactersStart } from './text.ts';

/** Output bytes in one answer, both streams together: what 256 KiB leave after the rest of the envelope. */
export const ANSWER_BYTES = 250 * 1024;

/** Offsets into stdout and stderr. */
export interface Cursor {
  readonly stdout: number;
  readonly stderr: number;
}

export const START: Cursor = { stdout: 0, stderr: 0 };

/** "1024" or "1024:64": stdout, then stderr where it has a log of its own. */
export function formatCursor(cursor: Cursor, process: ManagedProcess): string {
  return process.stderr ? `${cursor.stdout}:${cursor.stderr}` : String(cursor.stdout);
}

export function parseCursor(text: string): Cursor | undefined {
  const match = /^(\d{1,15})(?::(\d{1,15}))?$/.exec(text.trim());
  return match ? { stdout: Number(match[1]), stderr: Number(match[2] ?? 0) } : undefined;
}

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
  /** Where the next answer goes on. */
  readonly cursor: Cursor;
  /** Something between the first and the last shown byte is missing. */
  readonly truncated: boolean;
  /** Bytes that are no UTF-8 were replaced. */
  readonly lossy: boolean;
  /** Bytes written so far, both streams together. */
  readonly totalBytes: number;
  /** Bytes after the cursor that did not fit. */
  readonly remainingBytes: number;
}

interface Piece {
  readonly text: string;
  readonly end: number;
  readonly truncated: boolean;
  readonly lossy: boolean;
}

/** Everything up to now, or its beginning and its end where that is too much for one answer. */
export async function wholeOutput(process: ManagedProcess, from: Cursor = START): Promise<Output> {
  const ended = !process.running;
  const [outSize, errSize] = await sizes(process);
  const outLength = Math.max(0, outSize - from.stdout);
  const errLength = Math.max(0, errSize - from.stderr);
  // The larger stream gives way to the smaller one, but neither below half.
  const errBudget = Math.min(errLength, Math.max(ANSWER_BYTES / 2, ANSWER_BYTES - outLength));
  const [out, err] = await Promise.all([
    headAndTail(process.stdout, from.stdout, outSize, ANSWER_BYTES - errBudget, ended, (next) =>
      markCall(process, 'stdout', { stdout: next, stderr: errSize }),
    ),
    headAndTail(process.stderr, from.stderr, errSize, errBudget, ended, (next) =>
      markCall(process, 'stderr', { stdout: outSize, stderr: next }),
    ),
  ]);
  return combine(out, err, outSize, errSize);
}

/** What follows a cursor, as much as fits. */
export async function outputFrom(process: ManagedProcess, cursor: Cursor): Promise<Output> {
  const ended = !process.running;
  const [outSize, errSize] = await sizes(process);
  const errLength = Math.max(0, errSize - cursor.stderr);
  const outLength = Math.max(0, outSize - cursor.stdout);
  const errBudget = Math.min(errLength, Math.max(ANSWER_BYTES / 2, ANSWER_BYTES - outLength));
  const [out, err] = await Promise.all([
    forward(process.stdout, cursor.stdout, ANSWER_BYTES - errBudget, ended, outSize),
    forward(process.stderr, cursor.stderr, errBudget, ended, errSize),
  ]);
  return combine(out, err, outSize, errSize);
}

/** The last characters of each stream. */
export async function outputTail(process: ManagedProcess, characters: number): Promise<Output> {
  const [outSize, errSize] = await sizes(process);
  const share = process.stderr ? ANSWER_BYTES / 2 : ANSWER_BYTES;
  const [out, err] = await Promise.all([
    lastCharacters(process.stdout, outSize, characters, share),
    lastCharacters(process.stderr, errSize, characters, share),
  ]);
  return combine(out, err, outSize, errSize);
}

export async function sizes(process: ManagedProcess): Promise<[stdout: number, stderr: number]> {
  return Promise.all([process.stdout.size(), process.stderr?.size() ?? 0]);
}

/** How the middle that an answer leaves out is read. */
function markCall(process: ManagedProcess, stream: string, cursor: Cursor): string {
  return `of ${stream} left out here: process_output {"id":"${process.id}","cursor":"${formatCursor(cursor, process)}"} reads them`;
}

function combine(out: Piece, err: Piece, outSize: number, errSize: number): Output {
  return {
    stdout: out.text,
    stderr: err.text,
    cursor: { stdout: out.end, stderr: err.end },
    truncated: out.truncated || err.truncated,
    lossy: out.lossy || err.lossy,
    totalBytes: outSize + errSize,
    remainingBytes: Math.max(0, outSize - out.end) + Math.max(0, errSize - err.end),
  };
}

const NOTHING: Piece = { text: '', end: 0, truncated: false, lossy: false };

async function headAndTail(
  log: OutputLog | undefined,
  start: number,
  size: number,
  budget: number,
  ended: boolean,
  describe: (next: number) => string,
): Promise<Piece> {
  if (!log) return NOTHING;
  if (size - start <= budget) return forward(log, start, budget, ended, size);
  // The end of an output says more than its beginning: errors and totals stand there.
  const headBudget = Math.floor(budget / 4);
  const head = await log.read(start, headBudget);
  const headBytes = head.bytes.subarray(0, wholeCharactersEnd(head.bytes));
  const tail = await log.read(size - (budget - headBudget), budget - headBudget);
  const skip = wholeCharactersStart(tail.bytes);
  const tailEnd = ended ? tail.bytes.length : wholeCharactersEnd(tail.bytes);
  const headEnd = head.from + headBytes.length;
  const missing = tail.from + skip - headEnd;
  const first = decodeOutput(headBytes);
  const last = decodeOutput(tail.bytes.subarray(skip, tailEnd));
  const mark = `[… ${formatCount(missing)} of ${formatCount(size)} bytes ${describe(headEnd)} …]`;
  return {
    text: `${endLine(first.text)}${mark}\n${last.text}`,
    end: tail.from + tailEnd,
    truncated: true,
    lossy: first.lossy || last.lossy,
  };
}

async function forward(
  log: OutputLog | undefined,
  from: number,
  budget: number,
  ended: boolean,
  size: number,
): Promise<Piece> {
  if (!log) return NOTHING;
  // A cursor behind the end is nobody's: kept, it would hide what is still to come.
  if (from >= size) return { text: '', end: size, truncated: false, lossy: false };
  const slice = await log.read(from, Math.min(Math.max(budget, 4), size - from));
  const atEnd = slice.end >= size && ended;
  const length = atEnd ? slice.bytes.length : wholeCharactersEnd(slice.bytes);
  const decoded = decodeOutput(slice.bytes.subarray(0, length));
  const skipped = slice.from - from;
  const mark =
    skipped > 0 ? `[… ${formatCount(skipped)} bytes were dropped here: the log outgrew its limit …]\n` : '';
  return {
    text: mark + decoded.text,
    end: slice.from + length,
    truncated: skipped > 0,
    lossy: decoded.lossy,
  };
}

async function lastCharacters(
  log: OutputLog | undefined,
  size: number,
  characters: number,
  maxBytes: number,
): Promise<Piece> {
  if (!log || size === 0) return NOTHING;
  const wanted = Math.min(maxBytes, characters * 4 + 3);
  const slice = await log.read(Math.max(0, size - wanted), wanted);
  const bytes = slice.bytes.subarray(slice.from > 0 ? wholeCharactersStart(slice.bytes) : 0);
  const decoded = decodeOutput(bytes);
  const all = [...decoded.text];
  const shown = all.slice(Math.max(0, all.length - characters)).join('');
  const before = slice.end - Buffer.byteLength(shown);
  const mark =
    before > 0 && !decoded.lossy
      ? `[… ${formatCount(before)} bytes before this …]\n`
      : before > 0
        ? '[…]\n'
        : '';
  return { text: mark + shown, end: slice.end, truncated: before > 0, lossy: decoded.lossy };
}

function endLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
