import { constants } from 'node:fs';
import { appendFile, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemCode } from '../../runtime/errors.ts';

/** One tool call: never file contents, never location data. */
export interface AuditEntry {
  /** Of the call; entries of earlier versions have none. */
  readonly id?: string | undefined;
  /** ISO 8601, when the call came. */
  readonly time: string;
  readonly tool: string;
  /** As the client names itself. */
  readonly client: string | undefined;
  /** Hashed, see mcp/conversation.ts. */
  readonly conversation: string | undefined;
  /** The command or the target paths, secrets masked. */
  readonly target: string;
  readonly outcome: 'ok' | 'failed' | 'denied' | 'cancelled' | 'running';
  readonly code: string | undefined;
  readonly duration_ms: number;
  readonly result_bytes: number;
  /** The process that served it: several instances write one log. */
  readonly pid: number;
  /** The recorded file changes of the call. */
  readonly checkpoint_id?: string | undefined;
}

export interface AuditLogOptions {
  /** Absolute path of the current file; older ones stand beside it with a number. */
  readonly file: string;
  /** Told once when the log cannot be written; the calls go on. */
  readonly onError: (error: unknown) => void;
  readonly maxFileBytes?: number;
  readonly maxFiles?: number;
}

const MAX_FILE_BYTES = 10 * 1024 * 1024;
const MAX_FILES = 5;
/** A link that the user made is followed; one that appears where the file was just moved away is somebody else's. */
const APPEND_HERE = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
/** Entries kept in memory for recent_calls. */
const MAX_RECENT = 1_000;
/** Bytes of the file that are read to know the calls from before a restart. */
const TAIL_BYTES = 256 * 1024;

/**
 * The audit trail: JSON Lines, appended, rotated, bounded. Appends are gathered while the previous one is under way, so
 * that a call never waits for the disk; `flush` at the end loses none.
 */
export class AuditLog {
  readonly file: string;
  readonly #options: AuditLogOptions;
  readonly #recent: AuditEntry[] = [];
  #before: Promise<AuditEntry[]> | undefined;
  #pending: string[] = [];
  #writing: Promise<void> | undefined;
  #sizeBytes: number | undefined;
  #failed = false;
  #rotated = false;

  constructor(options: AuditLogOptions) {
    this.#options = options;
    this.file = options.file;
  }

  record(entry: AuditEntry): void {
    // What stood in the file before this process wrote must be read before it writes.
    this.#before ??= this.#readTail();
    this.#recent.push(entry);
    if (this.#recent.length > MAX_RECENT) this.#recent.shift();
    this.#pending.push(`${JSON.stringify(entry)}\n`);
    this.#writing ??= this.#write();
  }

  /** The last entries that pass, newest first; those of earlier processes after this one's. */
  async recent(limit: number, pass: (entry: AuditEntry) => boolean): Promise<AuditEntry[]> {
    this.#before ??= this.#readTail();
    const found = this.#recent.toReversed().filter(pass).slice(0, limit);
    if (found.length >= limit) return found;
    const earlier = (await this.#before).toReversed().filter(pass);
    return [...found, ...earlier].slice(0, limit);
  }

  /** Resolves when everything recorded so far is on its way to the disk. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async #write(): Promise<void> {
    try {
      await this.#before;
      while (this.#pending.length > 0) {
        const lines = this.#pending.join('');
        this.#pending = [];
        await this.#append(lines);
      }
    } catch (error) {
      this.#pending = [];
      if (!this.#failed) this.#options.onError(error);
      this.#failed = true;
    } finally {
      this.#writing = undefined;
    }
  }

  async #append(lines: string): Promise<void> {
    if (this.#sizeBytes === undefined) {
      await mkdir(dirname(this.file), { recursive: true, mode: 0o700 });
      this.#sizeBytes = await sizeOf(this.file);
    }
    if (this.#sizeBytes >= (this.#options.maxFileBytes ?? MAX_FILE_BYTES)) {
      // Another instance may have rotated meanwhile: the real size decides.
      if ((await sizeOf(this.file)) >= (this.#options.maxFileBytes ?? MAX_FILE_BYTES)) await this.#rotate();
      this.#sizeBytes = await sizeOf(this.file);
    }
    await appendFile(this.file, lines, { mode: 0o600, flag: this.#rotated ? APPEND_HERE : 'a' });
    this.#sizeBytes += Buffer.byteLength(lines);
    this.#failed = false;
  }

  async #rotate(): Promise<void> {
    const maxFiles = this.#options.maxFiles ?? MAX_FILES;
    await unlink(`${this.file}.${maxFiles - 1}`).catch(() => {});
    for (let number = maxFiles - 2; number >= 1; number--) {
      await rename(`${this.file}.${number}`, `${this.file}.${number + 1}`).catch(() => {});
    }
    await rename(this.file, `${this.file}.1`).catch(() => {});
    this.#rotated = true;
  }

  async #readTail(): Promise<AuditEntry[]> {
    return readAuditTail(this.file, TAIL_BYTES).catch(() => []);
  }
}

/** The whole entries in the last bytes of an audit file, oldest first; lines that are no entry are left out. */
export async function readAuditTail(file: string, maxBytes: number): Promise<AuditEntry[]> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - maxBytes);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n');
    if (start > 0) lines.shift();
    return lines.flatMap(parseEntry);
  } finally {
    await handle.close();
  }
}

/** The files of an audit log, oldest first. */
export async function auditFiles(file: string): Promise<string[]> {
  const prefix = `${basename(file)}.`;
  const names = await readdir(dirname(file)).catch(() => []);
  const numbers = names.flatMap((name) => {
    const number = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : Number.NaN;
    return Number.isInteger(number) ? [number] : [];
  });
  const older = numbers.sort((a, b) => b - a).map((number) => join(dirname(file), `${prefix}${number}`));
  return [...older, ...((await sizeOf(file)) > 0 ? [file] : [])];
}

/** One line as an entry; none when it is not one. */
export function parseEntry(line: string): AuditEntry[] {
  if (line.trim() === '') return [];
  try {
    const value: unknown = JSON.parse(line);
    const isEntry = typeof value === 'object' && value !== null && 'tool' in value && 'time' in value;
    return isEntry ? [value as AuditEntry] : []; // written by this class
  } catch {
    return [];
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 0;
    throw error;
  }
}
