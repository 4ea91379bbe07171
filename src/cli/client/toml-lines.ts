/** A table's header or a key with its value, as it stands in a TOML text that is known to be valid. */
export interface TomlItem {
  readonly kind: 'table' | 'array-table' | 'pair';
  /** The parts of the header's or the pair's key. */
  readonly path: readonly string[];
  /** Where its line begins. */
  readonly lineStart: number;
  /** The value of a pair; the header itself. */
  readonly start: number;
  readonly end: number;
  /** Behind the end of its last line. */
  readonly lineEnd: number;
}

/**
 * The headers and pairs of a TOML text in order. Text in values (multi-line strings and arrays) is skipped, whatever it
 * looks like.
 * @param text valid TOML: nothing is checked here
 */
export function tomlItems(text: string): TomlItem[] {
  const items: TomlItem[] = [];
  let at = 0;
  while (at < text.length) {
    const lineStart = at;
    at = skip(text, at, /[ \t]*/y);
    const character = text[at];
    if (character === undefined || character === '#' || character === '\n' || character === '\r') {
      at = nextLine(text, at);
      continue;
    }
    if (character === '[') {
      const double = text[at + 1] === '[';
      const start = at;
      const key = readKey(text, at + (double ? 2 : 1));
      const end = key.end + (double ? 2 : 1);
      at = nextLine(text, end);
      items.push({
        kind: double ? 'array-table' : 'table',
        path: key.path,
        lineStart,
        start,
        end,
        lineEnd: at,
      });
      continue;
    }
    const key = readKey(text, at);
    const start = skip(text, key.end + 1, /[ \t]*/y);
    const end = valueEnd(text, start);
    at = nextLine(text, end);
    items.push({ kind: 'pair', path: key.path, lineStart, start, end, lineEnd: at });
  }
  return items;
}

/** A key with dots up to the "=" or "]" behind it. */
function readKey(text: string, from: number): { path: string[]; end: number } {
  const path: string[] = [];
  let at = from;
  for (;;) {
    at = skip(text, at, /[ \t]*/y);
    const end = text[at] === '"' || text[at] === "'" ? stringEnd(text, at) : skip(text, at, /[\w-]*/y);
    const part = text.slice(at, end);
    path.push(part.startsWith('"') ? unescaped(part) : part.startsWith("'") ? part.slice(1, -1) : part);
    at = skip(text, end, /[ \t]*/y);
    if (text[at] !== '.') return { path, end: at };
    at += 1;
  }
}

/** A basic string's escapes are JSON's, and \U, \e and \x, which no name that is looked for here has. */
function unescaped(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted;
  }
}

function valueEnd(text: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const character = text[at] ?? '';
    if (character === '"' || character === "'") {
      at = stringEnd(text, at);
      if (depth === 0) return at;
      continue;
    }
    if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') {
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (character === '#' && depth > 0) at = skip(text, at, /[^\n]*/y) - 1;
    else if (depth === 0)
      return at + (/^[^\s#]*(?: \d\d:[^\s#]*)?/.exec(text.slice(at, at + 200))?.[0].length ?? 0);
    at += 1;
  }
  return at;
}

/** Behind the end of the string that begins at a quote: basic or literal, on one line or several. */
function stringEnd(text: string, from: number): number {
  const quote = text[from] ?? '';
  const isLong = text.startsWith(quote.repeat(3), from);
  const escapes = quote === '"';
  let at = from + (isLong ? 3 : 1);
  while (at < text.length) {
    if (escapes && text[at] === '\\') at += 2;
    else if (!isLong && text[at] === quote) return at + 1;
    else if (isLong && text.startsWith(quote.repeat(3), at)) {
      // Up to two quotes may stand before the closing three.
      return skip(text, at + 3, quote === '"' ? /"{0,2}/y : /'{0,2}/y);
    } else at += 1;
  }
  return at;
}

function skip(text: string, from: number, pattern: RegExp): number {
  pattern.lastIndex = from;
  return from + (pattern.exec(text)?.[0].length ?? 0);
}

function nextLine(text: string, from: number): number {
  const newline = text.indexOf('\n', from);
  return newline === -1 ? text.length : newline + 1;
}
