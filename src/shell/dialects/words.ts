/**
 * Reads what shells print for reuse as input: `NAME='it'\''s'`, `declare -x A="b\"c"`, `a=([0]="x" [1]=$'\n')`.
 * Texts are latin1 (one character per byte), so offsets and octal escapes are bytes.
 */
export interface Word {
  readonly value: string;
  /** Offset after the word. */
  readonly end: number;
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  E: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** One shell word from `start` on: quoted and unquoted parts up to blank, newline, `;` or an unquoted `)`. */
export function readWord(text: string, start: number): Word {
  let value = '';
  let at = start;
  while (at < text.length) {
    const character = text.charAt(at);
    if (character === "'") {
      const end = text.indexOf("'", at + 1);
      const stop = end < 0 ? text.length : end;
      value += text.slice(at + 1, stop);
      at = stop + 1;
    } else if (character === '"') {
      const part = readDoubleQuoted(text, at + 1);
      value += part.value;
      at = part.end;
    } else if (character === '$' && text.charAt(at + 1) === "'") {
      const part = readAnsiQuoted(text, at + 2);
      value += part.value;
      at = part.end;
    } else if (character === '\\') {
      if (text.charAt(at + 1) !== '\n') value += text.charAt(at + 1);
      at += 2;
    } else if (/[\s;)]/.test(character)) {
      break;
    } else {
      value += character;
      at++;
    }
  }
  return { value, end: at };
}

/** Offset after an array's closing parenthesis; `start` is at the opening one. */
export function skipArray(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charAt(at) !== ')') {
    const word = readWord(text, at);
    at = word.end > at ? word.end : at + 1;
  }
  return at + 1;
}

function readDoubleQuoted(text: string, start: number): Word {
  let value = '';
  let at = start;
  while (at < text.length && text.charAt(at) !== '"') {
    if (text.charAt(at) === '\\' && /[$`"\\\n]/.test(text.charAt(at + 1))) {
      if (text.charAt(at + 1) !== '\n') value += text.charAt(at + 1);
      at += 2;
    } else {
      value += text.charAt(at);
      at++;
    }
  }
  return { value, end: at + 1 };
}

function readAnsiQuoted(text: string, start: number): Word {
  let value = '';
  let at = start;
  while (at < text.length && text.charAt(at) !== "'") {
    if (text.charAt(at) !== '\\') {
      value += text.charAt(at);
      at++;
      continue;
    }
    const numeric = /^(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8}))/.exec(
      text.slice(at + 1, at + 10),
    );
    if (numeric) {
      const [all, octal, hex, unicode, longUnicode] = numeric;
      if (octal !== undefined) value += String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
      else if (hex !== undefined) value += String.fromCharCode(Number.parseInt(hex, 16));
      else value += utf8Bytes(Number.parseInt(unicode ?? longUnicode ?? '0', 16));
      at += 1 + all.length;
    } else if (text.charAt(at + 1) === 'c') {
      value += String.fromCharCode(text.charCodeAt(at + 2) & 0x1f);
      at += 3;
    } else {
      const next = text.charAt(at + 1);
      value += ESCAPES[next] ?? next;
      at += 2;
    }
  }
  return { value, end: at + 1 };
}

function utf8Bytes(codePoint: number): string {
  return codePoint > 0x10ffff ? '' : Buffer.from(String.fromCodePoint(codePoint), 'utf8').toString('latin1');
}

/** The text behind latin1 characters that are UTF-8 bytes; undefined when they are not. */
export function latin1ToUtf8(text: string): string | undefined {
  if (!/[\x80-\xff]/.test(text)) return text;
  const bytes = Buffer.from(text, 'latin1');
  const decoded = bytes.toString('utf8');
  return Buffer.from(decoded, 'utf8').equals(bytes) ? decoded : undefined;
}

export function utf8ToLatin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/**
 * The folder that a shell says it is in. A name that is no UTF-8 cannot be given to a new process: then the nearest
 * folder above that can.
 */
export function readFolder(latin1: string): string {
  const parts = latin1.split('/');
  let end = parts.findIndex((part) => latin1ToUtf8(part) === undefined);
  if (end < 0) end = parts.length;
  return latin1ToUtf8(parts.slice(0, end).join('/')) || '/';
}

/** A word in single quotes for any POSIX shell. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** The same, without quotes where none are needed: for command lines that people read. */
export function quoteWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : quote(text);
}
