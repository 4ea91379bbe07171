import { foldLine, type MatchLevel } from './levels.ts';
import { type TextLines, withoutBom } from './text-lines.ts';

/**
 * All places (0-based, ascending, overlapping ones too) where a block stands in a file at one level.
 *
 * Knuth-Morris-Pratt over lines: at most two comparisons for each line of the file, and as a comparison after a
 * mismatch never costs more than the lines that it gives up, the whole is linear in the characters of the file,
 * however repetitive file and block are.
 *
 * @param from first line where the block may begin
 */
export function findBlock(
  file: TextLines,
  block: readonly string[],
  level: MatchLevel,
  from: number,
): number[] {
  const places: number[] = [];
  const lines = file.at(level);
  const wanted = block.map((line) => foldLine(line, level));
  const last = wanted.length - 1;
  if (last < 0 || lines.length - from < wanted.length) return places;
  const first = wanted[0] ?? '';

  if (last === 0) {
    if (from === 0 && firstLineEquals(lines, block, level)) places.push(0);
    for (let i = lines.indexOf(first, Math.max(from, 1)); i >= 0; i = lines.indexOf(first, i + 1))
      places.push(i);
    return places;
  }

  const borders = bordersOf(wanted);
  let matched = 0;
  let i = from;
  if (i === 0) {
    // The first line is compared without its BOM. No later shift of the block covers it, so this bends no border.
    matched = firstLineEquals(lines, block, level) ? 1 : 0;
    i = 1;
  }
  for (; i < lines.length; i++) {
    if (matched === 0) {
      i = lines.indexOf(first, i);
      if (i < 0) break;
      matched = 1;
      continue;
    }
    const line = lines[i];
    while (matched > 0 && line !== wanted[matched]) matched = borders[matched - 1] ?? 0;
    if (line === wanted[matched]) matched++;
    if (matched > last) {
      places.push(i - last);
      matched = borders[last] ?? 0;
    }
  }
  return places;
}

/** Whether a block stands at exactly this place, at one level. */
export function blockStandsAt(
  file: TextLines,
  block: readonly string[],
  level: MatchLevel,
  at: number,
): boolean {
  const lines = file.at(level);
  if (at < 0 || at + block.length > lines.length) return false;
  for (let k = 0; k < block.length; k++) {
    if (at + k === 0 && firstLineEquals(lines, block, level)) continue;
    if (lines[at + k] !== foldLine(block[k] ?? '', level)) return false;
  }
  return true;
}

function firstLineEquals(lines: readonly string[], block: readonly string[], level: MatchLevel): boolean {
  return lines[0] === foldLine(withoutBom(block[0] ?? ''), level);
}

/** For each prefix the length of its longest proper border. */
function bordersOf(block: readonly string[]): Int32Array {
  const borders = new Int32Array(block.length);
  let length = 0;
  for (let i = 1; i < block.length; i++) {
    while (length > 0 && block[i] !== block[length]) length = borders[length - 1] ?? 0;
    if (block[i] === block[length]) length++;
    borders[i] = length;
  }
  return borders;
}
