/**
 * A text with every CRLF as LF, so that line ends do not matter for finding, and the way back to the positions of
 * the text itself. A CR that stands alone is an ordinary character and stays.
 */
export interface FoldedText {
  readonly text: string;
  /** The position in the original of a position in the folded text; before the CR for the LF of a CRLF. */
  toOriginal(position: number): number;
}

export function foldLineEnds(text: string): FoldedText {
  if (!text.includes('\r\n')) return { text, toOriginal: (position) => position };
  const folded = text.replaceAll('\r\n', '\n');
  // Positions in the folded text of the LFs that were CRLF.
  const removed: number[] = [];
  for (let at = text.indexOf('\r\n'); at !== -1; at = text.indexOf('\r\n', at + 2)) {
    removed.push(at - removed.length);
  }
  return {
    text: folded,
    toOriginal: (position) => position + countBelow(removed, position),
  };
}

function countBelow(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * A replacement whose line ends are those of the text that it replaces: the n-th line end of the new text is like the
 * n-th of the old, further ones like most of the file's.
 *
 * @param newText with LF
 * @param replaced the part of the file, line ends as they are
 * @param dominant called only when the replaced part does not tell
 */
export function withLineEndsOf(newText: string, replaced: string, dominant: () => '\n' | '\r\n'): string {
  if (!newText.includes('\n')) return newText;
  const ends = replaced.match(/\r?\n/g) ?? [];
  let index = 0;
  let further: string | undefined;
  return newText.replace(/\n/g, () => {
    const own = ends[index++];
    if (own !== undefined) return own;
    further ??= dominant();
    return further;
  });
}
