import { blockStandsAt, findBlock } from './find-block.ts';
import { findAfterHeaders, type HeaderMatch } from './find-header.ts';
import { LEVELS, type MatchLevel } from './levels.ts';
import { type Hunk, newSide, oldSide, type PatchFormat } from './model.ts';
import { Occupied } from './occupied.ts';
import type { TextLines } from './text-lines.ts';

/** Where a hunk belongs: lines [start, start + count) of the file are its context and removed lines. */
export interface Placed {
  readonly kind: 'placed';
  readonly hunk: Hunk;
  /** 0-based. */
  readonly start: number;
  readonly count: number;
  readonly level: MatchLevel;
  /** The hunk ends with an empty context line that stands for what follows the final newline. */
  readonly phantomLine: boolean;
}

export type NotPlaced =
  | {
      readonly kind: 'missing';
      readonly hunk: Hunk /** Found, but before the hunk above. 0-based. */;
      readonly earlier?: number;
    }
  | { readonly kind: 'header-missing'; readonly hunk: Hunk; readonly header: string }
  | {
      readonly kind: 'several';
      readonly hunk: Hunk;
      readonly places: readonly number[];
      readonly level: MatchLevel;
      readonly header?: string;
    }
  | { readonly kind: 'already-applied'; readonly hunk: Hunk; readonly start: number }
  | { readonly kind: 'no-context'; readonly hunk: Hunk }
  | { readonly kind: 'overlap'; readonly hunk: Hunk; readonly start: number };

/**
 * Finds the place of every hunk of one section (patch.md, "How a hunk finds its place"). Hunks that have no certain
 * place are reported as such, the others are placed nevertheless, so that one answer can name every problem.
 */
export function placeHunks(
  file: TextLines,
  hunks: readonly Hunk[],
  format: PatchFormat,
): (Placed | NotPlaced)[] {
  const placer = new Placer(file, format);
  return hunks.map((hunk) => placer.place(hunk));
}

/** What one hunk looks for. */
interface Search {
  readonly hunk: Hunk;
  readonly block: readonly string[];
  /** First line from which the block is looked for. */
  readonly from: number;
  /** First line where it may begin: found before that, it is out of order. */
  readonly notBefore: number;
  /** Line (0-based) that the header states, moved by as much as the hunk before was. */
  readonly expected: number | undefined;
  /** By how many lines the header's own count contradicts its block: the stated line is that uncertain. */
  readonly slack: number;
  /** Last lines of the context headers that were found; undefined without headers. */
  readonly after: HeaderMatch | undefined;
}

class Placer {
  readonly #file: TextLines;
  readonly #format: PatchFormat;
  readonly #occupied = new Occupied();
  /** End of the hunk placed last: where hunks without line numbers go on. */
  #cursor = 0;
  /** How far the last hunk lay from where its header said. */
  #shift = 0;

  constructor(file: TextLines, format: PatchFormat) {
    this.#file = file;
    this.#format = format;
  }

