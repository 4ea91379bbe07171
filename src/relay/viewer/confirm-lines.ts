import type { FileHandle } from 'node:fs/promises';
import { readFully } from '../../workspace/index.ts';

const CHUNK_BYTES = 1024 * 1024;

/**
 * Which of the lines that a search program showed are in an opened file. The program opened the file by its name: what
 * stood there for a moment (a link to somewhere else) need not be what the rules were held against.
 * @param shown lines as the search shows them, with its marks for what was cut
 */
export async function confirmLines(
  handle: FileHandle,
  shown: Iterable<string>,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const mark = await readFully(handle, 0, 2);
  const waiting = new Map<string, Buffer>();
  const found = new Set<string>();
  let longest = 1;
  for (const text of shown) {
    const needle = encoded(essence(text), mark);
    longest = Math.max(longest, needle.length);
    if (needle.length === 0) found.add(text);
    else waiting.set(text, needle);
  }
  // Neighbouring chunks overlap by what a line across their border takes.
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES + longest);
  for (let position = 0; waiting.size > 0; position += CHUNK_BYTES) {
    signal.throwIfAborted();
    const chunk = await readFully(handle, position, buffer.length, buffer);
    for (const [text, needle] of waiting) {
      if (!chunk.includes(needle)) continue;
      waiting.delete(text);
      found.add(text);
    }
    if (chunk.length < buffer.length) break;
  }
  return found;
}

/** The longest part of a shown line that stands in the file as it is (search/line-window.ts makes the marks). */
function essence(text: string): string {
  const plain = text
    .replace(/ \[not UTF-8\]$/, '')
    .replace(/^\[\d+ bytes cut\] /, '')
    .replace(/ \[\d+ bytes cut\]$/, '');
  return plain.split('\ufffd').reduce((best, part) => (part.length > best.length ? part : best), '');
}

/** The search program reads UTF-16 with a byte order mark, too. */
function encoded(text: string, mark: Buffer): Buffer {
  if (mark[0] === 0xff && mark[1] === 0xfe) return Buffer.from(text, 'utf16le');
  if (mark[0] === 0xfe && mark[1] === 0xff) return Buffer.from(text, 'utf16le').swap16();
  return Buffer.from(text, 'utf8');
}
