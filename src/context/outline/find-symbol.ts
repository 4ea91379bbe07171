import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CodedError } from '../../runtime/errors.ts';
import type { Search } from '../../search/index.ts';
import { fileError, type Workspace } from '../../workspace/index.ts';
import { grammarOf } from './grammars.ts';
import { outlineFile } from './outline-file.ts';
import type { OutlineSymbol } from './symbols.ts';

export interface FindSymbolRequest {
  /** `name`, or with what it is in: `Type.method`, `Type::method`, `Type#method`. */
  readonly name: string;
  /** A file or folder as a caller gives it; undefined: all roots. */
  readonly path: string | undefined;
}

export interface FindSymbolOptions {
  readonly workspace: Workspace;
  readonly search: Search;
  readonly signal: AbortSignal;
  /** `performance.now()` by which it ends with what it has. */
  readonly deadlineMs: number;
}

export interface FoundSymbol {
  readonly path: string;
  readonly kind: string;
  /** With the names of what it is in, joined by dots. */
  readonly name: string;
  readonly startLine: number;
  readonly endLine: number;
  /** The line of the definition. */
  readonly text: string;
}

export interface FoundSymbols {
  readonly symbols: readonly FoundSymbol[];
  /** More than `symbols` were found. */
  readonly moreSymbols: boolean;
  /** Source files that contain the name, and how many of them were looked at. */
  readonly candidates: number;
  readonly checked: number;
  /** Candidates that could not be parsed, with the reason. */
  readonly skipped: readonly string[];
}

const MAX_SYMBOLS = 100;
const MAX_CANDIDATES = 5000;
const MAX_SKIPPED = 10;
const MAX_LINE_CHARACTERS = 200;
const MAX_NAME_CHARACTERS = 200;
/** Files read while others are parsed. */
const CONCURRENCY = 4;

/** Words that stand before the name of a definition in one language or another. */
const KEYWORDS =
  'function|func|fun|fn|def|defp|class|interface|struct|enum|union|trait|impl|type|typedef|record|protocol|module|mod|namespace|package|const|let|var|val|static|macro_rules!|define|delegate|event|object|extends';

/**
 * Where a symbol is defined: the files that contain the name as a word, found by the search, are outlined, those
 * first in which it follows a word such as `class` or `def`.
 *
 * @throws {CodedError} INVALID_PARAMS for a name that no symbol can have; what search and path guard throw
 */
