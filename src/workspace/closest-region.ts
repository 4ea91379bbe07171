/** A wanted line and its partner in the file, 0-based; undefined where the other side has none. */
export type LinePair = readonly [wanted: number | undefined, inFile: number | undefined];

export interface ClosestRegion {
  /** 0-based, end exclusive. */
  readonly start: number;
  readonly end: number;
  /** All lines of the region and all wanted ones, ascending in both. */
  readonly pairs: readonly LinePair[];
}

/** How many of the wanted lines with the same text take part in the vote; enough to tell, few enough to stay fast. */
const MAX_TWINS = 8;
/** Texts above this many characters are not searched word by word. */
const MAX_WORD_SEARCH_CHARS = 8_000_000;
/** Above this many wanted lines they are compared one by one instead of aligned. */
const MAX_ALIGNED_LINES = 300;

/**
 * The region of a file that is most like some lines that are not in it as they were given: for the answer to a near
 * miss. Every file line that equals a wanted one (as `keyOf` sees them) votes for the shift between the two, long lines
 * more than short ones; where too few lines are equal, shared words vote. Linear in the file.
 * @param fileLines without terminators
 * @param keyOf the same for lines that count as equal; empty for those that tell nothing
 * @returns undefined when nothing is alike
 */
export function closestRegion(
  fileLines: readonly string[],
  wantedLines: readonly string[],
  keyOf: (line: string) => string,
): ClosestRegion | undefined {
  if (fileLines.length === 0 || wantedLines.length === 0) return undefined;
  const shift = voteByLines(fileLines, wantedLines, keyOf) ?? voteByWords(fileLines, wantedLines);
  if (shift === undefined) return undefined;
  const start = Math.max(0, shift);
  const end = Math.min(fileLines.length, Math.max(shift + wantedLines.length, start + 1));
  const pairs =
    wantedLines.length > MAX_ALIGNED_LINES
      ? pairByShift(shift, wantedLines.length, fileLines.length)
      : align(fileLines, wantedLines.map(keyOf), start, end, keyOf);
  const inFile = pairs.flatMap(([, line]) => line ?? []);
  const [first] = inFile;
  const last = inFile.at(-1);
  return first === undefined || last === undefined ? undefined : { start: first, end: last + 1, pairs };
}

/** Votes for `file line - wanted line`. */
class Votes {
  readonly #scores: Float64Array;
  readonly #offset: number;

  constructor(fileCount: number, wantedCount: number) {
    this.#scores = new Float64Array(fileCount + wantedCount);
    this.#offset = wantedCount;
  }

  add(fileLine: number, wantedLine: number, weight: number): void {
    const at = fileLine - wantedLine + this.#offset;
    this.#scores[at] = (this.#scores[at] ?? 0) + weight;
  }

