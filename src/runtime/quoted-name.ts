const BYTE_OF_ESCAPE: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  '"': 34,
  '\\': 92,
};
const ESCAPE_OF_BYTE = new Map(Object.entries(BYTE_OF_ESCAPE).map(([letter, byte]) => [byte, letter]));

/**
 * The bytes of a name in git's C-style quoting (core.quotePath), without its quotation marks.
 * @param inner what stands between the marks
 * @param encoding of the characters that are not escaped; `latin1` where the text has one character per byte
 */
export function unquoteBytes(inner: string, encoding: 'utf8' | 'latin1'): Buffer {
  const parts: Buffer[] = [];
  for (const [piece, octal, letter] of inner.matchAll(/\\([0-3][0-7]{2})|\\(.)|[^\\]+/gs)) {
    if (octal !== undefined) parts.push(Buffer.from([Number.parseInt(octal, 8)]));
    else if (letter !== undefined) parts.push(Buffer.from([BYTE_OF_ESCAPE[letter] ?? letter.charCodeAt(0)]));
    else parts.push(Buffer.from(piece, encoding));
  }
  return Buffer.concat(parts);
}

/** git's C-style quoting with its marks: printable ASCII as it is, everything else escaped. */
export function quoteBytes(bytes: Buffer): string {
  let quoted = '"';
  for (const byte of bytes) {
    const letter = ESCAPE_OF_BYTE.get(byte);
    if (letter !== undefined) quoted += `\\${letter}`;
    else if (byte < 0x20 || byte >= 0x7f) quoted += `\\${byte.toString(8).padStart(3, '0')}`;
    else quoted += String.fromCharCode(byte);
  }
  return `${quoted}"`;
}