export async function findSymbol(
  request: FindSymbolRequest,
  options: FindSymbolOptions,
): Promise<FoundSymbols> {
  const wanted = partsOf(request.name);
  const candidates = await candidatesFor(wanted.at(-1)!, request.path, options);
  const symbols: FoundSymbol[] = [];
  const skipped: string[] = [];
  let checked = 0;
  let next = 0;
  const work = async () => {
    while (
      next < candidates.length &&
      symbols.length <= MAX_SYMBOLS &&
      performance.now() < options.deadlineMs
    ) {
      const path = candidates[next++]!;
      const shown = options.workspace.display(path);
      try {
        await options.workspace.forReading(path);
        const found = await outlineFile({ path, shown }, options.signal);
        symbols.push(...matching(found.symbols, wanted, shown, found.text));
      } catch (error) {
        if (!(error instanceof CodedError) || options.signal.aborted || error.code === 'NOT_AVAILABLE')
          throw error;
        if (skipped.length < MAX_SKIPPED) skipped.push(`${shown}: ${error.code}`);
      }
      checked++;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  const rank = new Map(candidates.map((path, index) => [options.workspace.display(path), index]));
  symbols.sort((a, b) => rank.get(a.path)! - rank.get(b.path)! || a.startLine - b.startLine);
  return {
    symbols: symbols.slice(0, MAX_SYMBOLS),
    moreSymbols: symbols.length > MAX_SYMBOLS,
    candidates: candidates.length,
    checked,
    skipped,
  };
}

/** `Type.method` → Type, method. */
function partsOf(name: string): string[] {
  const parts = name
    .trim()
    .replace(/\(\)$/, '')
    .split(/(?<=[^.:#])(?:\.|::|#)(?=[^.:#])/);
  if (name.trim() === '' || name.length > MAX_NAME_CHARACTERS || /[\n\r\0]/.test(name)) {
    throw new CodedError(
      'INVALID_PARAMS',
      'The name is empty, too long or has line breaks.',
      'Give the name of one symbol such as "parse" or "Parser.parse"; use grep to search for text.',
    );
  }
  return parts;
}

async function candidatesFor(
  name: string,
  path: string | undefined,
  { workspace, search, signal, deadlineMs }: FindSymbolOptions,
): Promise<string[]> {
  const places =
    path === undefined ? workspace.roots.map((root) => ({ folder: root })) : [await placeOf(path, workspace)];
  const word = wordPattern(name);
  const found: string[] = [];
  for (const place of places) {
    const timeoutMs = Math.max(deadlineMs - performance.now(), 1);
    const grep = async (pattern: string) => {
      const request = { ...place, pattern, mode: 'files' as const, maxResults: MAX_CANDIDATES };
      const { files } = await search.grep({
        ...request,
        maxBytes: Number.POSITIVE_INFINITY,
        timeoutMs,
        signal,
      });
      return files.map((file) => file.path);
    };
    const [likely, all] = await Promise.all([
      grep(`\\b(?:${KEYWORDS})\\b[^;={}]{0,120}?${word}`),
      grep(word),
    ]);
    const inOrder = new Set([...likely, ...all].filter((each) => grammarOf(basename(each)) !== undefined));
    for (const each of inOrder) found.push(join(place.folder, each));
  }
  return found;
}

async function placeOf(path: string, workspace: Workspace): Promise<{ folder: string; fileName?: string }> {
  const absolute = await workspace.forReading(path);
  const stats = await stat(absolute).catch(async (error: unknown) => {
    throw await fileError(error, { path: absolute, shown: workspace.display(absolute) }, 'read');
  });
  if (stats.isDirectory()) return { folder: absolute };
  return { folder: dirname(absolute), fileName: basename(absolute) };
}

/** The name as a whole word; where it begins or ends with another character (`$x`, `empty?`) there is no word's end. */
function wordPattern(name: string): string {
  const escaped = name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const isWord = (character: string | undefined) =>
    character !== undefined && /[\p{L}\p{N}_]/u.test(character);
  return `${isWord([...name][0]) ? '\\b' : ''}${escaped}${isWord([...name].at(-1)) ? '\\b' : ''}`;
}

/** The symbols with this name, in the named containers where some are given. */
function matching(
  symbols: readonly OutlineSymbol[],
  wanted: readonly string[],
  path: string,
  text: string,
): FoundSymbol[] {
  const found: FoundSymbol[] = [];
  let lines: string[] | undefined;
  const visit = (level: readonly OutlineSymbol[], containers: readonly string[]) => {
    for (const symbol of level) {
      const names = [...containers, symbol.name];
      if (isWanted(names, wanted)) {
        lines ??= text.split('\n');
        found.push({
          path,
          kind: symbol.kind,
          name: names.join('.'),
          startLine: symbol.startLine,
          endLine: symbol.endLine,
          text: definitionLine(lines, symbol, wanted.at(-1)!),
        });
      }
      visit(symbol.children, names);
    }
  };
  visit(symbols, []);
  return found;
}

/** Outlines name some symbols with their container (`Server.Start`, `ns::C::m`, `exports.f`): the parts are compared. */
function isWanted(names: readonly string[], wanted: readonly string[]): boolean {
  const parts = names.flatMap((name) => name.split(/\.|::/)).map(bare);
  const want = wanted.map(bare);
  if (parts.at(-1) !== want.at(-1)) return false;
  // What it is said to be in must be somewhere above it, in this order.
  let at = parts.length - 1;
  for (let index = want.length - 2; index >= 0; index--) {
    at = parts.lastIndexOf(want[index]!, at - 1);
    if (at < 0) return false;
  }
  return true;
}

/** Without type parameters, and without the sign of PHP's and PowerShell's variables. */
function bare(name: string): string {
  return name.replace(/<.*$/, '').replace(/^\$/, '').trim();
}

/** The first line of the definition that has the name on it: decorators and comments come before. */
function definitionLine(lines: readonly string[], symbol: OutlineSymbol, name: string): string {
  const end = Math.min(symbol.endLine, symbol.startLine + 30);
  const own = lines.slice(symbol.startLine - 1, end);
  const line = (own.find((each) => each.includes(bare(name))) ?? own[0] ?? '').trim();
  return line.length > MAX_LINE_CHARACTERS ? `${line.slice(0, MAX_LINE_CHARACTERS).toWellFormed()}…` : line;
}
