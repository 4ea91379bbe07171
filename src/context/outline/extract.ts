import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Node, Tree } from 'web-tree-sitter';
import type { LanguageRules, OutlineSymbol, Place } from './symbols.ts';

/** The event loop is left alone for no longer than this. */
const SLICE_MS = 10;
/** Nodes between two looks at the clock. */
const NODES_PER_LOOK = 500;
const MAX_NAME_CHARACTERS = 120;
const FUNCTION_KINDS = new Set(['function', 'method', 'constructor', 'getter', 'setter']);

interface Frame {
  readonly into: OutlineSymbol[];
  readonly place: Place;
  /** First line of a wrapper, which counts for the nodes directly in it. */
  readonly firstRow: number | undefined;
}

/**
 * The symbols of a syntax tree. What the parser could not make sense of is looked into as well, so that a file with
 * errors still gives what can be recognised.
 *
 * @param check called now and then; throws to end it
 */
export async function extractSymbols(
  tree: Tree,
  source: string,
  rules: LanguageRules,
  check: () => void,
): Promise<OutlineSymbol[]> {
  const compiled = compile(rules);
  const text = (node: Node) => oneLine(source.slice(node.startIndex, node.endIndex));
  const symbols: OutlineSymbol[] = [];
  const cursor = tree.walk();
  const frames: Frame[] = [];
  let frame: Frame = {
    into: symbols,
    place: { inFunction: false, inType: false, inNamedFunction: false },
    firstRow: undefined,
  };
  let sliceEndMs = performance.now() + SLICE_MS;
  try {
    for (let visited = 1; ; visited++) {
      if (visited % NODES_PER_LOOK === 0) {
        check();
        if (performance.now() > sliceEndMs) {
          await nextTurn();
          sliceEndMs = performance.now() + SLICE_MS;
        }
      }
      const type = cursor.nodeType;
      const inside = look(type);
      if (inside !== undefined && cursor.gotoFirstChild()) {
        frames.push(frame);
        frame = inside;
        continue;
      }
      while (!cursor.gotoNextSibling()) {
        const above = frames.pop();
        if (above === undefined || !cursor.gotoParent()) return symbols;
        frame = above;
      }
    }
  } finally {
    cursor.delete();
  }

  /** Takes the cursor's node into the outline; the frame for its children, or undefined to pass it by. */
  function look(type: string): Frame | undefined {
    const { place } = frame;
    if (place.inNamedFunction && compiled.outsideNamedFunctions.has(type)) return undefined;
    const rule = compiled.symbols.get(type);
    const found = rule === undefined ? undefined : rule(cursor.currentNode, place, text);
    if (found === undefined && (rule !== undefined || !compiled.through.has(type))) return undefined;
    let into = frame.into;
    if (found !== undefined && found !== 'through') {
      for (const name of found.names) {
        const symbol = symbolAt(found.kind, name);
        frame.into.push(symbol);
        into = symbol.children;
      }
    }
    const isWrapper = compiled.wrappers.has(type);
    return {
      into,
      place: {
        inFunction: place.inFunction || compiled.functions.has(type),
        inType: compiled.types.has(type) || (place.inType && (found === undefined || found === 'through')),
        inNamedFunction:
          place.inNamedFunction || (typeof found === 'object' && FUNCTION_KINDS.has(found.kind)),
      },
      firstRow: isWrapper ? (frame.firstRow ?? cursor.startPosition.row) : undefined,
    };
  }

  function symbolAt(kind: string, name: string): OutlineSymbol {
    const { row } = cursor.startPosition;
    const end = cursor.endPosition;
    // A node that ends with its line end ends on that line, not at the start of the next.
    const endRow = end.column === 0 && end.row > row ? end.row - 1 : end.row;
    return { kind, name, startLine: (frame.firstRow ?? row) + 1, endLine: endRow + 1, children: [] };
  }
}

function compile(rules: LanguageRules) {
  return {
    symbols: new Map(Object.entries(rules.symbols)),
    through: new Set([...rules.through, 'ERROR']),
    wrappers: new Set(rules.wrappers ?? []),
    outsideNamedFunctions: new Set(rules.outsideNamedFunctions ?? []),
    functions: new Set(rules.functions),
    types: new Set(rules.types),
  };
}

function oneLine(text: string): string {
  // Nearly every name; the general case below costs twenty times as much.
  if (text.length <= MAX_NAME_CHARACTERS && /^[\w$.:]*$/.test(text)) return text;
  const line = text.length > 4 * MAX_NAME_CHARACTERS ? text.slice(0, 4 * MAX_NAME_CHARACTERS) : text;
  const clean = line.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return clean.length > MAX_NAME_CHARACTERS
    ? `${clean.slice(0, MAX_NAME_CHARACTERS).toWellFormed()}…`
    : clean;
}
