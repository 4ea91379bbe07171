import type { Entry } from './clients.ts';

/** A configuration file's text as a client's editor works on it: without byte order mark, line ends as they are. */
export interface EntryEditor {
  /** The entries by name. @throws {EditRefused} for a text that is broken */
  read(text: string): Promise<ReadonlyMap<string, unknown>>;
  /**
   * The text with the entry in it, nothing else changed. A present entry keeps the keys that are not of this kind.
   * @throws {EditRefused}
   */
  set(text: string, name: string, entry: Entry): Promise<string>;
  /** The text without the entry. @throws {EditRefused} */
  remove(text: string, name: string): Promise<string>;
  /**
   * Where entries stand in something of their own that may be left empty: the text without it when it is empty, and an
   * earlier text of the file had none. @throws {EditRefused}
   */
  removeEmpty?(text: string, earlier: string): Promise<string>;
  /** What somebody would write by hand. */
  byHand(name: string, entry: Entry): string;
}

/** The file is left alone; the message says why and where. */
export class EditRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'EditRefused';
  }
}

/** A replacement of text[start, end). */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Applies replacements that do not overlap. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  let result = text;
  for (const edit of [...edits].sort((a, b) => b.start - a.start || b.end - a.end)) {
    result = result.slice(0, edit.start) + edit.text + result.slice(edit.end);
  }
  return result;
}

/** What a parser that calls itself makes of a text. @throws {EditRefused} where the stack does not reach that deep */
export function notTooDeep<Result>(parse: () => Result): Result {
  try {
    return parse();
  } catch (error) {
    if (error instanceof RangeError) throw new EditRefused('it is nested too deeply to be read');
    throw error;
  }
}

/** The line end of a text: that of its first line. */
export function lineEnd(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? '\n';
}

/** "line 3, column 7" of a position, both from 1. */
export function place(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
