/**
 * What a search engine does. Two exist: the embedded ripgrep (ripgrep/engine.ts) and one in JavaScript for hosts
 * where no extracted program may run (javascript/engine.ts). They find the same; tests/search/agreement.test.ts
 * holds both against the rg program itself. What is common to both (globs, order, limits, pages) stands above.
 */
export interface Engine {
  readonly name: 'ripgrep' | 'javascript';
  /**
   * Hands over every regular file below a folder in batches, in no particular order. Symbolic links are neither
   * listed nor followed.
   * @param onPaths returning false ends the listing
   */
  listFiles(request: ListRequest, onPaths: (paths: readonly string[]) => boolean): Promise<Ending>;
  /**
   * Hands over what matches, the lines of one file one after the other, the files in no particular order.
   * @param onFinding returning false ends the search
   * @throws {CodedError} INVALID_PATTERN with the engine's own message
   */
  findMatches(request: MatchRequest, onFinding: (finding: Finding) => boolean): Promise<Ending>;
}

/** Bounds of the work, common to both questions. */
export interface Limits {
  /** `performance.now()` by which the engine ends with what it has. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface ListRequest extends Limits {
  /** Absolute; its own ignore state does not matter, that of its parents' rules does. */
  readonly folder: string;
  /** Where below `folder` to start, `/`-separated, '' for the folder itself. Paths stay relative to `folder`. */
  readonly below: string;
  /** Folder levels below `below`; undefined: all. */
  readonly maxDepth?: number | undefined;
  readonly hidden: boolean;
  readonly ignoreRules: boolean;
  /** List what is inside `.git`, too. */
  readonly gitFolder: boolean;
}

export interface MatchRequest extends Limits {
  /** Absolute. */
  readonly folder: string;
  /** Search only this file of the folder, ignored, hidden or not. */
  readonly fileName?: string | undefined;
  readonly pattern: string;
  readonly fixedStrings: boolean;
  readonly caseInsensitive: boolean;
  readonly multiline: boolean;
  /** As ripgrep's --glob: relative to the folder, `!` excludes, overrides the ignore rules. */
  readonly glob?: string | undefined;
  /** Hidden files and folders as well, `.git` never. */
  readonly hidden?: boolean | undefined;
  readonly mode: MatchMode;
  readonly before: number;
  readonly after: number;
}

/** `lines`: matching lines and context; `files`: the first match of a file is enough; `counts`: matching lines per file. */
export type MatchMode = 'lines' | 'files' | 'counts';

export interface Finding {
  /** Relative to the folder, `/`-separated. */
  readonly path: string;
  /** In `counts` mode the number of matching lines, in `lines` mode the line's number, else 0. */
  readonly number: number;
  /** `binary`: the file has matches, but is binary, so that no (further) lines are shown. */
  readonly kind: 'match' | 'context' | 'file' | 'binary';
  /** The line without its terminator, cut around the first match where it is long; '' outside of `lines` mode. */
  readonly text: string;
}

export interface Ending {
  /** The deadline came first: what was handed over may be a part. */
  readonly timedOut: boolean;
  /** Folders and files that could not be searched, with the reason; at most MAX_PROBLEMS. */
  readonly problems: readonly string[];
  /** How many there were. */
  readonly problemCount: number;
}

export const MAX_PROBLEMS = 5;

/** Bytes of a line that are shown; what is longer is cut around its first match (line-window.ts). */
export const MAX_LINE_BYTES = 1000;
