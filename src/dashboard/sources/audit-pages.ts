import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { type AuditEntry, auditFiles, parseEntry } from '../../access/index.ts';

/** An entry of the audit trail, with the id under which it is found again. */
export interface LoggedCall {
  readonly id: string;
  readonly entry: AuditEntry;
}

export interface AuditPage {
  /** The newest first. */
  readonly calls: readonly LoggedCall[];
  /** Where older ones follow; undefined at the end of the trail. */
  readonly next: string | undefined;
}

export interface AuditPageRequest {
  /** `next` of an earlier answer. */
  readonly before?: string | undefined;
  readonly limit: number;
  readonly pass: (entry: AuditEntry) => boolean;
  /** Looking for entries that pass ends after this time; `next` then goes on from there. */
  readonly budgetMs: number;
}

const BLOCK_BYTES = 64 * 1024;
/** A line longer than this is none of ours. */
const MAX_LINE_BYTES = 1024 * 1024;
const NEWLINE = 10;

/**
 * A page of the audit trail from its end backwards, read in blocks: the first page costs the same however long the
 * trail is. A cursor is a file and an offset in it; files are known by their first line, which moving them on does not
 * change.
 */
export async function auditPage(file: string, request: AuditPageRequest): Promise<AuditPage> {
  const deadlineMs = performance.now() + request.budgetMs;
  const start = parseCursor(request.before);
  const calls: LoggedCall[] = [];
  let reached = start === undefined;
  for (const path of (await auditFiles(file)).reverse()) {
    const handle = await open(path, 'r').catch(() => undefined); // moved on meanwhile
    if (handle === undefined) continue;
    try {
      const key = await keyOf(handle);
      const isStart = start?.key === key;
      if (!reached && !isStart) continue;
      reached = true;
      for await (const line of linesBackwards(handle, isStart ? start.offset : undefined)) {
        const logged = loggedCall(line.text);
        if (logged !== undefined && request.pass(logged.entry)) calls.push(logged);
        if (calls.length >= request.limit || performance.now() > deadlineMs) {
          return { calls, next: `${key}.${line.start}` };
        }
      }
    } finally {
      await handle.close();
    }
  }
  return { calls, next: undefined };
}

/** Finds one entry by the id that a page gave it. Bounded by the size of the trail. */
export async function findLogged(file: string, id: string): Promise<LoggedCall | undefined> {
  for (const path of (await auditFiles(file)).reverse()) {
    const handle = await open(path, 'r').catch(() => undefined);
    if (handle === undefined) continue;
    try {
      const needle = `"id":${JSON.stringify(id)}`;
      for await (const { text } of linesBackwards(handle)) {
        if (!id.startsWith('log-') && !text.includes(needle)) continue;
        const logged = loggedCall(text);
        if (logged?.id === id) return logged;
      }
    } finally {
      await handle.close();
    }
  }
  return undefined;
}

function loggedCall(line: string): LoggedCall | undefined {
  const [entry] = parseEntry(line);
  if (entry === undefined) return undefined;
  return { id: typeof entry.id === 'string' ? entry.id : `log-${hash(line)}`, entry };
}

interface Line {
  readonly text: string;
  /** Offset of its first byte. */
  readonly start: number;
}

/** The lines that end before an offset, the last one first. */
async function* linesBackwards(handle: FileHandle, before?: number): AsyncGenerator<Line> {
  let position = before ?? (await handle.stat()).size;
  let rest = Buffer.alloc(0);
  while (position > 0) {
    const size = Math.min(BLOCK_BYTES, position);
    const block = Buffer.alloc(size);
    const { bytesRead } = await handle.read(block, 0, size, position - size);
    if (bytesRead < size) return; // emptied meanwhile
    position -= size;
    const bytes = rest.length === 0 ? block : Buffer.concat([block, rest]);
    let end = bytes.length;
    for (let newline = bytes.lastIndexOf(NEWLINE, end - 1); newline >= 0; newline = lastNewline(bytes, end)) {
      if (newline + 1 < end)
        yield { text: bytes.toString('utf8', newline + 1, end), start: position + newline + 1 };
      end = newline;
    }
    rest = end > MAX_LINE_BYTES ? Buffer.alloc(0) : bytes.subarray(0, end);
  }
  if (rest.length > 0) yield { text: rest.toString('utf8'), start: 0 };
}

function lastNewline(bytes: Buffer, end: number): number {
  return end === 0 ? -1 : bytes.lastIndexOf(NEWLINE, end - 1);
}

async function keyOf(handle: FileHandle): Promise<string> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(4096), 0, 4096, 0);
  const end = buffer.subarray(0, bytesRead).indexOf(NEWLINE);
  return hash(buffer.toString('latin1', 0, end < 0 ? bytesRead : end));
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

function parseCursor(cursor: string | undefined): { key: string; offset: number } | undefined {
  const match = /^([0-9a-f]{12})\.(\d{1,15})$/.exec(cursor ?? '');
  return match === null ? undefined : { key: match[1]!, offset: Number(match[2]) };
}
