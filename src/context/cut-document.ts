/** The beginning of a text, and where the rest begins. */
export interface TextStart {
  readonly text: string;
  readonly bytes: number;
  /** 1-based number of the first line that is not, or not wholly, in `text`; undefined when nothing is missing. */
  readonly nextLine: number | undefined;
}

/** A line is cut in its middle rather than that more than this many bytes stay unused. */
const MAX_UNUSED_BYTES = 256;

/** The first lines of a text that fit into `maxBytes` of UTF-8, and part of a line only where lines are long. */
export function startOfText(text: string, maxBytes: number): TextStart {
  const buffer = Buffer.from(text);
  if (buffer.length <= maxBytes) return { text, bytes: buffer.length, nextLine: undefined };
  let end = maxBytes > 0 ? buffer.lastIndexOf(0x0a, maxBytes - 1) + 1 : 0;
  if (end < maxBytes - MAX_UNUSED_BYTES || end === 0) {
    end = Math.max(maxBytes, 0);
    while (end > 0 && (buffer[end]! & 0xc0) === 0x80) end--;
  }
  const start = buffer.toString('utf8', 0, end);
  return { text: start, bytes: end, nextLine: countNewlines(start) + 1 };
}

/**
 * Shares a number of bytes between texts: who needs less than an equal share gets what it needs, and what it
 * leaves is shared by the others.
 * @returns the bytes for each, in the same order
 */
export function shareBytes(needed: readonly number[], total: number): number[] {
  const shares = needed.map(() => 0);
  const byNeed = needed.map((_, index) => index).sort((a, b) => needed[a]! - needed[b]!);
  let left = total;
  for (const [position, index] of byNeed.entries()) {
    const share = Math.min(needed[index]!, Math.floor(left / (byNeed.length - position)));
    shares[index] = share;
    left -= share;
  }
  return shares;
}

function countNewlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
