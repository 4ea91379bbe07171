import { forTerminal } from '../../runtime/terminal.ts';

const MAX_LINE_CHARS = 2_000;
const CONTEXT_LINES = 3;

/**
 * The change of a file as a unified diff. Where nobody watches (a log, a pipe) the lines around it are left out: they
 * are other servers' entries, and keys stand in those.
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
  return patch
    .split('\n')
    .filter((line) => !/^(=+|Index: .*)$/.test(line))
    .map(shown)
    .join('\n');
}

/** Tabs stay, a carriage return at the end is layout; everything else that moves a cursor is shown as an escape. */
function shown(line: string): string {
  const cut =
    line.length > MAX_LINE_CHARS
      ? `${line.slice(0, MAX_LINE_CHARS)}… [${line.length - MAX_LINE_CHARS} more characters]`
      : line;
  return cut.replace(/\r$/, '').split('\t').map(forTerminal).join('\t');
}
