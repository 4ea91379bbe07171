import { type ChangedFile, type ChangeOptions, changeFile } from './change-file.ts';
import { binaryFile, type FileRef, fileNotFound, tooLargeToEdit } from './file-errors.ts';
import { type DecodedText, decodeText, encodeText, type TextEncoding } from './text-encoding.ts';

/** The new text of an edit and whatever the editing function wants to tell its caller. */
export interface TextEdit<T> {
  readonly text: string;
  readonly outcome: T;
}

/**
 * Edits an existing text file; every editing tool goes through here. Encoding, byte order mark and everything that the
 * edit leaves alone come back byte for byte.
 *
 * @param edit makes the new text of the old one; what it throws ends the call with nothing changed
 * @throws {CodedError} FILE_NOT_FOUND, BINARY_FILE, TOO_LARGE (above MAX_EDIT_BYTES), INVALID_PARAMS when the file's
 *   encoding cannot hold the new text, and everything of changeFile
 */
export function editTextFile<T>(
  file: FileRef,
  options: ChangeOptions,
  edit: (text: string, encoding: TextEncoding) => TextEdit<T> | Promise<TextEdit<T>>,
): Promise<ChangedFile<T>> {
  return changeFile(file, options, async (before) => {
    if (!before) throw await fileNotFound(file);
    if (!before.bytes) throw tooLargeToEdit(file, Number(before.stats.size));
    const decoded = decodeText(before.bytes);
    if (!decoded) throw binaryFile(file);
    const { text, outcome } = await edit(decoded.text, decoded.encoding);
    return { bytes: encodeText(text, decoded.encoding), outcome };
  });
}

export interface WrittenText {
  readonly encoding: TextEncoding;
  /** The text that was replaced, undefined for a new, a binary or a very large file. */
  readonly replaced: DecodedText | undefined;
}

/**
 * Creates or replaces a text file with exactly this text. A byte order mark and UTF-16 of the old file are kept,
 * because reading hides them; so is an 8-bit encoding where it can hold the new text. Otherwise it is UTF-8.
 */
export function writeTextFile(
  file: FileRef,
  text: string,
  options: ChangeOptions,
): Promise<ChangedFile<WrittenText>> {
  return changeFile(file, options, async (before) => {
    const replaced = before?.bytes && before.bytes.length > 0 ? decodeText(before.bytes) : undefined;
    const { bytes, encoding } = encodeLike(replaced?.encoding, text);
    return { bytes, outcome: { encoding, replaced } };
  });
}

/** Undefined where the encoding cannot hold the text, or where its bytes would be read back as another one. */
function inEightBits(text: string): Buffer | undefined {
  try {
    const bytes = encodeText(text, 'windows-1252');
    return decodeText(bytes)?.text === text ? bytes : undefined;
  } catch {
    return undefined;
  }
}

function encodeLike(
  encoding: TextEncoding | undefined,
  text: string,
): { bytes: Buffer; encoding: TextEncoding } {
  if (encoding === 'windows-1252') {
    const bytes = inEightBits(text);
    return bytes ? { bytes, encoding } : { bytes: encodeText(text, 'utf-8'), encoding: 'utf-8' };
  }
  // A mark that the caller writes itself is not doubled.
  const body =
    encoding !== undefined && encoding !== 'utf-8' && text.startsWith('\uFEFF') ? text.slice(1) : text;
  return { bytes: encodeText(body, encoding ?? 'utf-8'), encoding: encoding ?? 'utf-8' };
}
