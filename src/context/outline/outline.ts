import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../../runtime/errors.ts';
import type { Search } from '../../search/index.ts';
import { type FileRef, fileError, type Workspace } from '../../workspace/index.ts';
import { hasOutline, outlineFile } from './outline-file.ts';
import { countSymbols, outlineLines } from './render.ts';

export interface OutlineRequest {
  /** A file or folder as a caller gives it. */
  readonly path: string;
  /** Lines of a file's outline, or files of a folder, to leave out: where an earlier answer was cut. */
  readonly offset: number;
}

export interface OutlineOptions {
  readonly workspace: Workspace;
  readonly search: Search;
  readonly signal: AbortSignal;
  /** `performance.now()` by which a folder's outline ends with what it has. */
  readonly deadlineMs: number;
}

export interface OutlineReport {
  /** As results show it. */
  readonly path: string;
  readonly text: string;
  readonly isFolder: boolean;
  /** Of a file. */
  readonly language: string | undefined;
  readonly symbols: number;
  readonly files: number;
  /** Files that did not parse cleanly. */
  readonly filesWithErrors: readonly string[];
  /** Files that were left out, and why. */
  readonly skipped: readonly string[];
  /** The offset that continues; undefined when this is all. */
  readonly nextOffset: number | undefined;
  /** Lines or files altogether. */
  readonly total: number;
}

const MAX_TEXT_BYTES = 200 * 1024;
const MAX_FILES = 300;
const MAX_LISTED_FILES = 100_000;
const MAX_NAMED_FILES = 20;

/**
 * The symbols of a file, or the top-level symbols of every file below a folder.
 *
 * @throws {CodedError} FILE_NOT_FOUND, UNSUPPORTED_FILE, TOO_LARGE, BINARY_FILE, TIMEOUT, …
 */
export async function outline(request: OutlineRequest, options: OutlineOptions): Promise<OutlineReport> {
  const { workspace } = options;
  const path = await workspace.forReading(request.path);
  const file = { path, shown: workspace.display(path) };
  const stats = await stat(path).catch(async (error: unknown) => {
    throw await fileError(error, file, 'read');
  });
  return stats.isDirectory()
    ? outlineOfFolder(file, request.offset, options)
    : outlineOfFile(file, request.offset, options.signal);
}

async function outlineOfFile(file: FileRef, offset: number, signal: AbortSignal): Promise<OutlineReport> {
  const { language, symbols, hasErrors } = await outlineFile(file, signal);
  const lines = outlineLines(symbols, Number.POSITIVE_INFINITY);
  const page = new Page(offset);
  for (const line of lines.slice(offset)) if (!page.add(`${line}\n`)) break;
  return {
    path: file.shown,
    text: page.text,
    isFolder: false,
    language,
    symbols: countSymbols(symbols),
    files: 1,
    filesWithErrors: hasErrors ? [file.shown] : [],
    skipped: [],
    nextOffset: page.end < lines.length ? page.end : undefined,
    total: lines.length,
  };
}

async function outlineOfFolder(
  folder: FileRef,
  offset: number,
  options: OutlineOptions,
): Promise<OutlineReport> {
  const { workspace, search, signal, deadlineMs } = options;
  const listed = await search.glob({
    folder: folder.path,
    pattern: '**',
    maxResults: MAX_LISTED_FILES,
    signal,
  });
  const paths = listed.paths
    .filter((path) => hasOutline(path) && !/\.min\.(js|css)$|\.d\.[cm]?ts\.map$/i.test(path))
    .sort();
  const page = new Page(offset);
  const filesWithErrors: string[] = [];
  const skipped: string[] = [];
  let symbols = 0;
  for (const path of paths.slice(offset, offset + MAX_FILES)) {
    if (performance.now() > deadlineMs && page.end > offset) break;
    const absolute = join(folder.path, path);
    const shown = workspace.display(absolute);
    try {
      await workspace.forReading(absolute);
      const found = await outlineFile({ path: absolute, shown }, signal);
      const lines = outlineLines(found.symbols, 1);
      if (!page.add([shown, ...lines.map((line) => `  ${line}`)].join('\n').concat('\n'))) break;
      symbols += lines.length;
      if (found.hasErrors) filesWithErrors.push(shown);
    } catch (error) {
      if (!(error instanceof CodedError) || signal.aborted || error.code === 'NOT_AVAILABLE') throw error;
      skipped.push(`${shown}: ${error.code}`);
      page.end++;
    }
  }
  return {
    path: folder.shown,
    text: page.text,
    isFolder: true,
    language: undefined,
    symbols,
    files: page.end - offset,
    filesWithErrors: filesWithErrors.slice(0, MAX_NAMED_FILES),
    skipped: skipped.slice(0, MAX_NAMED_FILES),
    nextOffset: page.end < paths.length ? page.end : undefined,
    total: paths.length,
  };
}

/** Text that grows entry by entry up to the bound of an answer. */
class Page {
  readonly #entries: string[] = [];
  #bytes = 0;
  /** Number of the entry after the last one taken. */
  end: number;

  constructor(offset: number) {
    this.end = offset;
  }

  /** @returns false when it does not fit; the first one always does */
  add(entry: string): boolean {
    const bytes = Buffer.byteLength(entry);
    if (this.#bytes > 0 && this.#bytes + bytes > MAX_TEXT_BYTES) return false;
    this.#entries.push(entry);
    this.#bytes += bytes;
    this.end++;
    return true;
  }

  get text(): string {
    return this.#entries.join('');
  }
}
