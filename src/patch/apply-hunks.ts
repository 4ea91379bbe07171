import type { HunkLine, PatchFormat } from './model.ts';
import type { Placed } from './place-hunks.ts';
import { type TextLines, withoutBom } from './text-lines.ts';

/**
 * The text with all hunks carried out. Every byte that no hunk removes stays as it is; added lines go in as written.
 * @param placed hunks that do not overlap, in any order
 */
export function applyHunks(file: TextLines, placed: readonly Placed[], format: PatchFormat): string {
  const inFileOrder = placed
    .map((hunk, order) => ({ ...hunk, order }))
    .sort((a, b) => a.start - b.start || a.count - b.count || a.order - b.order);
  const eol = endings(file, placed, format);
  const knowsBom = patchKnowsBom(placed);
  const output = new Output(file, eol.dominant, knowsBom);
  for (const { hunk, start, phantomLine } of inFileOrder) {
    output.copyUntil(start);
    const lines = phantomLine ? hunk.lines.slice(0, -1) : hunk.lines;
    for (const line of lines) {
      if (line.kind === 'context') output.copyLine();
      else if (line.kind === 'remove') output.skipLine();
      else output.add(line.text, eol.asWritten ? (line.carriageReturn ? '\r\n' : '\n') : eol.dominant);
    }
  }
  output.copyUntil(file.count);
  const text = output.finish(finalNewlineAsked(file, inFileOrder));
  if (file.hasBom === knowsBom) return text;
  return file.hasBom ? `\uFEFF${withoutBom(text)}` : withoutBom(text);
}

/** The text of a file that a patch creates. */
export function textOfNewFile(lines: readonly HunkLine[]): string {
  const output: string[] = [];
  for (const line of lines) output.push(line.text, line.carriageReturn ? '\r\n' : '\n');
  if (lines.at(-1)?.noNewline === true) output.pop();
  return output.join('');
}

/** Collects the new text piece by piece; unchanged stretches are slices of the old text. */
class Output {
  readonly #file: TextLines;
  readonly #eol: string;
  readonly #pieces: string[] = [];
  /** Next line of the old text, and its offset. */
  #line = 0;
  #offset: number;
  readonly #bomLength: number;
  /** Terminator of the last line written; undefined before the first. */
  #lastEol: string | undefined;

  /** @param copyBom whether the BOM is copied with the first line; otherwise it is left out */
  constructor(file: TextLines, eol: string, copyBom: boolean) {
    this.#file = file;
    this.#eol = eol;
    this.#bomLength = file.hasBom ? 1 : 0;
    this.#offset = copyBom ? 0 : this.#bomLength;
  }

  copyUntil(line: number): void {
    if (line <= this.#line) return;
    this.#terminate();
    const start = this.#offset;
    while (this.#line < line) this.#pass();
    this.#pieces.push(this.#file.text.slice(start, this.#offset));
    const last = this.#line - 1;
    this.#lastEol = !this.#file.isTerminated(last) ? '' : this.#file.isCrlf(last) ? '\r\n' : '\n';
  }

  copyLine(): void {
    this.copyUntil(this.#line + 1);
  }

  skipLine(): void {
    this.#pass();
  }

  #pass(): void {
    if (this.#line === 0) this.#offset = this.#bomLength;
    this.#offset += this.#file.lengthWithEol(this.#line);
    this.#line++;
  }

  add(text: string, eol: string): void {
    this.#terminate();
    this.#pieces.push(text, eol);
    this.#lastEol = eol;
  }

  /** @param finalNewline how the text is to end; undefined: as it does */
  finish(finalNewline: boolean | undefined): string {
    const text = this.#pieces.join('');
    if (finalNewline === true && this.#lastEol === '') return text + this.#eol;
    if (finalNewline === false && this.#lastEol !== undefined)
      return text.slice(0, text.length - this.#lastEol.length);
    return text;
  }

  /** A line that was the last one without terminator needs one as soon as something follows. */
  #terminate(): void {
    if (this.#lastEol === '') this.#pieces.push(this.#eol);
  }
}

/**
 * Which line ends added lines get. A patch that was made from the file's bytes says it line by line: then every old
 * line in it ends as in the file. Otherwise (a model writes LF whatever the file has) the file's usual ending counts.
 */
function endings(
  file: TextLines,
  placed: readonly Placed[],
  format: PatchFormat,
): { asWritten: boolean; dominant: '\n' | '\r\n' } {
  const { dominantEol } = file;
  if (dominantEol === undefined) {
    const first = placed.flatMap(({ hunk }) => hunk.lines).find((line) => line.kind === 'add');
    return { asWritten: true, dominant: first?.carriageReturn === true ? '\r\n' : '\n' };
  }
  let compared = 0;
  let carriageReturns = false;
  let agree = true;
  for (const { hunk, start, count } of placed) {
    let at = start;
    for (const line of hunk.lines) {
      carriageReturns ||= line.carriageReturn;
      if (line.kind === 'add' || at >= start + count) continue;
      if (file.isTerminated(at) && !line.noNewline) {
        compared++;
        agree &&= file.isCrlf(at) === line.carriageReturn;
      }
      at++;
    }
  }
  const informed = carriageReturns || (format === 'unified' && compared > 0);
  return { asWritten: informed && agree, dominant: dominantEol };
}

/**
 * Whether the new text ends with a newline: as the file does, unless the patch says by
 * `\ No newline at end of file` on one side only that this changes. Undefined where no hunk reaches the end.
 */
function finalNewlineAsked(file: TextLines, inFileOrder: readonly Placed[]): boolean | undefined {
  const atEnd = inFileOrder.filter(({ start, count }) => start + count === file.count);
  if (atEnd.length === 0) return undefined;
  const lines = atEnd.flatMap(({ hunk }) => hunk.lines);
  const before = lines.findLast((line) => line.kind !== 'add')?.noNewline ?? false;
  const after = lines.findLast((line) => line.kind !== 'remove')?.noNewline ?? false;
  return before === after ? file.endsWithNewline : !after;
}

/**
 * A BOM belongs to the file, not to its first line: it stays in front whatever happens to that line. Only a patch whose
 * old first line is written with it says itself where it goes.
 */
function patchKnowsBom(placed: readonly Placed[]): boolean {
  const atStart = placed.find(({ start, count }) => start === 0 && count > 0);
  const oldFirst = atStart?.hunk.lines.find((line) => line.kind !== 'add');
  return oldFirst?.text.startsWith('\uFEFF') === true;
}
