import { isWindows } from '../../runtime/platform.ts';
import type { Finding } from '../engine.ts';
import { LineWindow, showWholeLine } from '../line-window.ts';

const NUL = 0;
const LF = 10;
const COLON = 58;

/** Printed in place of further lines of a file in which ripgrep came upon a NUL byte. */
const BINARY_MESSAGE =
  /^([\s\S]*?): (?:WARNING: stopped searching binary file after match|binary file matches) \(found "\\0" byte around offset \d+\)\n/;

/**
 * Reads what `rg --null --line-number --column --no-heading --no-context-separator` prints:
 *
 *     path NUL line : column : text LF      a match
 *     path NUL line - text LF               a line of context
 *
 * This costs a third of what --json does, and file names may contain anything, newlines too, because a NUL ends them.
 */
export class MatchParser {
  readonly #emit: (finding: Finding) => boolean;
  #rest: Buffer = Buffer.alloc(0);
  /** A line of which the beginning was in an earlier chunk. */
  #open: { path: string; number: number; kind: 'match' | 'context'; window: LineWindow } | undefined;
  #pathBytes: Buffer = Buffer.alloc(0);
  #path = '';

  constructor(emit: (finding: Finding) => boolean) {
    this.#emit = emit;
  }

  /** @returns false when the receiver wants no more */
  push(chunk: Buffer): boolean {
    let buffer = chunk;
    if (this.#open) {
      const end = chunk.indexOf(LF);
      this.#open.window.push(end < 0 ? chunk : chunk.subarray(0, end));
      if (end < 0) return true;
      const { window, ...line } = this.#open;
      this.#open = undefined;
      if (!this.#emit({ ...line, text: window.finish() })) return false;
      buffer = chunk.subarray(end + 1);
    } else if (this.#rest.length > 0) {
      buffer = Buffer.concat([this.#rest, chunk]);
    }
    let at = 0;
    while (at < buffer.length) {
      const next = this.#record(buffer, at);
      if (next === 'stop') return false;
      if (next === 'incomplete') break;
      at = next;
    }
    // A copy, so that the (much larger) chunk can be freed.
    this.#rest = at >= buffer.length ? Buffer.alloc(0) : Buffer.from(buffer.subarray(at));
    return true;
  }

  /** To be called after the last chunk. */
  end(): void {
    if (this.#open) {
      const { window, ...line } = this.#open;
      this.#emit({ ...line, text: window.finish() });
    } else this.#takeBinaryMessages(this.#rest.toString('utf8'));
  }

  #record(buffer: Buffer, start: number): number | 'incomplete' | 'stop' {
    const nul = buffer.indexOf(NUL, start);
    if (nul < 0) return 'incomplete';
    let at = nul + 1;
    let number = 0;
    for (; isDigit(buffer[at]); at++) number = number * 10 + buffer[at]! - 48;
    if (at >= buffer.length) return 'incomplete';
    const isMatch = buffer[at++] === COLON;
    let column = 1;
    if (isMatch) {
      column = 0;
      for (; isDigit(buffer[at]); at++) column = column * 10 + buffer[at]! - 48;
      if (at++ >= buffer.length) return 'incomplete';
    }
    const path = this.#readPath(buffer.subarray(start, nul));
    if (path === undefined) return 'stop';
    const kind = isMatch ? 'match' : 'context';
    const end = buffer.indexOf(LF, at);
    if (end < 0) {
      const window = new LineWindow(column - 1);
      window.push(buffer.subarray(at));
      this.#open = { path, number, kind, window };
      return buffer.length;
    }
    const text = showWholeLine(buffer.subarray(at, end), column - 1);
    return this.#emit({ path, number, kind, text }) ? end + 1 : 'stop';
  }

  /** The path before a NUL; most lines have the same as the line before. */
  #readPath(bytes: Buffer): string | undefined {
    if (bytes.equals(this.#pathBytes)) return this.#path;
    const path = this.#takeBinaryMessages(bytes.toString('utf8'));
    if (path === undefined) return undefined;
    this.#pathBytes = Buffer.from(bytes);
    this.#path = relativePath(path);
    return this.#path;
  }

  /** Strips the messages that stand, without a NUL, before the next path. */
  #takeBinaryMessages(text: string): string | undefined {
    let rest = text;
    for (let found = BINARY_MESSAGE.exec(rest); found; found = BINARY_MESSAGE.exec(rest)) {
      rest = rest.slice(found[0].length);
      const finding = { path: relativePath(found[1]!), number: 0, kind: 'binary', text: '' } as const;
      if (!this.#emit(finding)) return undefined;
    }
    return rest;
  }
}

/** Reads `path NUL count LF` (rg --null --count) and `path NUL` (rg --null --files-with-matches). */
export class PathParser {
  readonly #emit: (finding: Finding) => boolean;
  readonly #withCount: boolean;
  #rest = Buffer.alloc(0);

  constructor(withCount: boolean, emit: (finding: Finding) => boolean) {
    this.#withCount = withCount;
    this.#emit = emit;
  }

  push(chunk: Buffer): boolean {
    const buffer = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      const nul = buffer.indexOf(NUL, at);
      const end = this.#withCount && nul >= 0 ? buffer.indexOf(LF, nul) : nul;
      if (end < 0) break;
      const path = relativePath(buffer.toString('utf8', at, nul));
      const number = this.#withCount ? Number(buffer.toString('latin1', nul + 1, end)) : 0;
      if (!this.#emit({ path, number, kind: 'file', text: '' })) return false;
      at = end + 1;
    }
    this.#rest = Buffer.from(buffer.subarray(at));
    return true;
  }

  end(): void {}
}

/** ripgrep is started with `./` and puts it before every path; Windows separators become `/`. */
function relativePath(path: string): string {
  const shown = isWindows ? path.replaceAll('\\', '/') : path;
  return shown.startsWith('./') ? shown.slice(2) : shown;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 48 && byte <= 57;
}
