import { CodedError } from '../../runtime/errors.ts';

/** A place in a pattern that is being read. */
export interface Cursor {
  readonly pattern: string;
  /** Newlines may be matched. */
  readonly multiline: boolean;
  at: number;
}

export function refuse({ pattern }: Cursor, why: string): CodedError {
  return new CodedError(
    'INVALID_PATTERN',
    `regex parse error in "${pattern}": ${why}`,
    'Correct the pattern (Rust regex syntax: a literal { or ( is written \\{ or \\(), or set fixed_strings: true to search for it as it is.',
  );
}

/** A character as it can stand anywhere, in and out of a class. */
export function literal(char: string): string {
  return /^[A-Za-z0-9_]$/.test(char) ? char : `\\u{${char.codePointAt(0)!.toString(16)}}`;
}

export function newline(): CodedError {
  return new CodedError(
    'INVALID_PATTERN',
    'the literal "\\n" is not allowed in a regex',
    'Set multiline: true to match across lines.',
  );
}

export function current({ pattern, at }: Cursor): string {
  const code = pattern.codePointAt(at);
  return code === undefined ? '' : String.fromCodePoint(code);
}