  best(): { shift: number; score: number } {
    let at = 0;
    for (let i = 1; i < this.#scores.length; i++) {
      if ((this.#scores[i] ?? 0) > (this.#scores[at] ?? 0)) at = i;
    }
    return { shift: at - this.#offset, score: this.#scores[at] ?? 0 };
  }
}

function addTo(index: Map<string, number[]>, key: string, line: number): void {
  const lines = index.get(key);
  if (lines === undefined) index.set(key, [line]);
  else if (lines.length < MAX_TWINS) lines.push(line);
}

function voteByLines(
  fileLines: readonly string[],
  wantedLines: readonly string[],
  keyOf: (line: string) => string,
): number | undefined {
  const index = new Map<string, number[]>();
  let possible = 0;
  wantedLines.forEach((line, i) => {
    const key = keyOf(line);
    if (key === '') return;
    addTo(index, key, i);
    possible += weightOf(key);
  });
  if (index.size === 0) return undefined;
  const votes = new Votes(fileLines.length, wantedLines.length);
  fileLines.forEach((line, i) => {
    const key = keyOf(line);
    for (const wanted of index.get(key) ?? []) votes.add(i, wanted, weightOf(key));
  });
  const { shift, score } = votes.best();
  return score * 3 >= possible ? shift : undefined;
}

function weightOf(key: string): number {
  return Math.min(key.length, 30) + 1;
}

function voteByWords(fileLines: readonly string[], wantedLines: readonly string[]): number | undefined {
  const index = new Map<string, number[]>();
  wantedLines.forEach((line, i) => {
    for (const word of new Set(wordsOf(line))) addTo(index, word, i);
  });
  if (index.size === 0) return undefined;
  const votes = new Votes(fileLines.length, wantedLines.length);
  let left = MAX_WORD_SEARCH_CHARS;
  for (let i = 0; i < fileLines.length && left > 0; i++) {
    const line = fileLines[i] ?? '';
    left -= line.length;
    for (const word of wordsOf(line)) {
      const wanted = index.get(word);
      if (wanted === undefined) continue;
      // A word of many wanted lines tells little about which of them this is.
      for (const j of wanted) votes.add(i, j, Math.min(word.length, 12) / wanted.length);
    }
  }
  const { shift, score } = votes.best();
  return score >= 3 ? shift : undefined;
}

function wordsOf(line: string): readonly string[] {
  // A line of a megabyte is data; its first words tell as much as all.
  const text = line.length > 1_000 ? line.slice(0, 1_000) : line;
  return text.toLowerCase().match(/[a-z0-9_\u0080-\uffff]+/g) ?? [];
}

function pairByShift(shift: number, wantedCount: number, fileCount: number): LinePair[] {
  return Array.from({ length: wantedCount }, (_, j): LinePair => {
    const i = j + shift;
    return [j, i >= 0 && i < fileCount ? i : undefined];
  });
}

/** The heaviest common subsequence of the folded lines in the window, the lines between pairs taken side by side. */
function align(
  fileLines: readonly string[],
  wanted: readonly string[],
  start: number,
  end: number,
  keyOf: (line: string) => string,
): LinePair[] {
  const margin = 5;
  const from = Math.max(0, start - margin);
  const found = fileLines.slice(from, Math.min(fileLines.length, end + margin)).map(keyOf);
  const width = found.length + 1;
  const heaviest = new Uint32Array((wanted.length + 1) * width);
  for (let j = wanted.length - 1; j >= 0; j--) {
    for (let i = found.length - 1; i >= 0; i--) {
      const equal = wanted[j] === found[i];
      heaviest[j * width + i] = equal
        ? (heaviest[(j + 1) * width + i + 1] ?? 0) + weightOf(wanted[j] ?? '')
        : Math.max(heaviest[(j + 1) * width + i] ?? 0, heaviest[j * width + i + 1] ?? 0);
    }
  }
  const anchors: [number, number][] = [];
  for (let j = 0, i = 0; j < wanted.length && i < found.length; ) {
    if (wanted[j] === found[i]) anchors.push([j++, from + i++]);
    else if ((heaviest[(j + 1) * width + i] ?? 0) >= (heaviest[j * width + i + 1] ?? 0)) j++;
    else i++;
  }
  const [first] = anchors;
  const last = anchors.at(-1);
  if (first === undefined || last === undefined) return pairByShift(start, wanted.length, fileLines.length);

  const pairs: LinePair[] = [];
  let j = 0;
  let i = Math.max(0, first[1] - first[0]);
  const stretch = (wantedEnd: number, fileEnd: number): void => {
    // What is missing is missing before the lines that fit, at the start; after them everywhere else.
    while (pairs.length === 0 && wantedEnd - j > fileEnd - i) pairs.push([j++, undefined]);
    while (j < wantedEnd || i < fileEnd) {
      pairs.push([j < wantedEnd ? j++ : undefined, i < fileEnd ? i++ : undefined]);
    }
  };
  for (const [wantedLine, fileLine] of anchors) {
    stretch(wantedLine, fileLine);
    pairs.push([j++, i++]);
  }
  stretch(wanted.length, Math.min(fileLines.length, i + wanted.length - j));
  return pairs;
}
