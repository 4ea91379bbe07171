import { appendFileSync, renameSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** Two files of this size at most: the log and the one before it. */
const MAX_BYTES = 1024 * 1024;

/** A log that does not grow without end: past its size it becomes `.1`, in the place of the one before. */
export class BoundedLog {
  readonly #file: string;
  readonly #maxBytes: number;
  #bytes: number;

  constructor(file: string, maxBytes: number = MAX_BYTES) {
    this.#file = file;
    this.#maxBytes = maxBytes;
    this.#bytes = sizeOf(file);
  }

  /** Synchronous, because the last words before an end matter most; nobody else waits in this process. */
  write(chunk: Uint8Array | string): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    if (this.#bytes > 0 && this.#bytes + bytes.length > this.#maxBytes) {
      try {
        renameSync(this.#file, `${this.#file}.1`);
        this.#bytes = 0;
      } catch {
        // Somebody reads it on Windows: the next line tries again.
      }
    }
    appendFileSync(this.#file, bytes, { mode: 0o600 });
    this.#bytes += bytes.length;
  }
}

/** The last lines of a log, oldest first. */
export async function lastLines(file: string, count: number): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.length === 0 ? [`(${file} is empty)`] : lines.slice(-count);
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}
