import { diffArrays } from 'diff';

/** One stretch of a change with its context; line numbers 0-based. */
export interface Change {
  readonly oldStart: number;
  readonly newStart: number;
  readonly lines: { readonly sign: ' ' | '-' | '+' /** With its terminator. */; readonly raw: string }[];
}

function rawLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** The hunks between two texts, by the `diff` package; lines are compared with their terminators. */
export function changesBetween(before: string, after: string, context: number): Change[] {
  const ops: { sign: ' ' | '-' | '+'; raw: string }[] = [];
  for (const part of diffArrays(rawLines(before), rawLines(after))) {
    for (const raw of part.value) ops.push({ sign: part.added ? '+' : part.removed ? '-' : ' ', raw });
  }
  // For every line how far the nearest change is; lines within the context are shown, neighbours form one hunk.
  const distances = new Array<number>(ops.length).fill(Number.POSITIVE_INFINITY);
  for (let i = 0, last = Number.NEGATIVE_INFINITY; i < ops.length; i++) {
    if (ops[i]?.sign !== ' ') last = i;
    distances[i] = i - last;
  }
  for (let i = ops.length - 1, next = Number.POSITIVE_INFINITY; i >= 0; i--) {
    if (ops[i]?.sign !== ' ') next = i;
    distances[i] = Math.min(distances[i] ?? 0, next - i);
  }
  const changes: Change[] = [];
  let oldLine = 0;
  let newLine = 0;
  let open: Change | undefined;
  ops.forEach((op, i) => {
    if ((distances[i] ?? 0) > context) {
      open = undefined;
    } else {
      if (open === undefined) {
        open = { oldStart: oldLine, newStart: newLine, lines: [] };
        changes.push(open);
      }
      open.lines.push(op);
    }
    if (op.sign !== '+') oldLine++;
    if (op.sign !== '-') newLine++;
  });
  return changes;
}

function bodyLine(sign: string, raw: string): string {
  return raw.endsWith('\n') ? sign + raw : `${sign}${raw}\n\\ No newline at end of file\n`;
}

export interface UnifiedOptions {
  readonly context?: number;
  /** Added to the stated lines. */
  readonly shift?: number;
  readonly headers?: boolean;
}

export function renderUnified(
  path: string,
  before: string,
  after: string,
  options: UnifiedOptions = {},
): string {
  const hunks = changesBetween(before, after, options.context ?? 3).map(({ oldStart, newStart, lines }) => {
    const oldCount = lines.filter((line) => line.sign !== '+').length;
    const newCount = lines.filter((line) => line.sign !== '-').length;
    const shift = options.shift ?? 0;
    const at = (start: number, count: number): string =>
      `${Math.max(0, (count === 0 ? start : start + 1) + shift)},${count}`;
    const body = lines.map(({ sign, raw }) => bodyLine(sign, raw)).join('');
    return `@@ -${at(oldStart, oldCount)} +${at(newStart, newCount)} @@\n${body}`;
  });
  return `--- a/${path}\n+++ b/${path}\n${hunks.join('')}`;
}

/** How often a block of raw lines stands in a text from a line on, without regard to terminators. */
function occurrences(lines: readonly string[], block: readonly string[], from: number): number {
  const bare = (raw: string): string => raw.replace(/\r?\n$/, '');
  let count = 0;
  for (let at = from; at + block.length <= lines.length; at++) {
    if (block.every((line, k) => bare(line) === bare(lines[at + k] ?? ''))) count++;
  }
  return count;
}

/**
 * The same change as a Codex patch: no line numbers, as much context as makes every block occur once.
 * @returns undefined when a change cannot be said in this notation (the old file is empty)
 */
export function renderCodex(path: string, before: string, after: string): string | undefined {
  const lines = rawLines(before);
  for (const context of [3, 8, 30, 200, Number.POSITIVE_INFINITY]) {
    const changes = changesBetween(before, after, context);
    let from = 0;
    const unique = changes.every((change) => {
      const block = change.lines.filter((line) => line.sign !== '+').map((line) => line.raw);
      const found = block.length > 0 && occurrences(lines, block, from) === 1;
      from = change.oldStart + block.length;
      return found;
    });
    if (!unique) continue;
    const body = changes.map((change) => {
      const text = change.lines.map(({ sign, raw }) => (raw.endsWith('\n') ? sign + raw : `${sign}${raw}\n`));
      return `@@\n${text.join('')}`;
    });
    return `*** Begin Patch\n*** Update File: ${path}\n${body.join('')}*** End Patch\n`;
  }
  return undefined;
}
