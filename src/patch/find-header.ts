import { findBlock } from './find-block.ts';
import { LEVELS, type MatchLevel } from './levels.ts';
import type { TextLines } from './text-lines.ts';

export interface HeaderMatch {
  /** Every line (0-based, ascending) that the stacked headers can lead to. */
  readonly lines: readonly number[];
  /** The loosest level that one of the headers needed. */
  readonly level: MatchLevel;
  /** The first header that is not in the file. */
  readonly missing?: string;
}

/**
 * Follows stacked `@@` headers: each one is looked for below the one before, at the levels of a block, and after
 * them as the beginning of a line (`@@ class A` for `class A(Base):`). Where a header occurs several times all ways are
 * kept: whether they lead to one place is seen when the block is found.
 */
export function findAfterHeaders(file: TextLines, headers: readonly string[], from: number): HeaderMatch {
  let lines: number[] | undefined;
  let loosest = 0;
  for (const header of headers) {
    const first = lines === undefined ? from : (lines[0] ?? 0) + 1;
    let found: number[] = [];
    let level = 0;
    for (; level < LEVELS.length && found.length === 0; level++) {
      found = findBlock(file, [header], LEVELS[level] ?? 'exact', first);
    }
    if (found.length === 0) found = findPrefix(file, header, first);
    if (found.length === 0) return { lines: [], level: 'exact', missing: header };
    loosest = Math.max(loosest, level - 1);
    lines = lines === undefined ? found : firstBelowEach(lines, found);
  }
  return { lines: lines ?? [], level: LEVELS[loosest] ?? 'all-whitespace' };
}

/** Lines that begin with the header's text and do not go on in the middle of a word. */
function findPrefix(file: TextLines, header: string, from: number): number[] {
  const wanted = header.trim().replace(/\s+/g, ' ');
  const found: number[] = [];
  if (wanted === '') return found;
  const endsInWord = /[\p{L}\p{N}_]$/u.test(wanted);
  for (let i = from; i < file.count; i++) {
    const line = (file.lines[i] ?? '').trim().replace(/\s+/g, ' ');
    if (!line.startsWith(wanted)) continue;
    if (endsInWord && /^[\p{L}\p{N}_]/u.test(line.slice(wanted.length))) continue;
    found.push(i);
  }
  return found;
}

function firstBelowEach(above: readonly number[], found: readonly number[]): number[] {
  const below: number[] = [];
  let k = 0;
  for (const line of above) {
    while (k < found.length && (found[k] ?? 0) <= line) k++;
    const next = found[k];
    if (next !== undefined && next !== below.at(-1)) below.push(next);
  }
  return below;
}
