/**
 * What a line is here: the text up to and including LF. A CR before that LF belongs to the line end; a CR alone,
 * form feed, U+2028 and the like are ordinary characters, as for git, ripgrep and compilers.
 */
export type Eol = '\n' | '\r\n';

/** How the lines of a text end; `none` when there is no line end in it. */
export type EolStyle = 'lf' | 'crlf' | 'mixed' | 'none';

export function eolStyle(text: string): EolStyle {
  const { total, crlf } = countLineEnds(text);
  if (total === 0) return 'none';
  if (crlf === 0) return 'lf';
  return crlf === total ? 'crlf' : 'mixed';
}

/** The line end that most lines have; LF for a text without any. */
export function dominantEol(text: string): Eol {
  const { total, crlf } = countLineEnds(text);
  return crlf * 2 > total ? '\r\n' : '\n';
}

/** Number of lines: a last line without a line end counts, nothing behind a final LF does not. */
export function countLines(text: string): number {
  const { total } = countLineEnds(text);
  return text === '' || text.endsWith('\n') ? total : total + 1;
}

/** The lines with their ends as they are; joined they are the text again. */
export function splitLines(text: string): string[] {
  const lines: string[] = [];
  let start = 0;
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
    lines.push(text.slice(start, end + 1));
    start = end + 1;
  }
  if (start < text.length) lines.push(text.slice(start));
  return lines;
}

/** The 1-based line numbers of ascending positions, in one pass over the text. */
export function lineNumbersAt(text: string, positions: readonly number[]): number[] {
  const numbers: number[] = [];
  let line = 1;
  let next = text.indexOf('\n');
  for (const position of positions) {
    while (next !== -1 && next < position) {
      line++;
      next = text.indexOf('\n', next + 1);
    }
    numbers.push(line);
  }
  return numbers;
}

function countLineEnds(text: string): { total: number; crlf: number } {
  let total = 0;
  let crlf = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
    total++;
    if (at > 0 && text.charCodeAt(at - 1) === 13) crlf++;
  }
  return { total, crlf };
}
