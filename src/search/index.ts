import type { Confinement } from '../access/sandbox/index.ts';
import { findRipgrep } from '../runtime/ripgrep-asset.ts';
import type { Engine } from './engine.ts';
import { type GlobRequest, type GlobResult, searchByGlob } from './glob-search.ts';
import { ModificationTimes } from './modification-times.ts';
import { Pages } from './pages.ts';
import { createRipgrepEngine } from './ripgrep/engine.ts';
import { searchText, type TextRequest, type TextResult } from './text-search.ts';
import { type Visibility, visibleFiles, visibleMatches } from './visible.ts';

export type { Engine, MatchMode } from './engine.ts';
export { compileGlob, type GlobPattern } from './glob-pattern.ts';
export { anchorGlob, type GlobRequest, type GlobResult } from './glob-search.ts';
export type { FoundFile, FoundLine, TextRequest, TextResult } from './text-search.ts';

/** Searching files by name and by content. Ignore rules hold as in ripgrep, in repositories and outside of them. */
export interface Search {
  /**
   * Files that match a glob, the newest first over all of them.
   * @throws {CodedError} INVALID_PATTERN
   */
  glob(request: GlobRequest): Promise<GlobResult>;
  /**
   * Lines, files or counts that match a pattern.
   * @throws {CodedError} INVALID_PATTERN; INVALID_PARAMS for a cursor that is not known
   */
  grep(request: TextRequest): Promise<TextResult>;
  /** Which engine this host can use; it is found out at the first search. */
  engineName(): Promise<Engine['name']>;
}

export interface SearchOptions {
  /** Where the embedded ripgrep is extracted to, once. */
  readonly stateDir: string;
  /** What results must leave out (workspace.ts); without it nothing. */
  readonly visibility?: Visibility | undefined;
  /** In modes that confine commands: ripgrep sees the roots and nothing else. */
  readonly confinement?: Confinement | undefined;
  /** Use this engine instead of looking for ripgrep. For tests. */
  readonly engine?: Engine;
}

/** A search answers after this time with what it has. */
const DEFAULT_TIMEOUT_MS = 30_000;

/** Does nothing until the first search. */
export function createSearch(options: SearchOptions): Search {
  const times = new ModificationTimes();
  const pages = new Pages();
  let engine: Promise<Engine> | undefined;
  const ready = () => {
    engine ??= options.engine ? Promise.resolve(options.engine) : findEngine(options);
    return engine;
  };
  const deadline = (timeoutMs = DEFAULT_TIMEOUT_MS) => performance.now() + timeoutMs;

  return {
    glob: async (request) => {
      const hides = await options.visibility?.hiddenBelow(request.folder);
      const deadlineMs = deadline(request.timeoutMs);
      const found = await searchByGlob(await ready(), times, { ...request, hides, deadlineMs });
      return request.includeIgnored ? visibleFiles(request.folder, found, options.visibility) : found;
    },
    grep: async (request) => {
      const hidden = await options.visibility?.hiddenBelow(request.folder);
      const hides = (path: string) => request.hides?.(path) === true || hidden?.(path) === true;
      const deadlineMs = deadline(request.timeoutMs);
      const found = await searchText(await ready(), pages, { ...request, hides, deadlineMs });
      return request.glob === undefined ? found : visibleMatches(request.folder, found, options.visibility);
    },
    engineName: async () => (await ready()).name,
  };
}

async function findEngine({ stateDir, confinement }: SearchOptions): Promise<Engine> {
  const program = await findRipgrep(stateDir);
  if (program !== undefined) return createRipgrepEngine(program, confinement);
  const { createJavaScriptEngine } = await import('./javascript/engine.ts');
  return createJavaScriptEngine(confinement?.roots);
}
