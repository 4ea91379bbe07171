import { forTerminal } from '../../runtime/terminal.ts';

const MAX_LINE_CHARS = 2_000;
const CONTEXT_LINES = 3;
/** Of a line that is too long to be shown: what stands before and behind the change. */
const CONTEXT_CHARS = 40;

/**
 * The change of a file as a unified diff. Where nobody watches (a log, a pipe) what is around it is left out: other
 * servers' entries, and keys stand in those. Of a file of one line the part that changes is shown.
 */
export async function unifiedDiffOf(
  path: string,
  before: string,
  after: string,
  stream: { readonly isTTY?: boolean },
): Promise<string> {
  const { createTwoFilesPatch } = await import('diff');
  const patch = createTwoFilesPatch(path, path, before, after, '', '', {
    context: stream.isTTY ? CONTEXT_LINES : 0,
  });
  const lines = patch.split('\n').filter((line) => !/^(=+|Index: .*)$/.test(line));
  const isOneLine = before.trim() !== '' && !before.trim().includes('\n');
  const isLong = lines.some((line) => /^[-+]/.test(line) && line.length > MAX_LINE_CHARS);
  if (before !== '' && ((isOneLine && stream.isTTY !== true) || isLong))
    return insideOfLines(path, before, after, stream.isTTY ? CONTEXT_CHARS : 0);
  return lines.map(shown).join('\n');
}

/** The part that differs, with some characters around it. */
function insideOfLines(path: string, before: string, after: string, context: number): string {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < most - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  const part = (mark: string, text: string) => {
    const [from, to] = [Math.max(0, start - context), Math.min(text.length, text.length - end + context)];
    const piece = (from > 0 ? '…' : '') + text.slice(from, to) + (to < text.length ? '…' : '');
    return start === text.length - end ? [] : piece.split('\n').map((line) => shown(mark + line));
  };
  const line = before.slice(0, start).split('\n').length;
  return [
    `--- ${path}`,
    `+++ ${path}`,
    `@@ line ${line}, from character ${start - before.lastIndexOf('\n', start - 1)} @@`,
    ...part('-', before),
    ...part('+', after),
    '',
  ].join('\n');
}

/** Tabs stay, a carriage return at the end is layout; everything else that moves a cursor is shown as an escape. */
function shown(line: string): string {
  const cut =
    line.length > MAX_LINE_CHARS
      ? `${line.slice(0, MAX_LINE_CHARS)}… [${line.length - MAX_LINE_CHARS} more characters]`
      : line;
  return cut.replace(/\r$/, '').split('\t').map(forTerminal).join('\t');
}
