import { splitLines } from '../workspace/index.ts';
import { groupHunks, linesAfter, linesBefore } from './hunks.ts';
import { type LineChange, lineChanges } from './line-changes.ts';
import type { Region } from './regions.ts';

export interface UnifiedDiff {
  /** Ends with a line that says so when something was left out. */
  readonly text: string;
  readonly addedLines: number;
  readonly removedLines: number;
  readonly truncated: boolean;
}

const MAX_DIFF_BYTES = 32 * 1024;
const MAX_LINE_CHARS = 2_000;

/**
 * The unified diff of an edit whose regions are known, bounded in size.
 * @param path for the header, `/` as separator
 */
export async function unifiedDiff(
  path: string,
  before: string,
  after: string,
  regions: readonly Region[],
): Promise<UnifiedDiff> {
  const changes = await lineChanges(before, after, regions);
  const hunks = groupHunks(changes);
  const lines = [`--- a/${path}\n`, `+++ b/${path}\n`];
  let bytes = 0;
  let complete = 0;
  let shift = 0;
  for (const hunk of hunks) {
    const rendered = renderHunk(before, hunk, shift);
    const end = fittingLines(rendered, MAX_DIFF_BYTES - bytes);
    lines.push(...rendered.slice(0, end));
    if (end < rendered.length) break;
    for (const line of rendered) bytes += Buffer.byteLength(line);
    for (const change of hunk) shift += change.newLines.length - change.oldLines.length;
    complete++;
  }
  const truncated = complete < hunks.length;
  if (truncated) {
    lines.push(
      `[diff cut: ${complete} of ${hunks.length} hunks shown in full; git_diff or read_text_file show the rest]\n`,
    );
  }
  return {
    text: changes.length === 0 ? '' : lines.join(''),
    addedLines: sum(changes.map((change) => change.newLines.length)),
    removedLines: sum(changes.map((change) => change.oldLines.length)),
    truncated,
  };
}

/** @param shift lines by which earlier hunks moved the new text */
function renderHunk(before: string, hunk: readonly LineChange[], shift: number): string[] {
  const first = hunk[0]!;
  const lead = linesBefore(before, first.oldStart);
  const body = lead.map((line) => mark(' ', line));
  let oldCount = lead.length;
  let newCount = lead.length;
  for (const [index, change] of hunk.entries()) {
    body.push(...change.oldLines.map((line) => mark('-', line)));
    body.push(...change.newLines.map((line) => mark('+', line)));
    const next = hunk[index + 1];
    const kept = next
      ? splitLines(before.slice(change.oldEnd, next.oldStart))
      : linesAfter(before, change.oldEnd);
    body.push(...kept.map((line) => mark(' ', line)));
    oldCount += change.oldLines.length + kept.length;
    newCount += change.newLines.length + kept.length;
  }
  const oldStart = first.oldLine - lead.length;
  // A side without lines is given by the line before it, as in every unified diff.
  const oldNumber = oldCount === 0 ? oldStart : oldStart + 1;
  const newNumber = newCount === 0 ? oldStart + shift : oldStart + shift + 1;
  return [`@@ -${oldNumber},${oldCount} +${newNumber},${newCount} @@\n`, ...body];
}

function mark(sign: ' ' | '-' | '+', line: string): string {
  const hasEnd = line.endsWith('\n');
  const shown =
    line.length > MAX_LINE_CHARS
      ? `${line.slice(0, MAX_LINE_CHARS)}… [line cut: ${MAX_LINE_CHARS} of ${line.length} characters]\n`
      : line;
  return hasEnd || shown !== line ? `${sign}${shown}` : `${sign}${line}\n\\ No newline at end of file\n`;
}

function fittingLines(lines: readonly string[], maxBytes: number): number {
  let used = 0;
  for (const [index, line] of lines.entries()) {
    used += Buffer.byteLength(line);
    if (used > maxBytes) return index;
  }
  return lines.length;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
