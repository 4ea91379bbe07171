import { Buffer } from 'node:buffer';
import { CodedError } from '../runtime/errors.ts';
import type { Engine, Finding, MatchMode } from './engine.ts';
import { namesHidden } from './glob-pattern.ts';
import type { Pages, Shown } from './pages.ts';

export interface TextRequest {
  /** Absolute path of a folder. */
  readonly folder: string;
  /** Search only this file of the folder: then ignored, hidden and binary files are searched, too. */
  readonly fileName?: string | undefined;
  readonly pattern: string;
  readonly fixedStrings?: boolean | undefined;
  readonly caseInsensitive?: boolean | undefined;
  readonly multiline?: boolean | undefined;
  readonly glob?: string | undefined;
  /** Look into hidden files and folders, too; default: when the glob names such. */
  readonly hidden?: boolean | undefined;
  readonly mode: MatchMode;
  readonly before?: number | undefined;
  readonly after?: number | undefined;
  /** Matching lines in `lines` mode, files in the others. */
  readonly maxResults: number;
  /** Bytes of paths and text together. */
  readonly maxBytes: number;
  /** Of an earlier, cut answer to the same request. */
  readonly cursor?: string | undefined;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What the workspace never shows, by its path relative to the folder. */
  readonly hides?: ((path: string) => boolean) | undefined;
}

export interface FoundLine {
  readonly number: number;
  readonly text: string;
  readonly isMatch: boolean;
}

export interface FoundFile {
  /** Relative to the folder, `/`-separated. */
  readonly path: string;
  /** In `lines` mode. */
  readonly lines: readonly FoundLine[];
  /** Matching lines: all of them in `counts` mode, those returned in `lines` mode. */
  readonly count: number;
  /** It matches, but is binary: its lines are not shown (any further). */
  readonly isBinary: boolean;
}

export interface TextResult {
  /** In the order of their paths. */
  readonly files: readonly FoundFile[];
  /** Matching lines in what is returned. */
  readonly matches: number;
  /**
   * Files and matching lines in all: exact in the `files` and `counts` modes unless `timedOut`, unknown in `lines`
   * mode when the answer is cut, because the search stops there.
   */
  readonly totalFiles: number | undefined;
  readonly totalMatches: number | undefined;
  readonly truncated: boolean;
  /** Give it to the same request to get what comes next. */
  readonly nextCursor: string | undefined;
  readonly timedOut: boolean;
  readonly problems: readonly string[];
  readonly problemCount: number;
}

/** More matching files than this are counted, but not kept. */
const MAX_KEPT_FILES = 100_000;

export async function searchText(
  engine: Engine,
  pages: Pages,
  request: TextRequest & { deadlineMs: number },
): Promise<TextResult> {
  checkPattern(request);
  return request.mode === 'lines' ? searchLines(engine, pages, request) : searchFiles(engine, request);
}

/** Stops as soon as there is one match more than asked for. */
async function searchLines(
  engine: Engine,
  pages: Pages,
  request: TextRequest & { deadlineMs: number },
): Promise<TextResult> {
  const search = searchKey(request);
  const shown = request.cursor === undefined ? NOTHING_SHOWN : pages.recall(search, request.cursor);
  if (!shown) throw unknownCursor();
  const collected = new Map<string, FoundFile & { lines: FoundLine[]; count: number; isBinary: boolean }>();
  let matches = 0;
  let bytes = 0;
  let cutIn: string | undefined;

  const add = (finding: Finding): boolean => {
    if (shown.files.has(finding.path) || request.hides?.(finding.path)) return true;
    if (finding.kind !== 'binary' && finding.number <= (shown.partial.get(finding.path) ?? 0)) return true;
    let file = collected.get(finding.path);
    const cost = Buffer.byteLength(finding.text) + 10 + (file ? 0 : Buffer.byteLength(finding.path) + 2);
    // That a file is binary is a result only where none of its lines are shown.
    const isResult = finding.kind === 'match' || (finding.kind === 'binary' && !file);
    // The first result is returned whatever it takes, so that each page gets somewhere.
    if (matches > 0 && ((isResult && matches >= request.maxResults) || bytes + cost > request.maxBytes)) {
      cutIn = finding.path;
      return false;
    }
    if (!file) {
      file = { path: finding.path, lines: [], count: 0, isBinary: false };
      collected.set(finding.path, file);
    }
    bytes += cost;
    if (isResult) matches++;
    if (finding.kind === 'binary') file.isBinary = true;
    else file.lines.push({ number: finding.number, text: finding.text, isMatch: finding.kind === 'match' });
    if (finding.kind === 'match') file.count++;
    return true;
  };

  const ending = await engine.findMatches(matchRequest(request), add);
  if (cutIn !== undefined) dropTrailingContext(collected.get(cutIn)?.lines);
  const files = [...collected.values()]
    .filter((file) => file.lines.length > 0 || file.isBinary)
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const isCut = cutIn !== undefined;
  return {
    ...ending,
    files,
    matches,
    totalFiles: isCut || ending.timedOut ? undefined : files.length,
    totalMatches: isCut || ending.timedOut ? undefined : matches,
    truncated: isCut || ending.timedOut,
    nextCursor: cutIn === undefined ? undefined : pages.remember(search, grown(shown, files, cutIn)),
  };
}

