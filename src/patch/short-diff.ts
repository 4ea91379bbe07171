import type { Placed } from './place-hunks.ts';
import type { TextLines } from './text-lines.ts';

const CONTEXT = 3;

interface DiffLine {
  readonly kind: ' ' | '-' | '+';
  readonly text: string;
}

/**
 * What the hunks of one section did, as a unified diff without file names: the file's own lines (not the patch's
 * spelling of them), with at most three lines of context, cut with a mark after `maxLines`.
 */
export function shortDiff(file: TextLines, placed: readonly Placed[], maxLines: number): string {
  const output: string[] = [];
  let shift = 0;
  for (const hunk of placed.toSorted((a, b) => a.start - b.start || a.count - b.count)) {
    const lines = linesOf(file, hunk);
    output.push(...render(lines, hunk.start, hunk.start + shift));
    for (const { kind } of lines) shift += kind === '+' ? 1 : kind === '-' ? -1 : 0;
  }
  return cutLines(output, maxLines);
}

/** A whole file that came or went. */
export function wholeFileDiff(text: TextLines, sign: '+' | '-', maxLines: number): string {
  const range = `1,${text.count}`;
  const header = sign === '+' ? `@@ -0,0 +${range} @@` : `@@ -${range} +0,0 @@`;
  if (text.count === 0) return '';
  const shown = text.lines.slice(0, maxLines).map((line) => sign + line);
  const more = text.count - shown.length;
  const end = more > 0 ? [moreLines(more)] : text.endsWithNewline ? [] : ['\\ No newline at end of file'];
  return [header, ...shown, ...end].join('\n');
}

function moreLines(count: number): string {
  return `… ${count} more lines of this diff are not shown`;
}

function cutLines(lines: readonly string[], maxLines: number): string {
  if (lines.length <= maxLines) return lines.join('\n');
  return [...lines.slice(0, maxLines), moreLines(lines.length - maxLines)].join('\n');
}

/** The hunk's lines as the file has them; what is removed and added again unchanged is context. */
function linesOf(file: TextLines, { hunk, start, count }: Placed): DiffLine[] {
  const lines: DiffLine[] = [];
  let removed: string[] = [];
  let added: string[] = [];
  const flush = (): void => {
    let head = 0;
    while (head < Math.min(removed.length, added.length) && removed[head] === added[head]) head++;
    let tail = 0;
    const rest = Math.min(removed.length, added.length) - head;
    while (tail < rest && removed[removed.length - 1 - tail] === added[added.length - 1 - tail]) tail++;
    const push = (kind: DiffLine['kind'], texts: readonly string[]): void => {
      for (const text of texts) lines.push({ kind, text });
    };
    push(' ', removed.slice(0, head));
    push('-', removed.slice(head, removed.length - tail));
    push('+', added.slice(head, added.length - tail));
    push(' ', removed.slice(removed.length - tail));
    removed = [];
    added = [];
  };
  let at = start;
  for (const line of hunk.lines) {
    if (line.kind === 'add') added.push(line.text);
    else if (line.kind === 'remove') removed.push(file.lines[at++] ?? '');
    else if (at < start + count) {
      flush();
      lines.push({ kind: ' ', text: file.lines[at++] ?? '' });
    }
  }
  flush();
  return lines;
}

/** @param oldStart line (0-based) of the first one in the old file, newStart in the new one */
function render(lines: readonly DiffLine[], oldStart: number, newStart: number): string[] {
  const output: string[] = [];
  let [oldLine, newLine, at] = [oldStart, newStart, 0];
  while (at < lines.length) {
    let change = at;
    while (change < lines.length && lines[change]?.kind === ' ') change++;
    if (change === lines.length) break;
    const from = Math.max(at, change - CONTEXT);
    const to = endOfGroup(lines, change);
    oldLine += from - at;
    newLine += from - at;
    const group = lines.slice(from, to);
    const oldCount = group.filter((line) => line.kind !== '+').length;
    const newCount = group.filter((line) => line.kind !== '-').length;
    output.push(`@@ -${range(oldLine, oldCount)} +${range(newLine, newCount)} @@`);
    for (const { kind, text } of group) output.push(kind + text);
    oldLine += oldCount;
    newLine += newCount;
    at = to;
  }
  return output;
}

/** The end of the changes that lie close enough together to be shown as one, with their context. */
function endOfGroup(lines: readonly DiffLine[], change: number): number {
  let last = change;
  for (let i = change; i < lines.length && i - last <= 2 * CONTEXT; i++) {
    if (lines[i]?.kind !== ' ') last = i;
  }
  return Math.min(lines.length, last + 1 + CONTEXT);
}

function range(line: number, count: number): string {
  return count === 0 ? `${line},0` : count === 1 ? `${line + 1}` : `${line + 1},${count}`;
}