  place(hunk: Hunk): Placed | NotPlaced {
    const anywhere = this.#format === 'unified' && hunk.stated !== undefined;
    const from = anywhere ? 0 : this.#cursor;
    const block = oldSide(hunk).map((line) => line.text);
    const after = this.#headers(hunk, from, block.length > 0);
    if (after?.missing !== undefined) return { kind: 'header-missing', hunk, header: after.missing };
    if (block.length === 0) return this.#placeInsertion(hunk, after);

    const { stated } = hunk;
    const search: Search = {
      hunk,
      block,
      from: after === undefined ? from : (after.lines[0] ?? from),
      notBefore: from,
      expected: stated === undefined ? undefined : Math.max(0, stated.oldStart - 1 + this.#shift),
      slack: stated === undefined ? 0 : Math.abs(stated.oldCount - block.length),
      after,
    };
    const found = this.#atStatedLine(search) ?? this.#search(search);
    return found.kind === 'placed' ? this.#take(found) : found;
  }

  /**
   * Where the context headers of a hunk lead. They may also name what the hunk before is in, as writers repeat the
   * enclosing function above each of its hunks.
   */
  #headers(hunk: Hunk, from: number, hasBlock: boolean): HeaderMatch | undefined {
    if (hunk.headers.length === 0) return undefined;
    const below = findAfterHeaders(this.#file, hunk.headers, from);
    if (from === 0 || !hasBlock) return below;
    const all = findAfterHeaders(this.#file, hunk.headers, 0);
    const enclosing = all.lines.findLast((line) => line < from);
    if (enclosing === undefined) return below;
    return {
      lines: [enclosing, ...below.lines],
      level: below.missing === undefined ? below.level : all.level,
    };
  }

  #take(placed: Placed): Placed {
    const end = placed.start + placed.count;
    this.#occupied.add(placed.start, end);
    const { stated, headers } = placed.hunk;
    // Lines that were appended without any context say nothing about where the next hunk is.
    if (placed.count > 0 || headers.length > 0 || stated !== undefined) this.#cursor = end;
    if (stated !== undefined && placed.count > 0) this.#shift = placed.start - (stated.oldStart - 1);
    return placed;
  }

  /** Exactly where the header says: nothing can be nearer, so nothing else needs to be looked at. */
  #atStatedLine(search: Search): Placed | undefined {
    const { hunk, block, expected, slack } = search;
    if (expected === undefined || slack > 0 || expected < search.from || search.after !== undefined)
      return undefined;
    const atEnd = expected + block.length === this.#file.count;
    if (!atEnd && endsFile(hunk)) return undefined;
    if (this.#occupied.overlaps(expected, expected + block.length)) return undefined;
    if (!blockStandsAt(this.#file, block, 'exact', expected)) return undefined;
    return this.#placed(search, expected, 'exact');
  }

  #search(search: Search): Placed | NotPlaced {
    for (const level of LEVELS) {
      const places = this.#placesAt(search, level);
      if (places.length === 0) {
        const atEnd = this.#beforeFinalNewline(search, level);
        if (atEnd !== undefined) return atEnd;
        continue;
      }
      const start = this.#choose(search, places);
      if (start === undefined) return { kind: 'several', hunk: search.hunk, places, level };
      if (level !== 'exact' && this.#newSideStandsOver(search, start)) {
        return { kind: 'already-applied', hunk: search.hunk, start };
      }
      return this.#placed(search, start, level);
    }
    return this.#notFound(search);
  }

  #placed(search: Search, start: number, level: MatchLevel): Placed {
    return {
      kind: 'placed',
      hunk: search.hunk,
      start,
      count: search.block.length,
      level,
      phantomLine: false,
    };
  }

  #placesAt(search: Search, level: MatchLevel): number[] {
    const { block, hunk } = search;
    const end = this.#file.count - block.length;
    if (endsFile(hunk)) {
      const fits =
        end >= Math.max(search.from, search.notBefore) && blockStandsAt(this.#file, block, level, end);
      return fits && !this.#occupied.overlaps(end, end + block.length) ? [end] : [];
    }
    const places = findBlock(this.#file, block, level, search.from);
    const named = search.after === undefined ? places : nearestAfterEach(search.after.lines, places);
    return named.filter(
      (start) => start >= search.notBefore && !this.#occupied.overlaps(start, start + block.length),
    );
  }

  #choose(search: Search, places: readonly number[]): number | undefined {
    if (places.length === 1) return places[0];
    const { expected, slack } = search;
    if (expected === undefined) return undefined;
    const distances = places.map((start) => Math.abs(start - expected));
    const smallest = distances.reduce(
      (least, distance) => Math.min(least, distance),
      Number.POSITIVE_INFINITY,
    );
    const near = places.filter((_, i) => (distances[i] ?? 0) <= smallest + slack);
    return near.length === 1 ? near[0] : undefined;
  }

  /**
   * Many writers see an empty line after the final newline. A block that ends with it stands at the end of the file
   * without it; nothing that the file has is left out of the comparison.
   */
  #beforeFinalNewline(search: Search, level: MatchLevel): Placed | undefined {
    const { block, hunk } = search;
    const last = hunk.lines.at(-1);
    if (last?.kind !== 'context' || last.text !== '' || block.length < 2 || !this.#file.endsWithNewline)
      return;
    const rest = block.slice(0, -1);
    const start = this.#file.count - rest.length;
    if (start < Math.max(search.from, search.notBefore) || !blockStandsAt(this.#file, rest, level, start))
      return undefined;
    if (this.#occupied.overlaps(start, start + rest.length)) return undefined;
    return { kind: 'placed', hunk, start, count: rest.length, level, phantomLine: true };
  }

  /** A looser level found old lines inside of what the hunk would write: it has been applied before. */
  #newSideStandsOver(search: Search, start: number): boolean {
    const written = newSide(search.hunk).map((line) => line.text);
    if (!saysSomething(search.hunk)) return false;
    const end = start + search.block.length;
    const [first] = findBlock(this.#file, written, 'exact', Math.max(0, start - written.length + 1));
    return first !== undefined && first < end;
  }

  #notFound(search: Search): NotPlaced {
    const { hunk } = search;
    const written = newSide(hunk).map((line) => line.text);
    if (saysSomething(hunk)) {
      for (const level of ['exact', 'trailing-whitespace'] as const) {
        const places = findBlock(this.#file, written, level, 0);
        const { expected } = search;
        const start = places.length === 1 ? places[0] : places.find((place) => place === expected);
        if (start !== undefined) return { kind: 'already-applied', hunk, start };
      }
    }
    if (search.from === 0 && search.notBefore === 0) return { kind: 'missing', hunk };
    return {
      kind: 'missing',
      hunk,
      earlier: findBlock(this.#file, search.block, 'surrounding-whitespace', 0)[0],
    };
  }

  /** Added lines alone: after their context header, after the stated line of a diff without context, or at the end. */
  #placeInsertion(hunk: Hunk, after: HeaderMatch | undefined): Placed | NotPlaced {
    const { stated } = hunk;
    const count = this.#file.count;
    let start = count;
    if (endsFile(hunk)) {
      start = count;
    } else if (after !== undefined) {
      if (after.lines.length > 1) {
        return {
          kind: 'several',
          hunk,
          places: after.lines,
          level: after.level,
          header: hunk.headers.at(-1),
        };
      }
      start = (after.lines[0] ?? 0) + 1;
    } else if (stated !== undefined && count > 0) {
      // A count of 0 is how diff -U0 writes "after this line"; any other count promises lines that are not there.
      if (stated.oldCount > 0) return { kind: 'no-context', hunk };
      if (stated.oldStart === 0) start = 0;
      else start = Math.min(count, Math.max(0, stated.oldStart + this.#shift));
    }
    if (this.#occupied.overlaps(start, start)) return { kind: 'overlap', hunk, start };
    return this.#take({
      kind: 'placed',
      hunk,
      start,
      count: 0,
      level: after?.level ?? 'exact',
      phantomLine: false,
    });
  }
}

/** `*** End of File` and `\ No newline at end of file` say that the block ends where the file ends. */
export function endsFile(hunk: Hunk): boolean {
  return hunk.endOfFile || hunk.lines.some((line) => line.noNewline);
}

/**
 * Whether finding the new side of a hunk says that it has been applied. A lone bracket is found anywhere, and what
 * only removes must keep lines on both sides of the gap.
 */
function saysSomething(hunk: Hunk): boolean {
  const added = hunk.lines.filter((line) => line.kind === 'add');
  if (added.length > 0) return added.some((line) => /[\p{L}\p{N}]/u.test(line.text));
  return hunk.lines[0]?.kind === 'context' && hunk.lines.at(-1)?.kind === 'context';
}

/** For each header the first place that is not before it: a header names what comes next below. */
function nearestAfterEach(headers: readonly number[], places: readonly number[]): number[] {
  const chosen: number[] = [];
  let k = 0;
  for (const header of headers) {
    while (k < places.length && (places[k] ?? 0) < header) k++;
    const place = places[k];
    if (place !== undefined && place !== chosen.at(-1)) chosen.push(place);
  }
  return chosen;
}
