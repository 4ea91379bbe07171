import { splitLines } from '../workspace/index.ts';
import { groupHunks, linesAfter, linesBefore } from './hunks.ts';
import { type LineChange, lineChanges } from './line-changes.ts';

export interface DiffHunk {
  /** 1-based numbers of the first line in the two texts. */
  readonly oldStart: number;
  readonly newStart: number;
  readonly lines: readonly DiffHunkLine[];
}

export interface DiffHunkLine {
  readonly kind: 'context' | 'added' | 'removed';
  /** Without its line end. */
  readonly text: string;
}

export interface DiffHunks {
  readonly hunks: readonly DiffHunk[];
  /** Changed and context lines that were left out. */
  readonly hiddenLines: number;
}

const MAX_LINE_CHARACTERS = 2_000;

/** The difference of two texts as hunks, for whoever draws it; bounded in lines, and each line in its length. */
export async function diffHunks(
  before: string,
  after: string,
  limits: { readonly maxLines: number },
): Promise<DiffHunks> {
  const whole = { oldStart: 0, oldEnd: before.length, newStart: 0, newEnd: after.length };
  const changes = await lineChanges(before, after, [whole]);
  const hunks: DiffHunk[] = [];
  let room = limits.maxLines;
  let hiddenLines = 0;
  let shift = 0;
  for (const group of groupHunks(changes)) {
    const { lines, count } = hunkLines(before, group, room);
    if (lines.length > 0) {
      const lead = linesBefore(before, group[0]!.oldStart).length;
      const oldStart = group[0]!.oldLine - lead + 1;
      hunks.push({ oldStart, newStart: oldStart + shift, lines });
    }
    room -= lines.length;
    hiddenLines += count - lines.length;
    for (const change of group) shift += change.newLines.length - change.oldLines.length;
  }
  return { hunks, hiddenLines };
}

/** @returns the first lines of a hunk, and how many it has */
function hunkLines(
  before: string,
  group: readonly LineChange[],
  room: number,
): { lines: DiffHunkLine[]; count: number } {
  const lines: DiffHunkLine[] = [];
  let count = 0;
  const add = (kind: DiffHunkLine['kind'], texts: readonly string[]) => {
    count += texts.length;
    for (const text of texts.slice(0, Math.max(room - lines.length, 0)))
      lines.push({ kind, text: shown(text) });
  };
  add('context', linesBefore(before, group[0]!.oldStart));
  for (const [index, change] of group.entries()) {
    add('removed', change.oldLines);
    add('added', change.newLines);
    const next = group[index + 1];
    add(
      'context',
      next ? splitLines(before.slice(change.oldEnd, next.oldStart)) : linesAfter(before, change.oldEnd),
    );
  }
  return { lines, count };
}

function shown(line: string): string {
  const text = line.replace(/\r?\n$/, '');
  if (text.length <= MAX_LINE_CHARACTERS) return text;
  return `${text.slice(0, MAX_LINE_CHARACTERS).replace(/[\ud800-\udbff]$/, '')}… [${text.length} characters]`;
}
