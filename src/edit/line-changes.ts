import { splitLines } from '../workspace/index.ts';
import type { Region } from './regions.ts';

/** A change in whole lines. What stands between two changes is the same in both texts. */
export interface LineChange {
  /** 0-based number of the first old line, or of the line before which new ones were put. */
  readonly oldLine: number;
  /** Positions in the old text; the lines from `oldStart` to `oldEnd` are `oldLines`. */
  readonly oldStart: number;
  readonly oldEnd: number;
  /** With their line ends. */
  readonly oldLines: readonly string[];
  readonly newLines: readonly string[];
}

/** Lines of one region on which looking for a smaller difference is worth its time, and how far it is looked for. */
const MAX_COMPARED_LINES = 4_000;
const MAX_EDIT_LENGTH = 400;

/**
 * The changed lines of an edit whose regions are known. Only the regions' own lines are compared; the rest of the
 * file is merely counted, so one changed line in 100,000 costs no more than counting them.
 */
export async function lineChanges(
  before: string,
  after: string,
  regions: readonly Region[],
): Promise<LineChange[]> {
  const changes: LineChange[] = [];
  let line = 0;
  let countedTo = 0;
  for (const region of toWholeLines(before, after, regions)) {
    for (
      let at = before.indexOf('\n', countedTo);
      at !== -1 && at < region.oldStart;
      at = before.indexOf('\n', at + 1)
    ) {
      line++;
      countedTo = at + 1;
    }
    const change = withoutCommonEnds({
      oldLine: line,
      oldStart: region.oldStart,
      oldEnd: region.oldEnd,
      oldLines: splitLines(before.slice(region.oldStart, region.oldEnd)),
      newLines: splitLines(after.slice(region.newStart, region.newEnd)),
    });
    if (change.oldLines.length > 0 || change.newLines.length > 0) changes.push(...(await minimal(change)));
  }
  return changes;
}

/** Widens the regions to whole lines in both texts and joins those that then share a line. */
function toWholeLines(before: string, after: string, regions: readonly Region[]): Region[] {
  const widened: Region[] = [];
  for (const { oldStart, oldEnd, newStart, newEnd } of regions) {
    const back = oldStart - (before.lastIndexOf('\n', oldStart - 1) + 1);
    const lead = oldStart === 0 ? 0 : back;
    const tail = isLineStart(before, oldEnd) && isLineStart(after, newEnd) ? 0 : restOfLine(before, oldEnd);
    const last = widened.at(-1);
    if (last && last.oldEnd > oldStart - lead) {
      widened[widened.length - 1] = {
        ...last,
        oldEnd: Math.max(last.oldEnd, oldEnd + tail),
        newEnd: newEnd + (Math.max(last.oldEnd, oldEnd + tail) - oldEnd),
      };
    } else {
      widened.push({
        oldStart: oldStart - lead,
        oldEnd: oldEnd + tail,
        newStart: newStart - lead,
        newEnd: newEnd + tail,
      });
    }
  }
  return widened;
}

function isLineStart(text: string, position: number): boolean {
  return position === 0 || text.charCodeAt(position - 1) === 10;
}

function restOfLine(text: string, position: number): number {
  const end = text.indexOf('\n', position);
  return (end === -1 ? text.length : end + 1) - position;
}

function withoutCommonEnds(change: LineChange): LineChange {
  const { oldLines, newLines } = change;
  const shorter = Math.min(oldLines.length, newLines.length);
  let head = 0;
  while (head < shorter && oldLines[head] === newLines[head]) head++;
  let tail = 0;
  while (tail < shorter - head && oldLines.at(-1 - tail) === newLines.at(-1 - tail)) tail++;
  if (head === 0 && tail === 0) return change;
  return {
    oldLine: change.oldLine + head,
    oldStart: change.oldStart + totalLength(oldLines.slice(0, head)),
    oldEnd: change.oldEnd - totalLength(oldLines.slice(oldLines.length - tail)),
    oldLines: oldLines.slice(head, oldLines.length - tail),
    newLines: newLines.slice(head, newLines.length - tail),
  };
}

/** Splits a change in which some lines stayed, such as a block replaced to alter two lines of it. */
async function minimal(change: LineChange): Promise<LineChange[]> {
  const { oldLines, newLines } = change;
  const size = oldLines.length + newLines.length;
  const isPlain = oldLines.length === 0 || newLines.length === 0 || size === 2;
  if (isPlain || size > MAX_COMPARED_LINES) return [change];
  const { diffArrays } = await import('diff');
  const parts = diffArrays([...oldLines], [...newLines], { maxEditLength: MAX_EDIT_LENGTH });
  if (!parts) return [change];
  const changes: LineChange[] = [];
  let { oldLine, oldStart } = change;
  let removed: string[] = [];
  let added: string[] = [];
  const close = () => {
    const oldEnd = oldStart + totalLength(removed);
    if (removed.length + added.length > 0) {
      changes.push({ oldLine, oldStart, oldEnd, oldLines: removed, newLines: added });
    }
    oldLine += removed.length;
    oldStart = oldEnd;
    removed = [];
    added = [];
  };
  for (const part of parts) {
    if (part.added) added.push(...part.value);
    else if (part.removed) removed.push(...part.value);
    else {
      close();
      oldLine += part.value.length;
      oldStart += totalLength(part.value);
    }
  }
  close();
  return changes;
}

function totalLength(lines: readonly string[]): number {
  let length = 0;
  for (const line of lines) length += line.length;
  return length;
}
