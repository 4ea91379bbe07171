import { lineKey } from './fold-line.ts';

/** A line of the file that stands for a line of the wanted block; both 0-based. */
export interface LinePair {
  readonly inFile: number;
  readonly inWanted: number;
}

export interface ClosestRegion {
  /** 0-based, end exclusive. */
  readonly start: number;
  readonly end: number;
  /** Lines that are alike but for whitespace and quotes, ascending in both. */
  readonly pairs: readonly LinePair[];
}

/** A word or line in more places than this says nothing about the place that was meant. */
const MAX_PLACES_IN_WANTED = 20;
/** How far lines missing or added inside the block may shift the rest of it. */
const MAX_SHIFT = 8;
const MAX_ALIGN_CELLS = 200_000;

/**
 * Where in a file a block of lines most likely was meant to be. Each line of the file that is alike votes for the place
 * at which the block would begin, rare and long lines count more; where whole lines do not decide, single words vote.
 * Linear in the size of the file: no similarity of texts is computed.
 *
 * @returns undefined when nothing of the block occurs in the file
 */
export function closestRegion(
  fileLines: readonly string[],
  wantedLines: readonly string[],
): ClosestRegion | undefined {
  const fileKeys = fileLines.map(lineKey);
  const wantedKeys = wantedLines.map(lineKey);
  const votes = new Map<number, number>();
  const lineWeight = vote(
    fileKeys.map((key) => [key]),
    wantedKeys.map((key) => [key]),
    votes,
  );
  let best = highest(votes);
  if (best.score < lineWeight / 2) {
    vote(fileLines.map(words), wantedLines.map(words), votes);
    best = highest(votes);
  }
  if (best.score === 0) return undefined;
  return around(best.start, fileKeys, wantedKeys);
}

/**
 * Lets every token of a file line vote for the block start that would bring it onto the same token of the block.
 * @returns the score of a block that is there as a whole
 */
function vote(
  fileTokens: readonly (readonly string[])[],
  wantedTokens: readonly (readonly string[])[],
  votes: Map<number, number>,
): number {
  const places = new Map<string, number[]>();
  for (const [line, tokens] of wantedTokens.entries()) {
    for (const token of tokens) {
      if (token === '') continue;
      const lines = places.get(token);
      if (lines) lines.push(line);
      else places.set(token, [line]);
    }
  }
  const occurrences = new Map<string, number>();
  for (const tokens of fileTokens) {
    for (const token of tokens) {
      if (places.has(token)) occurrences.set(token, (occurrences.get(token) ?? 0) + 1);
    }
  }
  const weight = (token: string) => (1 + Math.min(token.length, 40)) / Math.sqrt(occurrences.get(token) ?? 1);
  for (const [line, tokens] of fileTokens.entries()) {
    for (const token of tokens) {
      const lines = places.get(token);
      if (!lines || lines.length > MAX_PLACES_IN_WANTED) continue;
      for (const inWanted of lines) {
        const start = line - inWanted;
        votes.set(start, (votes.get(start) ?? 0) + weight(token));
      }
    }
  }
  let total = 0;
  for (const [token, lines] of places) total += weight(token) * lines.length;
  return total;
}

function words(line: string): string[] {
  return line.toLowerCase().match(/[\w$\u0080-\uffff]{2,}/g) ?? [];
}

function highest(votes: ReadonlyMap<number, number>): { start: number; score: number } {
  let best = { start: 0, score: 0 };
  for (const [start, score] of votes) if (score > best.score) best = { start, score };
  return best;
}

/** Aligns the block with the lines around the place found, to see where it begins and ends and what is missing. */
function around(start: number, fileKeys: readonly string[], wantedKeys: readonly string[]): ClosestRegion {
  const from = Math.max(0, start - MAX_SHIFT);
  const to = Math.min(fileKeys.length, start + wantedKeys.length + MAX_SHIFT);
  const clampedStart = Math.max(0, start);
  const clampedEnd = Math.min(fileKeys.length, start + wantedKeys.length);
  const pairs =
    (to - from) * wantedKeys.length <= MAX_ALIGN_CELLS
      ? longestCommon(fileKeys.slice(from, to), wantedKeys).map(({ inFile, inWanted }) => ({
          inFile: inFile + from,
          inWanted,
        }))
      : sameLines(start, fileKeys, wantedKeys);
  const first = pairs[0];
  const last = pairs.at(-1);
  if (!first || !last) return { start: clampedStart, end: clampedEnd, pairs };
  return {
    start: Math.max(0, first.inFile - first.inWanted),
    end: Math.min(fileKeys.length, last.inFile + (wantedKeys.length - last.inWanted)),
    pairs,
  };
}

function sameLines(start: number, fileKeys: readonly string[], wantedKeys: readonly string[]): LinePair[] {
  const pairs: LinePair[] = [];
  for (const [inWanted, key] of wantedKeys.entries()) {
    if (fileKeys[start + inWanted] === key) pairs.push({ inFile: start + inWanted, inWanted });
  }
  return pairs;
}

/** Longest common subsequence of lines; the caller bounds the product of the lengths. */
function longestCommon(a: readonly string[], b: readonly string[]): LinePair[] {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        // Empty lines are alike everywhere and must not pull the alignment apart.
        a[i] === b[j] && a[i] !== ''
          ? lengths[(i + 1) * width + j + 1]! + 1
          : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
    }
  }
  const pairs: LinePair[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j] && a[i] !== '' && lengths[i * width + j] === lengths[(i + 1) * width + j + 1]! + 1) {
      pairs.push({ inFile: i++, inWanted: j++ });
    } else if (lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!) i++;
    else j++;
  }
  return pairs;
}
