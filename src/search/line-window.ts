import { isUtf8 } from 'node:buffer';
import { MAX_LINE_BYTES } from './engine.ts';

/** Bytes kept before the first match of a line that is cut. */
const LEAD_BYTES = 200;

/**
 * Collects the part of one line that is shown, from pieces as they come: a minified file may be one line of many
 * megabytes, and of that no more than the window is kept.
 */
export class LineWindow {
  readonly #start: number;
  readonly #pieces: Buffer[] = [];
  #seen = 0;

  /** @param matchOffset where in the line the first match starts, in bytes; 0 for context lines */
  constructor(matchOffset: number) {
    this.#start = matchOffset < MAX_LINE_BYTES - LEAD_BYTES ? 0 : matchOffset - LEAD_BYTES;
  }

  push(piece: Buffer): void {
    const from = Math.max(this.#start - this.#seen, 0);
    // Four bytes more than are shown, so that a cut character at the end is seen as such.
    const to = Math.min(this.#start + MAX_LINE_BYTES + 4 - this.#seen, piece.length);
    if (from < to) this.#pieces.push(Buffer.from(piece.subarray(from, to)));
    this.#seen += piece.length;
  }

  /** The text to show, with marks for what was left out and for bytes that are not UTF-8. */
  finish(): string {
    return showLine(Buffer.concat(this.#pieces), this.#start, this.#seen);
  }
}

/** The same for a line that is at hand as a whole. */
export function showWholeLine(line: Buffer, matchOffset: number): string {
  if (line.length <= MAX_LINE_BYTES) return showLine(line, 0, line.length);
  const window = new LineWindow(matchOffset);
  window.push(line);
  return window.finish();
}

function showLine(part: Buffer, start: number, lineBytes: number): string {
  if (start === 0 && lineBytes <= MAX_LINE_BYTES) {
    const text = part.toString('utf8').replace(/\r$/, '');
    return text.includes('\ufffd') && !isUtf8(part) ? `${text} [not UTF-8]` : text;
  }
  const first = start === 0 ? 0 : characterStart(part, 0);
  const end = Math.min(part.length, MAX_LINE_BYTES);
  const last = end < part.length ? characterStart(part, end, -1) : end;
  const shown = part.subarray(first, last);
  const before = start + first;
  const after = lineBytes - start - last;
  const lossy = isUtf8(shown) ? '' : ' [not UTF-8]';
  return (
    (before > 0 ? `[${before} bytes cut] ` : '') +
    shown.toString('utf8') +
    (after > 0 ? ` [${after} bytes cut]` : '') +
    lossy
  );
}

/** The index of the next (or previous) byte that begins a character. Gives up after three: not UTF-8 then. */
function characterStart(bytes: Buffer, index: number, step = 1): number {
  for (let tries = 0; tries < 4; tries++) {
    const at = index + tries * step;
    if (((bytes[at] ?? 0) & 0xc0) !== 0x80) return at;
  }
  return index;
}
