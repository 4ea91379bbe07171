import { splitLines } from '../workspace/index.ts';
import type { LineChange } from './line-changes.ts';

const CONTEXT_LINES = 3;

/** Changes whose context would touch or overlap are one hunk. */
export function groupHunks(changes: readonly LineChange[]): LineChange[][] {
  const hunks: LineChange[][] = [];
  for (const change of changes) {
    const last = hunks.at(-1)?.at(-1);
    const gap = last ? change.oldLine - (last.oldLine + last.oldLines.length) : Number.POSITIVE_INFINITY;
    if (gap <= 2 * CONTEXT_LINES) hunks.at(-1)?.push(change);
    else hunks.push([change]);
  }
  return hunks;
}

/** The context lines before a position. */
export function linesBefore(text: string, position: number): string[] {
  let start = position;
  for (let count = 0; count < CONTEXT_LINES && start > 0; count++) {
    start = start === 1 ? 0 : text.lastIndexOf('\n', start - 2) + 1;
  }
  return splitLines(text.slice(start, position));
}

/** The context lines after one. */
export function linesAfter(text: string, position: number): string[] {
  let end = position;
  for (let count = 0; count < CONTEXT_LINES && end < text.length; count++) {
    const at = text.indexOf('\n', end);
    end = at === -1 ? text.length : at + 1;
  }
  return splitLines(text.slice(position, end));
}
