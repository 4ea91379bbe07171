import type { HunkLine } from './model.ts';

/** Lines of one hunk while it is read; knows prefixes, the CR of CR LF and `\ No newline at end of file`. */
export class HunkLines {
  readonly #lines: HunkLine[] = [];

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  /** @param line a line with its prefix; an empty one is an empty line of context */
  add(line: string): void {
    const kind = line[0] === '+' ? 'add' : line[0] === '-' ? 'remove' : 'context';
    const carriageReturn = line.endsWith('\r');
    const text = line.slice(1, carriageReturn ? -1 : undefined);
    this.#lines.push({ kind, text, carriageReturn, noNewline: false });
  }

  /** `\ No newline at end of file` after the last line. */
  markNoNewline(): void {
    const last = this.#lines.pop();
    if (last === undefined) return;
    // Without an LF after it, a CR is no part of a line end but the line's last character.
    const text = last.carriageReturn ? `${last.text}\r` : last.text;
    this.#lines.push({ kind: last.kind, text, carriageReturn: false, noNewline: true });
  }

  take(): HunkLine[] {
    return this.#lines.splice(0);
  }
}

/** A line that can only be part of a hunk (a bare empty line can also stand between sections). */
export function isBodyLine(line: string): boolean {
  const first = line[0];
  return first === ' ' || first === '+' || first === '-';
}

/** A line without anything, as models and mail programs leave of an empty line of context. */
export function isBareEmpty(line: string): boolean {
  return line === '' || line === '\r';
}

export function isNoNewlineMark(line: string): boolean {
  return line.startsWith('\\ ');
}
