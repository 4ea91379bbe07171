import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Tree } from 'web-tree-sitter';
import { CodedError } from '../../runtime/errors.ts';
import { extractSymbols } from './extract.ts';
import type { GrammarName } from './grammars.ts';
import { rulesOf } from './languages/index.ts';
import { loadLanguage, loadTreeSitter } from './load.ts';
import { OneAtATime } from './one-at-a-time.ts';
import type { OutlineSymbol } from './symbols.ts';

export interface ParsedOutline {
  readonly symbols: readonly OutlineSymbol[];
  /** The parser met something that it did not understand. */
  readonly hasErrors: boolean;
}

/** Above this size files are parsed one after the other, because of the memory that their trees take. */
const LARGE_SOURCE_CHARACTERS = 256 * 1024;
/**
 * A file for which the parser's memory would have to grow beyond this is given up. 2 MB of ordinary source take 170
 * MB; endless open brackets take ten times as much.
 */
const MAX_MEMORY_BYTES = 512 * 1024 * 1024;
/** The parser gives the event loop a turn after this time, and goes on where it was. */
const SLICE_MS = 10;
/** A file that takes longer than this to parse is given up; 2 MB of ordinary source take about half a second. */
const MAX_PARSE_MS = 8000;

const largeSources = new OneAtATime();

/**
 * Parses a source text and lists its symbols. Other calls are served meanwhile, several files can be parsed at once.
 *
 * @throws {CodedError} TIMEOUT, TOO_LARGE when it takes too much memory, NOT_AVAILABLE; the signal's reason
 */
export function parseOutline(
  source: string,
  grammar: GrammarName,
  signal: AbortSignal,
): Promise<ParsedOutline> {
  const work = () => parse(source, grammar, signal);
  return source.length < LARGE_SOURCE_CHARACTERS ? work() : largeSources.run(work);
}

async function parse(source: string, grammar: GrammarName, signal: AbortSignal): Promise<ParsedOutline> {
  const [{ Parser, memory }, language, rules] = await Promise.all([
    loadTreeSitter(),
    loadLanguage(grammar),
    rulesOf(grammar),
  ]);
  // Only the time in the parser counts, not that of other calls in between.
  let spentMs = 0;
  const check = () => {
    signal.throwIfAborted();
    if (spentMs > MAX_PARSE_MS) throw tooSlow();
    if (memory.buffer.byteLength > mostBytes) throw tooMuchMemory();
  };
  // What an earlier file made it grow to can be used again.
  const mostBytes = Math.max(MAX_MEMORY_BYTES, memory.buffer.byteLength);
  const parser = new Parser();
  let tree: Tree | null = null;
  try {
    parser.setLanguage(language);
    for (;;) {
      check();
      const startedMs = performance.now();
      const sliceEndMs = startedMs + SLICE_MS;
      // Stopped by the callback, the parser answers null and goes on with the same text where it stopped.
      const progressCallback = () => performance.now() > sliceEndMs || memory.buffer.byteLength > mostBytes;
      tree = parser.parse(source, null, { progressCallback });
      if (tree !== null) break;
      spentMs += performance.now() - startedMs;
      await nextTurn();
    }
    return {
      symbols: await extractSymbols(tree, source, rules, check),
      hasErrors: tree.rootNode.hasError,
    };
  } finally {
    // The memory of both is the parser's own; nobody else frees it.
    tree?.delete();
    parser.delete();
  }
}

function tooSlow(): CodedError {
  return new CodedError(
    'TIMEOUT',
    `The file could not be parsed within ${MAX_PARSE_MS / 1000} s.`,
    'Use grep for the definitions in it.',
  );
}

function tooMuchMemory(): CodedError {
  return new CodedError(
    'TOO_LARGE',
    `The file could not be parsed within ${MAX_MEMORY_BYTES / 1024 / 1024} MiB of memory.`,
    'Use grep for the definitions in it.',
  );
}
