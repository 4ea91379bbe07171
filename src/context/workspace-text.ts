import { startOfText } from './cut-document.ts';
import type { TextDocument } from './read-document.ts';

/** The heading that marks text as the workspace's own: its words are the project's, not the product's or the user's. */
export function headingOf(document: TextDocument & { readonly importedBy?: string }): string {
  const origin = document.importedBy === undefined ? '' : `, imported by ${document.importedBy}`;
  return `--- ${document.shown} (from the workspace${origin}) ---`;
}

/** A call that goes on reading where a shown text was cut. */
export function readOnCall(document: TextDocument, nextLine: number): string {
  return `read_text_file ${JSON.stringify({ path: document.shown, offset: nextLine })}`;
}

export interface Section {
  readonly text: string;
  /** Bytes of the document's own text in it. */
  readonly shownBytes: number;
  /** The call that continues it; undefined when it is complete. */
  readonly next: string | undefined;
}

/**
 * A document under its heading, at most `maxBytes` of its text, and a mark where it is cut.
 * @param skippedLines lines of the file before `document.text`
 */
export function sectionOf(
  document: TextDocument & { readonly importedBy?: string },
  maxBytes: number,
  skippedLines = 0,
): Section {
  // Of a file that was read in part, the last line may be a part, too: it is left to the call that continues.
  const room = document.complete ? maxBytes : Math.min(maxBytes, Buffer.byteLength(document.text) - 1);
  const start = startOfText(document.text, room);
  const next = start.nextLine === undefined ? undefined : readOnCall(document, start.nextLine + skippedLines);
  const mark =
    next === undefined
      ? ''
      : `[cut: ${start.bytes} of ${document.sizeBytes} bytes are shown; go on with ${next}]\n`;
  const end = start.text === '' || start.text.endsWith('\n') ? '' : '\n';
  return { text: `${headingOf(document)}\n${start.text}${end}${mark}`, shownBytes: start.bytes, next };
}
