import { findRipgrep } from '../runtime/ripgrep-asset.ts';
import type { Engine } from './engine.ts';
import { type GlobRequest, type GlobResult, searchByGlob } from './glob-search.ts';
import { ModificationTimes } from './modification-times.ts';
import { Pages } from './pages.ts';
import { createRipgrepEngine } from './ripgrep/engine.ts';
import { searchText, type TextRequest, type TextResult } from './text-search.ts';

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
    engine ??= options.engine ? Promise.resolve(options.engine) : findEngine(options.stateDir);
    return engine;
  };
  const deadline = (timeoutMs = DEFAULT_TIMEOUT_MS) => performance.now() + timeoutMs;

  return {
    glob: async (request) =>
      searchByGlob(await ready(), times, { ...request, deadlineMs: deadline(request.timeoutMs) }),
    grep: async (request) =>
      searchText(await ready(), pages, { ...request, deadlineMs: deadline(request.timeoutMs) }),
    engineName: async () => (await ready()).name,
  };
}

async function findEngine(stateDir: string): Promise<Engine> {
  const program = await findRipgrep(stateDir);
  if (program !== undefined) return createRipgrepEngine(program);
  const { createJavaScriptEngine } = await import('./javascript/engine.ts');
  return createJavaScriptEngine();
}
