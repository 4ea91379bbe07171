import { open, stat, truncate, unlink } from 'node:fs/promises';
import { isLinux } from '../runtime/platform.ts';
import { runProgram } from '../runtime/run-program.ts';
import { which } from '../runtime/which.ts';

/** Bytes at the beginning of a log that are never dropped. */
const HEAD_BYTES = 1024 * 1024;

export interface LogLimits {
  /** A log longer than this loses its middle. */
  readonly maxBytes: number;
  /** How much of the end is kept then. */
  readonly tailBytes: number;
  /** False: as on systems that cannot give back the middle of a file. */
  readonly punchHoles?: boolean;
}

export const DEFAULT_LOG_LIMITS: LogLimits = { maxBytes: 256 * 1024 * 1024, tailBytes: 128 * 1024 * 1024 };

export interface LogSlice {
  readonly bytes: Buffer;
  /** Offset of the first byte; greater than asked for when the log was cut there. */
  readonly from: number;
  /** Offset after the last byte. */
  readonly end: number;
}

/**
 * One output stream of one process. The process writes to the file by itself, through a descriptor opened for
 * appending: output costs this server neither memory nor time, and a background child that keeps the descriptor
 * keeps nobody waiting. Offsets count every byte ever written, also after the log was cut.
 *
 * Cutting: on Linux the blocks of the middle are given back with `fallocate --punch-hole`, the file keeps its length.
 * Elsewhere the file is emptied (appending goes on at its start), and what was kept of it lives in memory, 1 MiB.
 */
export class OutputLog {
  readonly path: string;
  readonly #limits: LogLimits;
  /** Dropped range, if any: one, for the head always stays and the tail always ends the log. */
  #cutFrom = 0;
  #cutEnd = 0;
  /** Offset of the file's first byte: greater than 0 only after it was emptied. */
  #base = 0;
  #keptHead: Buffer | undefined;
  #keptTail: Buffer | undefined;

  constructor(path: string, limits: LogLimits = DEFAULT_LOG_LIMITS) {
    this.path = path;
    this.#limits = limits;
  }

  /** Bytes that were dropped from the middle, and where; undefined while the log is whole. */
  get cut(): { readonly from: number; readonly end: number } | undefined {
    return this.#cutEnd > this.#cutFrom ? { from: this.#cutFrom, end: this.#cutEnd } : undefined;
  }

  /** Bytes written so far. */
  async size(): Promise<number> {
    try {
      return this.#base + (await stat(this.path)).size;
    } catch {
      return this.#base;
    }
  }

  /** Up to `maxBytes` from `from` on; a dropped range is skipped, a read never crosses it. */
  async read(from: number, maxBytes: number): Promise<LogSlice> {
    let start = from;
    let limit = maxBytes;
    if (this.cut) {
      if (start >= this.#cutFrom && start < this.#cutEnd) start = this.#cutEnd;
      if (start < this.#cutFrom) limit = Math.min(limit, this.#cutFrom - start);
    }
    if (start < this.#base) {
      const kept = start < this.#cutFrom ? this.#keptHead : this.#keptTail;
      const offset = start < this.#cutFrom ? start : start - (this.#base - (kept?.length ?? 0));
      const bytes = kept?.subarray(offset, offset + limit) ?? Buffer.alloc(0);
      return { bytes, from: start, end: start + bytes.length };
    }
    const bytes = await readRange(this.path, start - this.#base, limit);
    return { bytes, from: start, end: start + bytes.length };
  }

  /** Drops the middle when the log has outgrown its limit. Called from time to time while the process runs. */
  async enforceLimit(): Promise<void> {
    const size = await this.size();
    const occupied = size - Math.max(this.#base, this.#cutEnd);
    if (occupied <= this.#limits.maxBytes) return;
    // Block-aligned, or the file system zeroes the edges instead of giving the blocks back.
    const end = Math.floor((size - this.#limits.tailBytes) / 4096) * 4096;
    if (
      isLinux &&
      this.#limits.punchHoles !== false &&
      this.#base === 0 &&
      (await punchHole(this.path, HEAD_BYTES, end))
    ) {
      this.#cutFrom = HEAD_BYTES;
      this.#cutEnd = end;
      return;
    }
    await this.#emptyFile();
  }

  async remove(): Promise<void> {
    await unlink(this.path).catch(() => {});
  }

  async #emptyFile(): Promise<void> {
    const size = (await stat(this.path)).size;
    this.#keptHead ??= await readRange(this.path, 0, HEAD_BYTES);
    const tail = await readRange(this.path, Math.max(0, size - HEAD_BYTES), HEAD_BYTES);
    // What is written between this read and the truncation is lost uncounted; a process that writes 256 MiB
    // loses its middle anyway.
    await truncate(this.path, 0);
    this.#keptTail = tail;
    this.#base += size;
    this.#cutFrom = this.#keptHead.length;
    this.#cutEnd = this.#base - tail.length;
  }
}

/** Three trips to the thread pool at most; every command waits for them. */
async function readRange(path: string, position: number, maxBytes: number): Promise<Buffer> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, 'r');
  } catch {
    return Buffer.alloc(0);
  }
  try {
    const buffer = Buffer.allocUnsafe(maxBytes);
    let filled = 0;
    while (filled < maxBytes) {
      const { bytesRead } = await file.read(buffer, filled, maxBytes - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  } finally {
    file.close().catch(() => {});
  }
}

/**
 * A small file as latin1; empty when it is not there, and when it is larger: the command that wrote it may have meant to
 * fill this process's memory.
 */
export async function readSmallFile(path: string, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  for (let position = 0, chunk = 32 * 1024; ; chunk *= 4) {
    const bytes = await readRange(path, position, chunk);
    chunks.push(bytes);
    position += bytes.length;
    if (position > maxBytes) return '';
    if (bytes.length < chunk) return Buffer.concat(chunks).toString('latin1');
  }
}

let fallocate: Promise<string | undefined> | undefined;

async function punchHole(path: string, from: number, end: number): Promise<boolean> {
  fallocate ??= which('fallocate');
  const program = await fallocate;
  if (program === undefined) return false;
  const args = ['--punch-hole', '--offset', String(from), '--length', String(end - from), path];
  try {
    return (await runProgram(program, args, { cwd: '/', timeoutMs: 30_000 })).exitCode === 0;
  } catch {
    return false;
  }
}
