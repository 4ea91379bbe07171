import { isUtf8 } from 'node:buffer';

/** How many bytes of `bytes` end at a character boundary: an unfinished UTF-8 sequence at the end is left out. */
export function wholeCharactersEnd(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0b1100_0000) === 0b1000_0000) continue;
    const length = byte >= 0xf0 && byte < 0xf8 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return byte < 0xf8 && length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Index of the first byte that begins a character: continuation bytes of a cut sequence are skipped. */
export function wholeCharactersStart(bytes: Uint8Array): number {
  let start = 0;
  while (start < 3 && start < bytes.length && ((bytes[start] ?? 0) & 0b1100_0000) === 0b1000_0000) start++;
  return start;
}

export interface DecodedText {
  readonly text: string;
  /** True when bytes that are no UTF-8 were replaced by U+FFFD. */
  readonly lossy: boolean;
}

/** UTF-8 where it is; any other byte becomes U+FFFD and is reported. */
export function decodeOutput(bytes: Buffer): DecodedText {
  return { text: bytes.toString('utf8'), lossy: !isUtf8(bytes) };
}

/** Digits in groups of three, as sizes are shown in marks and summaries. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A duration for a sentence: "40 ms", "1.4 s", "12 s", "3 min 20 s". */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1000) return `${Math.round(durationMs)} ms`;
  const seconds = durationMs / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** The start of a text for one line: line breaks become spaces, the rest is cut with an ellipsis. */
export function oneLine(text: string, maxCharacters: number): string {
  const flat = text
    .slice(0, maxCharacters * 4)
    .replace(/\s+/g, ' ')
    .trim();
  const characters = [...flat];
  const short = characters.slice(0, maxCharacters).join('');
  return short.length < flat.length || text.length > maxCharacters * 4 ? `${short}…` : short;
}
