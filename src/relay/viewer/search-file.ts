import { CodedError } from '../../runtime/errors.ts';
import type { ViewerOutput } from './contracts.ts';
import { invalid } from './errors.ts';
import { fileFilter } from './file-globs.ts';
import { LIMITS } from './limits.ts';
import { searchContent } from './search-content.ts';
import { searchPaths } from './search-paths.ts';
import { counted, jsonBytes, type ViewHandler } from './types.ts';

export const searchFile: ViewHandler<'searchFile'> = async (input, { view, search, signal }) => {
  if (/[\0\r\n]/.test(input.query)) {
    throw invalid('The query contains a line end or NUL.', 'Search for the text of one line.');
  }
  const accepts = fileFilter(input.fileGlob);
  const start = await view.path(input.pathPrefix ?? '.');
  const { timeoutMs } = LIMITS.search;
  const result =
    input.mode === 'path'
      ? await searchPaths(view, start, input, accepts, {
          deadlineMs: performance.now() + timeoutMs,
          signal,
        }).then(({ found, ...rest }) => ({ matches: [...found], ...rest }))
      : await searchContent(view, search, start, input, accepts, { timeoutMs, signal });
  if (result.timedOut && result.matches.length === 0) {
    throw new CodedError(
      'SEARCH_TIMEOUT',
      `Nothing was found in ${timeoutMs / 1000} s, and not everything had been searched by then.`,
      'Search less: give pathPrefix a folder, or fileGlob the kind of file.',
    );
  }
  const { kept, isCut } = withinBytes<ViewerOutput<'searchFile'>['matches'][number]>(result.matches);
  const truncated = result.more || result.timedOut || isCut;
  const what = input.mode === 'path' ? 'path' : 'line';
  return {
    summary: truncated
      ? `${counted(kept.length, `matching ${what}`)}, and there may be more${result.timedOut ? ` (stopped after ${timeoutMs / 1000} s)` : ''}: narrow the search with pathPrefix, fileGlob or a longer query.`
      : kept.length === 0
        ? `No ${what} in ${start.shown === '.' ? 'the workspace' : start.shown} contains this text; ignored ${what === 'path' ? 'paths' : 'and binary files'} are not searched.`
        : `${counted(kept.length, `matching ${what}`)}, all there are.`,
    data: { matches: kept, truncated },
  };
};

/** The bound counts JSON as it is sent: escapes can make a line twice as long. */
function withinBytes<Match>(matches: readonly Match[]): { kept: Match[]; isCut: boolean } {
  const kept: Match[] = [];
  let bytes = 0;
  for (const match of matches) {
    bytes += jsonBytes(match) + 1;
    if (bytes > LIMITS.search.maxBytes && kept.length > 0) return { kept, isCut: true };
    kept.push(match);
  }
  return { kept, isCut: false };
}
