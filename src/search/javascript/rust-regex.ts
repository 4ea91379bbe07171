import { type CharacterNames, readClass, readEscape } from './rust-class.ts';
import { type Cursor, current, literal, newline, refuse } from './rust-syntax.ts';

/** Flags that an inline group such as `(?i)` or `(?s-u:…)` can set. */
interface Flags {
  readonly i: boolean;
  readonly s: boolean;
  readonly x: boolean;
  readonly u: boolean;
}

/**
 * Translates a pattern in the syntax of Rust's regex crate, which ripgrep takes, to a JavaScript one for the `v` flag.
 * What PCRE2 adds and JavaScript has (look-around, back references) stays. What neither can say is refused.
 *
 * @throws {CodedError} INVALID_PATTERN
 */
export function translateRustRegex(
  pattern: string,
  { caseInsensitive, multiline }: { readonly caseInsensitive: boolean; readonly multiline: boolean },
): RegExp {
  const cursor = { pattern, multiline, at: 0 };
  const source = readAlternatives(cursor, { i: caseInsensitive, s: false, x: false, u: true });
  if (cursor.at < pattern.length) throw refuse(cursor, 'unopened group');
  try {
    return new RegExp(source, caseInsensitive ? 'vi' : 'v');
  } catch (error) {
    throw refuse(cursor, error instanceof Error ? error.message.replace(/^.*: /, '') : String(error));
  }
}

/** Makes the expression for a plain text. */
export function literalRegex(text: string, caseInsensitive: boolean): RegExp {
  return new RegExp([...text].map(literal).join(''), caseInsensitive ? 'vi' : 'v');
}

/** Reads up to the `)` that closes the group, or to the end. */
function readAlternatives(cursor: Cursor, outer: Flags): string {
  let flags = outer;
  let result = '';
  // `(?i)` in mid-group holds up to the group's end and across its alternatives; here it becomes a group itself.
  let opened = '';
  const reopen = () => {
    opened = flags.i === outer.i ? '' : flags.i ? '(?i:' : '(?-i:';
    result += opened;
  };
  const close = () => {
    if (opened) result += ')';
  };
  while (cursor.at < cursor.pattern.length) {
    const char = current(cursor);
    if (char === ')') break;
    if (char === '|') {
      close();
      result += '|';
      cursor.at++;
      reopen();
      continue;
    }
    if (flags.x && /\s/.test(char)) {
      cursor.at++;
      continue;
    }
    if (flags.x && char === '#') {
      const end = cursor.pattern.indexOf('\n', cursor.at);
      cursor.at = end < 0 ? cursor.pattern.length : end + 1;
      continue;
    }
    const inline = /^\(\?([a-zA-Z-]+)\)/.exec(cursor.pattern.slice(cursor.at));
    if (inline) {
      cursor.at += inline[0].length;
      close();
      flags = setFlags(cursor, flags, inline[1]!);
      reopen();
      continue;
    }
    result += readAtom(cursor, flags) + readQuantifier(cursor);
  }
  close();
  return result;
}

function readAtom(cursor: Cursor, flags: Flags): string {
  const char = current(cursor);
  const names = { unicode: flags.u };
  switch (char) {
    case '(':
      return readGroup(cursor, flags);
    case '[':
      return readClass(cursor, names);
    case '\\':
      return readAssertion(cursor, names) ?? readEscape(cursor, names);
    case '.':
      cursor.at++;
      return flags.s ? '[^]' : '[^\\n]';
    case '^':
      cursor.at++;
      return '(?<![^\\n])';
    case '$':
      cursor.at++;
      return '(?![^\\n])';
    case '*':
    case '+':
    case '?':
    case '{':
      throw refuse(cursor, 'repetition operator missing expression');
    default:
      cursor.at += char.length;
      if (char === '\n' && !cursor.multiline) throw newline();
      return literal(char);
  }
}

function readGroup(cursor: Cursor, flags: Flags): string {
  const rest = cursor.pattern.slice(cursor.at);
  const name = /^\(\?P?<([A-Za-z_][A-Za-z0-9_]*)>/.exec(rest);
  const looking = /^\(\?(?:<?[=!])/.exec(rest);
  const flagged = /^\(\?([a-zA-Z-]*):/.exec(rest);
  let inner = flags;
  let opening = '(';
  if (name) opening = `(?<${name[1]}>`;
  else if (looking) opening = looking[0];
  else if (flagged) {
    inner = setFlags(cursor, flags, flagged[1]!);
    opening = inner.i === flags.i ? '(?:' : inner.i ? '(?i:' : '(?-i:';
  } else if (rest.startsWith('(?')) throw refuse(cursor, `unrecognized group "${rest.slice(0, 4)}"`);
  cursor.at += (name ?? looking ?? flagged)?.[0].length ?? 1;
  const content = readAlternatives(cursor, inner);
  if (current(cursor) !== ')') throw refuse(cursor, 'unclosed group');
  cursor.at++;
  return `${opening}${content})`;
}

function setFlags(cursor: Cursor, flags: Flags, text: string): Flags {
  let on = true;
  let result = flags;
  for (const letter of text) {
    if (letter === '-') on = false;
    else if (letter === 'i' || letter === 's' || letter === 'x' || letter === 'u') {
      result = { ...result, [letter]: on };
    } else if (!(letter === 'm' && on)) {
      // Lines are searched one by one, so that `m` changes nothing; `-m`, `U` and `R` would.
      throw refuse(cursor, `the flag "${on ? '' : '-'}${letter}" is not supported by the JavaScript engine`);
    }
  }
  return result;
}

function readQuantifier(cursor: Cursor): string {
  const rest = cursor.pattern.slice(cursor.at);
  const found = /^(?:[*+?]|\{\s*(\d*)\s*(,?)\s*(\d*)\s*\})(\??)/.exec(rest);
  if (!found) {
    if (rest.startsWith('{')) throw refuse(cursor, 'unclosed or invalid counted repetition');
    return '';
  }
  cursor.at += found[0].length;
  if (found[0][0] !== '{') return found[0];
  const [, low, comma, high, lazy] = found;
  if (low === '') throw refuse(cursor, 'repetition quantifier expects a valid decimal');
  return `{${low}${comma}${high}}${lazy}`;
}

/** Word borders and the ends of the text, with the meaning they have in Rust: Unicode, unless `(?-u)`. */
function readAssertion(cursor: Cursor, names: CharacterNames): string | undefined {
  const word = names.unicode ? '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]' : '[0-9A-Z_a-z]';
  const start = `(?<!${word})(?=${word})`;
  const end = `(?<=${word})(?!${word})`;
  const table: readonly (readonly [string, string])[] = [
    ['\\b{start}', start],
    ['\\b{end}', end],
    ['\\b{start-half}', `(?<!${word})`],
    ['\\b{end-half}', `(?!${word})`],
    ['\\<', start],
    ['\\>', end],
    ['\\b', `(?:${start}|${end})`],
    ['\\B', `(?:(?<=${word})(?=${word})|(?<!${word})(?!${word}))`],
    ['\\A', '(?<![^])'],
    ['\\z', '(?![^])'],
  ];
  const entry = table.find(([text]) => cursor.pattern.startsWith(text, cursor.at));
  if (!entry) return undefined;
  cursor.at += entry[0].length;
  return entry[1];
}
