import { isUtf8 } from 'node:buffer';
import { CodedError } from '../runtime/errors.ts';
import { decodeWindows1252, encodeWindows1252 } from './windows-1252.ts';

/**
 * The encodings in which text files are read and written back without losing a byte. `windows-1252` stands for
 * every 8-bit encoding that is not UTF-8: each byte is one character and comes back as the same byte.
 */
export type TextEncoding = 'utf-8' | 'utf-8-bom' | 'utf-16le' | 'utf-16be' | 'windows-1252';

export interface DecodedText {
  /** Without the byte order mark; line ends as they are in the file. */
  readonly text: string;
  readonly encoding: TextEncoding;
}

/** How much of a file is looked at to tell text from binary, and its encoding, before the rest is read. */
export const SNIFF_BYTES = 64 * 1024;
/** git's rule: a NUL within the first 8,000 bytes makes a file binary. */
const NUL_WINDOW_BYTES = 8000;
/** Share of control characters above which bytes that are no UTF-8 count as binary; random data has a tenth. */
const MAX_CONTROL_SHARE = 0.02;

/**
 * Tells what a file is from its first bytes.
 * @param isWhole false when more bytes follow: a character cut at the end is then no fault
 * @returns undefined for binary data
 */
export function detectEncoding(bytes: Buffer, sizeBytes: number, isWhole: boolean): TextEncoding | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    return isUtf8(isWhole ? bytes : withoutCutCharacter(bytes)) ? 'utf-8-bom' : eightBitOrBinary(bytes);
  }
  const utf16 = utf16Mark(bytes);
  // An odd number of bytes could not be written back the same; FF FE 00 00 is UTF-32.
  if (utf16 !== undefined && sizeBytes % 2 === 0 && bytes.readUInt16BE(Math.min(2, bytes.length - 2)) !== 0) {
    return utf16;
  }
  if (bytes.subarray(0, NUL_WINDOW_BYTES).includes(0)) return undefined;
  return isUtf8(isWhole ? bytes : withoutCutCharacter(bytes)) ? 'utf-8' : eightBitOrBinary(bytes);
}

/** Bytes of the byte order mark that stands before the text. */
export function markLength(encoding: TextEncoding): 0 | 2 | 3 {
  if (encoding === 'utf-8-bom') return 3;
  return encoding === 'utf-16le' || encoding === 'utf-16be' ? 2 : 0;
}

/**
 * Decodes a whole file.
 * @returns undefined for binary data
 */
export function decodeText(bytes: Buffer): DecodedText | undefined {
  const encoding = detectEncoding(bytes, bytes.length, true);
  if (encoding === undefined) return undefined;
  return { text: decodeBody(bytes.subarray(markLength(encoding)), encoding), encoding };
}

/** Decodes bytes behind the byte order mark; they must begin and end at character boundaries. */
export function decodeBody(body: Buffer, encoding: TextEncoding): string {
  switch (encoding) {
    case 'utf-8':
    case 'utf-8-bom':
      return body.toString('utf8');
    case 'utf-16le':
      return body.toString('utf16le');
    case 'utf-16be':
      return Buffer.from(body).swap16().toString('utf16le');
    case 'windows-1252':
      return decodeWindows1252(body);
  }
}

/**
 * The file's bytes for a text, byte order mark included; the reverse of decodeText.
 * @throws {CodedError} INVALID_PARAMS when the encoding has no form for one of the characters
 */
export function encodeText(text: string, encoding: TextEncoding): Buffer {
  switch (encoding) {
    case 'utf-8':
      return Buffer.from(wellFormed(text), 'utf8');
    case 'utf-8-bom':
      return Buffer.from(`\uFEFF${wellFormed(text)}`, 'utf8');
    case 'utf-16le':
      return Buffer.from(`\uFEFF${text}`, 'utf16le');
    case 'utf-16be':
      return Buffer.from(`\uFEFF${text}`, 'utf16le').swap16();
    case 'windows-1252':
      return encodeWindows1252(text);
  }
}

/** A lone surrogate would silently become U+FFFD in UTF-8. */
function wellFormed(text: string): string {
  if (text.isWellFormed()) return text;
  throw new CodedError(
    'INVALID_PARAMS',
    'The new text contains half of a surrogate pair, which UTF-8 cannot hold.',
    'Send the whole character (for example an emoji) instead of half of it.',
  );
}

function utf16Mark(bytes: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return undefined;
}

function eightBitOrBinary(bytes: Buffer): 'windows-1252' | undefined {
  let controls = 0;
  for (const byte of bytes) {
    if (byte === 0) return undefined;
    // Tab, LF, VT, FF, CR, the DOS end of file and escape sequences occur in text.
    if (byte < 0x20 ? byte < 0x08 || (byte > 0x0d && byte !== 0x1a && byte !== 0x1b) : byte === 0x7f)
      controls++;
  }
  return controls > bytes.length * MAX_CONTROL_SHARE ? undefined : 'windows-1252';
}

/** Drops an incomplete UTF-8 character from the end of a chunk. */
export function withoutCutCharacter(bytes: Buffer): Buffer {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return bytes;
    if (byte >= 0xc0) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return back < needed ? bytes.subarray(0, bytes.length - back) : bytes;
    }
  }
  return bytes;
}
