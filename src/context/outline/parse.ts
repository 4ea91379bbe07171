import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Tree } from 'web-tree-sitter';
import { CodedError } from '../../runtime/errors.ts';
import { extractSymbols } from './extract.ts';
import type { GrammarName } from './grammars.ts';
import { rulesOf } from './languages/index.ts';
import { loadLanguage, loadTreeSitter } from './load.ts';
import type { OutlineSymbol } from './symbols.ts';

export interface ParsedOutline {
  readonly symbols: readonly OutlineSymbol[];
  /** The parser met something that it did not understand. */
  readonly hasErrors: boolean;
}

/** The parser gives the event loop a turn after this time, and goes on where it was. */
const SLICE_MS = 10;
/** A file that takes longer than this to parse is given up; 2 MB of ordinary source take about half a second. */
const MAX_PARSE_MS = 8000;

/**
 * Parses a source text and lists its symbols. Other calls are served meanwhile, several files can be parsed at once.
 *
 * @throws {CodedError} TIMEOUT, NOT_AVAILABLE; the signal's reason
 */
export async function parseOutline(
  source: string,
  grammar: GrammarName,
  signal: AbortSignal,
): Promise<ParsedOutline> {
  const [{ Parser }, language, rules] = await Promise.all([
    loadTreeSitter(),
    loadLanguage(grammar),
    rulesOf(grammar),
  ]);
  // Only the time in the parser counts, not that of other calls in between.
  let spentMs = 0;
  const check = () => {
    signal.throwIfAborted();
    if (spentMs > MAX_PARSE_MS) throw tooSlow();
  };
  const parser = new Parser();
  let tree: Tree | null = null;
  try {
    parser.setLanguage(language);
    for (;;) {
      check();
      const startedMs = performance.now();
      const sliceEndMs = startedMs + SLICE_MS;
      // Stopped by the callback, the parser answers null and goes on with the same text where it stopped.
      tree = parser.parse(source, null, { progressCallback: () => performance.now() > sliceEndMs });
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