/** Goes on to the end, because the totals are what these modes are for; pages are cut from the sorted whole. */
async function searchFiles(
  engine: Engine,
  request: TextRequest & { deadlineMs: number },
): Promise<TextResult> {
  const start =
    request.cursor === undefined ? 0 : Number(/^\+(\d+)$/.exec(request.cursor)?.[1] ?? Number.NaN);
  if (Number.isNaN(start)) throw unknownCursor();
  const found: FoundFile[] = [];
  let totalFiles = 0;
  let totalMatches = 0;
  const ending = await engine.findMatches(matchRequest(request), ({ path, number, kind }) => {
    if (request.hides?.(path)) return true;
    totalFiles++;
    totalMatches += number;
    if (found.length < MAX_KEPT_FILES)
      found.push({ path, lines: [], count: number, isBinary: kind === 'binary' });
    return true;
  });
  found.sort((a, b) => (a.path < b.path ? -1 : 1));
  let bytes = 0;
  let end = start;
  while (end < found.length && end - start < request.maxResults) {
    bytes += Buffer.byteLength(found[end]!.path) + 12;
    if (bytes > request.maxBytes && end > start) break;
    end++;
  }
  const files = found.slice(start, end);
  const isCut = end < found.length;
  return {
    ...ending,
    files,
    matches: files.reduce((sum, { count }) => sum + count, 0),
    totalFiles,
    totalMatches: request.mode === 'counts' ? totalMatches : undefined,
    truncated: isCut || ending.timedOut || found.length < totalFiles,
    nextCursor: isCut ? `+${end}` : undefined,
  };
}

const NOTHING_SHOWN: Shown = { files: new Set(), partial: new Map() };

/** Adds a page to what had been shown. Every file but the one that was cut came to its end. */
function grown(shown: Shown, files: readonly FoundFile[], cutIn: string): Shown {
  const complete = new Set(shown.files);
  const partial = new Map(shown.partial);
  for (const { path, lines } of files) {
    if (path === cutIn) partial.set(path, lines.at(-1)?.number ?? 0);
    else {
      partial.delete(path);
      complete.add(path);
    }
  }
  return { files: complete, partial };
}

/** Context before a match that did not fit belongs to the next page. */
function dropTrailingContext(lines: FoundLine[] | undefined): void {
  const last = lines?.findLastIndex((line) => line.isMatch) ?? -1;
  if (lines && last >= 0) lines.length = last + 1;
  else if (lines) lines.length = 0;
}

function matchRequest(request: TextRequest & { deadlineMs: number }) {
  return {
    folder: request.folder,
    fileName: request.fileName,
    pattern: request.pattern,
    fixedStrings: request.fixedStrings ?? false,
    caseInsensitive: request.caseInsensitive ?? false,
    // A text of several lines is searched for as such; ripgrep would take its lines for alternatives.
    multiline:
      (request.multiline ?? false) || ((request.fixedStrings ?? false) && request.pattern.includes('\n')),
    glob: request.glob,
    hidden: request.hidden ?? (request.glob !== undefined && asksForHidden(request.glob)),
    mode: request.mode,
    before: request.before ?? 0,
    after: request.after ?? 0,
    deadlineMs: request.deadlineMs,
    signal: request.signal,
  };
}

/** Whether a glob is valid is for the engine to say. */
function asksForHidden(glob: string): boolean {
  try {
    return namesHidden(glob);
  } catch {
    return false;
  }
}

/** What makes two requests the same search: everything but how much of it is wanted. */
function searchKey(request: TextRequest): string {
  const { folder, fileName, glob, hidden, before, after } = request;
  const { pattern, fixedStrings, caseInsensitive, multiline } = request;
  return JSON.stringify([
    folder,
    fileName,
    glob,
    hidden,
    before,
    after,
    pattern,
    fixedStrings,
    caseInsensitive,
    multiline,
  ]);
}

function checkPattern({ pattern, glob }: TextRequest): void {
  if (pattern === '') {
    throw new CodedError(
      'INVALID_PATTERN',
      'The pattern is empty.',
      'Give what to search for; use glob to list files.',
    );
  }
  if (glob?.includes('\0')) {
    throw new CodedError('INVALID_PATTERN', 'The glob contains a NUL character.', 'Remove it.');
  }
  if (pattern.includes('\0')) {
    throw new CodedError('INVALID_PATTERN', 'The pattern contains a NUL character.', 'Write \\x00 instead.');
  }
}

function unknownCursor(): CodedError {
  return new CodedError(
    'INVALID_PARAMS',
    'The cursor is not one of this search, or no longer known.',
    'Repeat the call without it; the other parameters must be those of the answer that gave it.',
  );
}
