import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { CodedError } from '../../runtime/errors.ts';
import type { FoundLine, Search } from '../../search/index.ts';
import { confirmLines } from './confirm-lines.ts';
import type { ViewerInput, ViewerOutput } from './contracts.ts';
import { invalid } from './errors.ts';
import { DEFAULT_IGNORE } from './hidden-paths.ts';
import { LIMITS } from './limits.ts';
import { absoluteBelow, below, type ViewedPath, type WorkspaceView } from './workspace-view.ts';

export interface ContentSearch {
  readonly matches: ViewerOutput<'searchFile'>['matches'];
  readonly more: boolean;
  readonly timedOut: boolean;
}

/** Spares the engine the folders that are hidden anyway; what is hidden is decided below, whatever the engine finds. */
const WITHOUT_DEFAULTS = `!{${DEFAULT_IGNORE.join(',')}}`;

/**
 * Lines that contain a text, whatever its case. The engine follows no links; of what it finds only that is shown which
 * a file has that passes every rule once more when it is opened: a `.ignore` file or a race must not widen anything.
 */
export async function searchContent(
  view: WorkspaceView,
  search: Search,
  start: ViewedPath,
  input: Pick<ViewerInput<'searchFile'>, 'query' | 'maxResults' | 'contextLines'>,
  accepts: (path: string) => boolean,
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<ContentSearch> {
  const info = await lstat(start.real);
  const isFolder = info.isDirectory();
  // The engine would wait for a pipe.
  if (!isFolder && !info.isFile())
    throw invalid(`"${start.shown}" is neither a folder nor a regular file.`, 'Search a folder.');
  const shown = (path: string) => (isFolder ? below(start.shown, path) : start.shown);
  const ownRulesTakeBack = view.workspace.ignore?.some((pattern) => pattern.startsWith('!')) === true;
  const result = await search.grep({
    folder: isFolder ? start.real : dirname(start.real),
    fileName: isFolder ? undefined : basename(start.real),
    pattern: input.query,
    fixedStrings: true,
    caseInsensitive: true,
    hidden: true,
    glob: isFolder && !ownRulesTakeBack ? WITHOUT_DEFAULTS : undefined,
    mode: 'lines',
    before: input.contextLines,
    after: input.contextLines,
    maxResults: input.maxResults,
    maxBytes: LIMITS.search.maxBytes,
    timeoutMs: limits.timeoutMs,
    signal: limits.signal,
    hides: (path) => !accepts(shown(path)),
  });
  const matches: ContentSearch['matches'] = [];
  for (const file of result.files) {
    if (file.isBinary) continue;
    const absolute = isFolder ? absoluteBelow(start.real, file.path) : start.real;
    const path = shown(file.path);
    const lines = await confirmed(view, { real: absolute, shown: path }, file.lines, limits.signal);
    for (const match of matchesOf(lines, input.contextLines)) matches.push({ path, ...match });
  }
  return { matches, more: result.truncated && !result.timedOut, timedOut: result.timedOut };
}

/** The found lines that are really in the file of this name, and none of a file that may not be shown. */
async function confirmed(
  view: WorkspaceView,
  path: ViewedPath,
  lines: readonly FoundLine[],
  signal: AbortSignal,
): Promise<readonly FoundLine[]> {
  if ((await realpath(path.real).catch(() => undefined)) !== path.real) return [];
  const opened = await view.openFile(path).catch((error: unknown) => {
    if (error instanceof CodedError) return undefined; // hidden, gone, or another thing by now
    throw error;
  });
  if (opened === undefined) return [];
  try {
    const texts = lines.map(({ text }) => text);
    const found = await confirmLines(opened.handle, texts, signal);
    return lines.filter(({ text }) => found.has(text));
  } finally {
    await opened.handle.close();
  }
}

function matchesOf(
  lines: readonly FoundLine[],
  contextLines: number,
): Omit<ContentSearch['matches'][number], 'path'>[] {
  const byNumber = new Map<number, FoundLine>(lines.map((line) => [line.number, line]));
  const around = (from: number, to: number) => {
    const texts: string[] = [];
    for (let number = from; number <= to; number++) {
      const line = byNumber.get(number);
      if (line !== undefined) texts.push(line.text);
    }
    return texts;
  };
  return lines
    .filter((line) => line.isMatch)
    .map(({ number, text }) => ({
      line: number,
      preview: text,
      ...(contextLines > 0 && {
        before: around(number - contextLines, number - 1),
        after: around(number + 1, number + contextLines),
      }),
    }));
}
