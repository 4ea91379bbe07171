import { CodedError } from '../runtime/errors.ts';

/**
 * Windows-1252 as the WHATWG Encoding Standard defines it: Latin-1, but the bytes 80–9F are typographic characters
 * (five of them stay control characters). One byte is one character in both directions, so any bytes survive.
 * Own table because TextDecoder has only the one direction, and some Node versions decode these bytes as Latin-1.
 */
const HIGH_CONTROLS =
  '\u20AC\x81\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\x8D\u017D\x8F' +
  '\x90\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\x9D\u017E\u0178';

export function decodeWindows1252(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(/[\x80-\x9f]/g, (char) => HIGH_CONTROLS[char.charCodeAt(0) - 0x80]!);
}

/** @throws {CodedError} INVALID_PARAMS naming the first character that has no byte */
export function encodeWindows1252(text: string): Buffer {
  const latin1 = text.replace(/[\x80-\x9f\u0100-\uffff]/g, (char, index: number) => {
    const position = HIGH_CONTROLS.indexOf(char);
    if (position === -1) throw cannotHold(String.fromCodePoint(text.codePointAt(index)!));
    return String.fromCharCode(0x80 + position);
  });
  return Buffer.from(latin1, 'latin1');
}

function cannotHold(char: string): CodedError {
  const name = `U+${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
  return new CodedError(
    'INVALID_PARAMS',
    `The file is in an 8-bit encoding that has no "${char}" (${name}).`,
    'Use other characters, or first convert the file to UTF-8 (for example with iconv through run_command).',
  );
}
