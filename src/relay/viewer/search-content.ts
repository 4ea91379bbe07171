import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { FoundFile, FoundLine, Search } from '../../search/index.ts';
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
 * Lines that contain a text, whatever its case. The engine follows no links; of what it finds only that is shown whose
 * real path is where it was found and which no rule hides: a `.ignore` file or a race must not widen anything.
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
    if ((await realpath(absolute).catch(() => undefined)) !== absolute) continue;
    if (await view.hidden.holds(absolute)) continue;
    for (const match of matchesOf(file, input.contextLines))
      matches.push({ path: shown(file.path), ...match });
  }
  return { matches, more: result.truncated && !result.timedOut, timedOut: result.timedOut };
}

function matchesOf(file: FoundFile, contextLines: number): Omit<ContentSearch['matches'][number], 'path'>[] {
  const byNumber = new Map<number, FoundLine>(file.lines.map((line) => [line.number, line]));
  const around = (from: number, to: number) => {
    const texts: string[] = [];
    for (let number = from; number <= to; number++) {
      const line = byNumber.get(number);
      if (line !== undefined) texts.push(line.text);
    }
    return texts;
  };
  return file.lines
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
