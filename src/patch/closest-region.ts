import { closestRegion as closestLines } from '../workspace/index.ts';
import { foldLine, foldTypography } from './levels.ts';

/** One line in which a region of a file differs from what was looked for. */
export interface LineDifference {
  /** `quotes`: typographic quotes, dashes or spaces; `line`: different text, missing, or too many. */
  readonly kind: 'whitespace' | 'quotes' | 'line';
  /** Line of the file, 1-based; for a line that the file lacks, the line before which it is missing. */
  readonly line: number;
  /** null: the file has a line here that was not asked for. */
  readonly wanted: string | null;
  /** null: the file has no such line here. */
  readonly found: string | null;
}

export interface ClosestRegion {
  /** 1-based, inclusive. */
  readonly startLine: number;
  readonly endLine: number;
  readonly lines: string[];
  readonly differences: LineDifference[];
}

/**
 * The region of a file that is most like some lines of a patch that are not in it, and what differs.
 * @param fileLines without terminators
 * @returns undefined when nothing is alike
 */
export function closestRegion(
  fileLines: readonly string[],
  wantedLines: readonly string[],
): ClosestRegion | undefined {
  const region = closestLines(fileLines, wantedLines, keyOf);
  if (region === undefined) return undefined;
  const differences: LineDifference[] = [];
  let line = region.start + 1;
  for (const [j, i] of region.pairs) {
    if (i !== undefined) line = i + 1;
    const wanted = j === undefined ? null : (wantedLines[j] ?? '');
    const found = i === undefined ? null : (fileLines[i] ?? '');
    if (wanted !== found) differences.push({ kind: kindOf(wanted, found), line, wanted, found });
    if (i !== undefined) line = i + 2;
  }
  const lines = fileLines.slice(region.start, region.end);
  return { startLine: region.start + 1, endLine: region.end, lines, differences };
}

function keyOf(line: string): string {
  return foldLine(line, 'all-whitespace');
}

function kindOf(wanted: string | null, found: string | null): LineDifference['kind'] {
  if (wanted === null || found === null) return 'line';
  if (wanted.replace(/\s+/g, '') === found.replace(/\s+/g, '')) return 'whitespace';
  return foldTypography(wanted).replace(/\s+/g, '') === foldTypography(found).replace(/\s+/g, '')
    ? 'quotes'
    : 'line';
}
