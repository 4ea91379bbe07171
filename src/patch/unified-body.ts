import { HunkLines, isBareEmpty, isBodyLine, isNoNewlineMark } from './hunk-lines.ts';
import { invalidPatch, quoteLine } from './invalid-patch.ts';
import { hunkHeader, isExtendedHeader, isNamePair } from './markers.ts';
import type { HunkLine, StatedPlace } from './model.ts';

export interface UnifiedBody {
  readonly lines: HunkLine[];
  /** Index of the first line after the hunk. */
  readonly end: number;
}

/**
 * Reads the lines of one hunk of a unified diff. The counts of its header decide what a line such as `--- x` is (a
 * removed `-- x` or the next file's name) only where they fit what follows; wrong counts are set aside and the
 * shape of the text decides, and where that leaves two readings the patch is refused.
 * @param at index of the first line after the `@@` line
 * @throws {CodedError} INVALID_PATCH where the end of the hunk is not certain
 */
export function readUnifiedBody(
  lines: readonly string[],
  at: number,
  stated: StatedPlace | undefined,
  lineNumbers: readonly number[],
): UnifiedBody {
  const counted = stated === undefined ? undefined : endByCounts(lines, at, stated);
  const end = counted ?? endByShape(lines, at, lineNumbers);
  refuseStrayLines(lines, end, counted !== undefined, lineNumbers);

  const body = new HunkLines();
  for (let i = at; i < end; i++) {
    const line = lines[i] ?? '';
    if (isNoNewlineMark(line)) body.markNoNewline();
    else body.add(isBareEmpty(line) ? ` ${line}` : line);
  }
  return { lines: body.take(), end };
}

/** The end according to the counts, or undefined when they do not fit the text. */
function endByCounts(lines: readonly string[], at: number, stated: StatedPlace): number | undefined {
  let oldLeft = stated.oldCount;
  let newLeft = stated.newCount;
  let i = at;
  for (; oldLeft > 0 || newLeft > 0; i++) {
    const line = lines[i];
    if (line === undefined) return undefined;
    if (isNoNewlineMark(line)) continue;
    if (!isBodyLine(line) && !isBareEmpty(line)) return undefined;
    if (line[0] !== '+') oldLeft--;
    if (line[0] !== '-') newLeft--;
    if (oldLeft < 0 || newLeft < 0) return undefined;
  }
  while (isNoNewlineMark(lines[i] ?? '')) i++;
  return canEndAt(lines, i) ? i : undefined;
}

function canEndAt(lines: readonly string[], at: number): boolean {
  let next = at;
  while (next < lines.length && isBareEmpty(lines[next] ?? '')) next++;
  const line = lines[next];
  return line === undefined || !isBodyLine(line) || isNamePair(lines, next) || isSignature(line);
}

/** `-- ` before the version that git appends to mails. */
function isSignature(line: string): boolean {
  return /^-- \r?$/.test(line);
}

function endByShape(lines: readonly string[], at: number, lineNumbers: readonly number[]): number {
  let end = at;
  for (let i = at; i < lines.length; i++) {
    const line = lines[i] ?? '';
    if (isBareEmpty(line)) continue;
    if (isNoNewlineMark(line)) {
      end = i + 1;
      continue;
    }
    if (!isBodyLine(line) || isFileHeader(lines, i)) break;
    if (isSignature(line) && /^\d+\.\d+/.test(lines[i + 1] ?? '')) break;
    if (/^(---|\+\+\+) /.test(line) && hunkHeader(lines[i + 1] ?? '') !== undefined) {
      throw invalidPatch(
        lineNumbers[i],
        `${quoteLine(line)} can be a file name whose other half is missing, or a changed line.`,
        'Give each file its two lines "--- a/file" and "+++ b/file", and correct the counts in the @@ lines.',
      );
    }
    end = i + 1;
  }
  return end;
}

function isFileHeader(lines: readonly string[], at: number): boolean {
  return isNamePair(lines, at) && hunkHeader(lines[at + 2] ?? '') !== undefined;
}

function isStructure(lines: readonly string[], at: number): boolean {
  const line = lines[at] ?? '';
  return (
    hunkHeader(line) !== undefined ||
    isExtendedHeader(line) ||
    isNamePair(lines, at) ||
    /^(diff |Index: |Only in |Binary files |GIT binary patch|From [0-9a-f]{7,64} |commit [0-9a-f]{7,64}|={60,})/.test(
      line,
    )
  );
}

/**
 * A line without prefix ends a hunk. If lines with a prefix follow before anything that a diff is made of, then it was
 * context that lost its space, and going on would apply half of the hunk.
 */
function refuseStrayLines(
  lines: readonly string[],
  end: number,
  countsFit: boolean,
  lineNumbers: readonly number[],
): void {
  const line = lines[end];
  if (line === undefined || isSignature(line) || isStructure(lines, end)) return;
  if (isBareEmpty(line) && countsFit) return;
  let first = end;
  while (first < lines.length && isBareEmpty(lines[first] ?? '')) first++;
  for (let i = first; i < lines.length && !isStructure(lines, i); i++) {
    const next = lines[i] ?? '';
    if (isSignature(next) || next === '---') return;
    if (!/^[ +-]\S|^[+-]/.test(next)) continue;
    throw invalidPatch(
      lineNumbers[first],
      `${quoteLine(lines[first] ?? '')} begins neither with "+", "-" nor a space, but the hunk goes on after it.`,
      'Begin each line of context with one space before the text of the file.',
    );
  }
}
