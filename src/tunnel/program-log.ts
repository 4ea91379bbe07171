import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

const MAX_BYTES = 4 * 1024 * 1024;
const TAIL_LINES = 12;
const TAIL_LINE_LENGTH = 500;

/**
 * What a tunnel program prints: into a private file of bounded size (the one before is kept as `.1`), the last lines in
 * memory for the error message. Secrets are masked before anything is kept.
 */
export class ProgramLog {
  readonly file: string;
  readonly #secrets: readonly string[];
  readonly #tail: string[] = [];
  readonly #stream: WriteStream | undefined;
  #bytes: number;

  private constructor(
    file: string,
    secrets: readonly string[],
    stream: WriteStream | undefined,
    bytes: number,
  ) {
    this.file = file;
    this.#secrets = secrets.filter((secret) => secret.length >= 4);
    this.#stream = stream;
    this.#bytes = bytes;
    // A full disk must not end the tunnel.
    stream?.on('error', () => {});
  }

  static async open(file: string, secrets: readonly string[]): Promise<ProgramLog> {
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      let size = (await stat(file).catch(() => undefined))?.size ?? 0;
      if (size > MAX_BYTES / 2) {
        await rename(file, `${file}.1`);
        size = 0;
      }
      return new ProgramLog(file, secrets, createWriteStream(file, { flags: 'a', mode: 0o600 }), size);
    } catch {
      return new ProgramLog(file, secrets, undefined, 0);
    }
  }

  /** @returns the line as it was kept */
  add(line: string): string {
    let masked = line;
    for (const secret of this.#secrets) masked = masked.replaceAll(secret, '…');
    if (masked.trim() !== '') {
      this.#tail.push(masked.slice(0, TAIL_LINE_LENGTH));
      if (this.#tail.length > TAIL_LINES) this.#tail.shift();
    }
    const text = `${new Date().toISOString()} ${masked}\n`;
    if (this.#bytes < MAX_BYTES) {
      this.#bytes += Buffer.byteLength(text);
      this.#stream?.write(this.#bytes < MAX_BYTES ? text : 'the rest is left out\n');
    }
    return masked;
  }

  /** The last lines, oldest first. */
  get tail(): string | undefined {
    return this.#tail.length === 0 ? undefined : this.#tail.join('\n');
  }

  async close(): Promise<void> {
    const stream = this.#stream;
    if (stream === undefined || stream.destroyed) return;
    await new Promise<void>((resolve) => {
      stream.once('close', resolve);
      stream.end();
    });
  }
}
