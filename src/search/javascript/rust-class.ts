import { type Cursor, current, literal, newline, refuse } from './rust-syntax.ts';

export interface CharacterNames {
  /** `\w`, `\d` and `\s` cover all of Unicode; without it ASCII. */
  readonly unicode: boolean;
}

/** POSIX classes are ASCII in Rust. Contents of a JavaScript class. */
const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7f',
  blank: '\\t\\x20',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '\\x21-\\x7e',
  lower: 'a-z',
  print: '\\x20-\\x7e',
  punct: '\\x21-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e',
  space: '\\t\\n\\v\\f\\r\\x20',
  upper: 'A-Z',
  word: '0-9A-Z_a-z',
  xdigit: '0-9A-Fa-f',
};

const CONTROLS: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };

/** A set of characters, or one character that can be an end of a range. */
type Member = { readonly set: string } | { readonly char: string };

/** Reads `[…]` with nesting, ranges, POSIX names and the operators `&&` and `--`. */
export function readClass(cursor: Cursor, names: CharacterNames): string {
  cursor.at++;
  const negated = current(cursor) === '^';
  if (negated) cursor.at++;
  let content = '';
  let combined = '';
  let isFirst = true;
  const combine = (operator: string) => {
    combined = `${combined === '' ? `[${content}]` : `[${combined}[${content}]]`}${operator}`;
    content = '';
  };
  for (;;) {
    const char = current(cursor);
    const pair = cursor.pattern.slice(cursor.at, cursor.at + 2);
    if (char === '') throw refuse(cursor, 'unclosed character class');
    if (char === ']' && !isFirst) break;
    if (pair === '~~') throw refuse(cursor, 'the operator ~~ is not supported by the JavaScript engine');
    if ((pair === '&&' || pair === '--') && !isFirst) {
      cursor.at += 2;
      combine(pair);
    } else content += readMember(cursor, names);
    isFirst = false;
  }
  cursor.at++;
  const whole = combined === '' ? content : `${combined}[${content}]`;
  return `[${negated ? '^' : ''}${whole}]`;
}

function readMember(cursor: Cursor, names: CharacterNames): string {
  const low = readOne(cursor, names);
  const { pattern, at } = cursor;
  const isRange =
    pattern[at] === '-' && pattern[at + 1] !== ']' && pattern[at + 1] !== '-' && at + 1 < pattern.length;
  if ('set' in low) return low.set;
  if (!isRange) return literal(low.char);
  cursor.at++;
  const high = readOne(cursor, names);
  if ('set' in high) throw refuse(cursor, 'invalid character class range');
  if (high.char.codePointAt(0)! < low.char.codePointAt(0)!) {
    throw refuse(cursor, 'invalid character class range, the start must be <= the end');
  }
  return `${literal(low.char)}-${literal(high.char)}`;
}

function readOne(cursor: Cursor, names: CharacterNames): Member {
  const char = current(cursor);
  if (char === '[') {
    const posix = /^\[:(\^?)([a-z]+):\]/.exec(cursor.pattern.slice(cursor.at));
    const content = posix ? POSIX[posix[2]!] : undefined;
    if (posix && content !== undefined) {
      cursor.at += posix[0].length;
      return { set: `[${posix[1]}${content}]` };
    }
    return { set: readClass(cursor, names) };
  }
  if (char === '\\') return readEscaped(cursor, names);
  cursor.at += char.length;
  return { char };
}

/** Reads a backslash and what it escapes, outside of a class. */
export function readEscape(cursor: Cursor, names: CharacterNames): string {
  // A back reference: PCRE2 has it, and so has JavaScript.
  const reference = /^\\(?:[1-9]\d?|k<[A-Za-z_]\w*>)/.exec(cursor.pattern.slice(cursor.at));
  if (reference) {
    cursor.at += reference[0].length;
    return `(?:${reference[0]})`;
  }
  const member = readEscaped(cursor, names);
  if ('char' in member && member.char === '\n' && !cursor.multiline) throw newline();
  return 'set' in member ? member.set : literal(member.char);
}

function readEscaped(cursor: Cursor, names: CharacterNames): Member {
  const rest = cursor.pattern.slice(cursor.at);
  const code = /^\\(?:[xuU]\{([0-9A-Fa-f]+)\}|x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))/.exec(
    rest,
  );
  if (code) {
    const value = Number.parseInt(code.slice(1).find((digits) => digits !== undefined)!, 16);
    if (value > 0x10ffff) throw refuse(cursor, 'hexadecimal literal is not a Unicode scalar value');
    cursor.at += code[0].length;
    return { char: String.fromCodePoint(value) };
  }
  const property = /^\\([pP])(?:\{(\^?)([^}]*)\}|(\p{L}))/u.exec(rest);
  if (property) {
    cursor.at += property[0].length;
    const negated = (property[1] === 'P') !== (property[2] === '^');
    return { set: `\\${negated ? 'P' : 'p'}{${propertyName(cursor, property[3] ?? property[4]!)}}` };
  }
  const char = String.fromCodePoint(rest.codePointAt(1) ?? 0);
  if (rest.length < 2) throw refuse(cursor, 'incomplete escape sequence');
  cursor.at += 1 + char.length;
  const set = perlClass(char, names);
  if (set) return { set };
  const control = CONTROLS[char];
  if (control !== undefined) return { char: String.fromCharCode(control) };
  if (/[A-Za-z0-9]/.test(char)) throw refuse(cursor, `unrecognized escape sequence \\${char}`);
  return { char };
}

function perlClass(char: string, { unicode }: CharacterNames): string | undefined {
  const content = {
    d: unicode ? '\\p{Nd}' : '0-9',
    s: unicode ? '\\p{White_Space}' : '\\t\\n\\v\\f\\r\\x20',
    w: unicode ? '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}' : '0-9A-Z_a-z',
  }[char.toLowerCase()];
  if (content === undefined) return undefined;
  return `[${char === char.toLowerCase() ? '' : '^'}${content}]`;
}

/** JavaScript wants scripts to be named as such, Rust does not. */
function propertyName(cursor: Cursor, name: string): string {
  const [key, value] = name.split(/[=:]/, 2);
  const candidates =
    value === undefined ? [name, `Script=${name}`] : [`${SHORT_KEYS[key!.toLowerCase()] ?? key}=${value}`];
  for (const candidate of candidates) {
    try {
      new RegExp(`\\p{${candidate}}`, 'v');
      return candidate;
    } catch {
      // The next reading of the name.
    }
  }
  throw refuse(cursor, `Unicode property not found: ${name}`);
}
const SHORT_KEYS: Readonly<Record<string, string>> = {
  sc: 'Script',
  scx: 'Script_Extensions',
  gc: 'General_Category',
};
