import { foldLine, type MatchLevel } from './levels.ts';

/**
 * A text as lines that keep their own terminators. Only LF ends a line; a CR directly before it belongs to the
 * terminator. U+2028, form feed and a lone CR are characters like any other.
 */
export class TextLines {
  readonly text: string;
  /** Without terminators, and without the BOM of the first one. */
  readonly lines: readonly string[];
  /** U+FEFF at the start of the text. */
  readonly hasBom: boolean;
  /** False for a text whose last line has no terminator; true for an empty text. */
  readonly endsWithNewline: boolean;
  /** Indexes of lines that end in CR LF, or whether all do; see isCrlf. */
  readonly #crlf: Uint8Array | boolean;
  readonly #crlfCount: number;
  readonly #folded = new Map<MatchLevel, readonly string[]>();

  constructor(text: string) {
    this.text = text;
    const lines = text.split('\n');
    this.endsWithNewline = lines.at(-1) === '';
    if (this.endsWithNewline) lines.pop();
    const terminated = this.endsWithNewline ? lines.length : lines.length - 1;
    let crlfCount = 0;
    if (text.includes('\r\n')) {
      const crlf = new Uint8Array(lines.length);
      for (let i = 0; i < terminated; i++) {
        const line = lines[i] ?? '';
        if (line.charCodeAt(line.length - 1) !== 13) continue;
        lines[i] = line.slice(0, -1);
        crlf[i] = 1;
        crlfCount++;
      }
      this.#crlf = crlf;
    } else {
      this.#crlf = false;
    }
    this.#crlfCount = crlfCount;
    this.hasBom = text.charCodeAt(0) === 0xfeff;
    if (this.hasBom) lines[0] = (lines[0] ?? '').slice(1);
    this.lines = lines;
  }

  get count(): number {
    return this.lines.length;
  }

  /** Whether a line (0-based) ends in CR LF. */
  isCrlf(line: number): boolean {
    return typeof this.#crlf === 'boolean' ? this.#crlf : this.#crlf[line] === 1;
  }

  isTerminated(line: number): boolean {
    return this.endsWithNewline || line < this.lines.length - 1;
  }

  /** The terminator that most lines have; undefined for a text without any. */
  get dominantEol(): '\n' | '\r\n' | undefined {
    const terminated = this.lines.length - (this.endsWithNewline ? 0 : 1);
    if (terminated <= 0) return undefined;
    return this.#crlfCount * 2 > terminated ? '\r\n' : '\n';
  }

  /** Length of a line in the text with its terminator, without the BOM. */
  lengthWithEol(line: number): number {
    const terminator = this.isTerminated(line) ? (this.isCrlf(line) ? 2 : 1) : 0;
    return (this.lines[line]?.length ?? 0) + terminator;
  }

  /** The lines in the form in which they are compared at `level`; made when first asked for. */
  at(level: MatchLevel): readonly string[] {
    if (level === 'exact') return this.lines;
    let folded = this.#folded.get(level);
    if (folded === undefined) {
      folded = this.lines.map((line) => foldLine(line, level));
      this.#folded.set(level, folded);
    }
    return folded;
  }
}

/** Without a BOM: the first line of a file is the same line with and without it. */
export function withoutBom(line: string): string {
  return line.charCodeAt(0) === 0xfeff ? line.slice(1) : line;
}
