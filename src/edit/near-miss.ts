import { CodedError } from '../runtime/errors.ts';
import { type ClosestRegion, closestRegion, lineNumbersAt } from '../workspace/index.ts';
import { describeDifference, lineKey } from './fold-line.ts';

const MAX_REGION_CHARS = 4_000;
const MAX_DIFFERENCES = 6;
const MAX_QUOTED_CHARS = 160;

/**
 * The error for an old_text that is not in the file: where it was probably meant to be, how the file reads there, and
 * what differs, so that the next call can be right without reading the file again.
 *
 * @param text the file's text with LF line ends
 * @param wanted with LF line ends
 * @param replacement told apart when it is already there
 */
export function noMatch(text: string, wanted: string, replacement: string): CodedError {
  const message = 'old_text is not in the file. Nothing was changed.';
  if (replacement.trim().length > 3 && text.includes(replacement)) {
    const [line] = lineNumbersAt(text, [text.indexOf(replacement)]);
    return new CodedError(
      'NO_MATCH',
      message,
      `new_text is already there, at line ${line}: the edit may have been made before.`,
      { new_text_at_line: line },
    );
  }
  const unescaped = withoutEscapes(wanted);
  if (unescaped !== wanted && text.includes(unescaped)) {
    return new CodedError(
      'NO_MATCH',
      message,
      'old_text is escaped once too often: send line breaks, tabs and quotes as they are, not as \\n, \\t, \\".',
    );
  }
  const fileLines = linesOf(text);
  const wantedLines = linesOf(wanted);
  const region = closestRegion(fileLines, wantedLines, lineKey);
  if (!region) {
    return new CodedError(
      'NO_MATCH',
      message,
      'No part of old_text occurs in the file: check the path, or find the place with grep.',
    );
  }
  const startLine = region.start + 1;
  const closestText = fileLines.slice(region.start, region.end).join('\n');
  const differences = differencesIn(region, fileLines, wantedLines);
  const lines =
    startLine === region.end ? `line ${startLine} as it is` : `lines ${startLine}–${region.end} as they are`;
  const hint = hasLineNumbers(wantedLines)
    ? 'old_text seems to contain line numbers: send the text without them.'
    : `Send ${lines} in the file (see closest), or grep for another place.`;
  return new CodedError('NO_MATCH', `${message} The closest place is line ${startLine}.`, hint, {
    closest: {
      start_line: startLine,
      end_line: region.end,
      text:
        closestText.length > MAX_REGION_CHARS
          ? `${closestText.slice(0, MAX_REGION_CHARS)}… [cut: ${MAX_REGION_CHARS} of ${closestText.length} characters]`
          : closestText,
    },
    differences,
  });
}

/** One sentence per line that differs, in the order of the file; the first few. */
function differencesIn(
  region: ClosestRegion,
  fileLines: readonly string[],
  wantedLines: readonly string[],
): string[] {
  const differences = region.pairs.flatMap(([inWanted, inFile]) => {
    const fileLine = inFile === undefined ? '' : (fileLines[inFile] ?? '');
    const wantedLine = inWanted === undefined ? '' : (wantedLines[inWanted] ?? '');
    if (inWanted === undefined) {
      return inFile === undefined
        ? []
        : [`line ${inFile + 1} of the file is missing in old_text: ${quote(fileLine)}`];
    }
    if (inFile === undefined) {
      return [`line ${inWanted + 1} of old_text is not in the file there: ${quote(wantedLine)}`];
    }
    return compare(fileLine, wantedLine, inFile, inWanted);
  });
  const more = differences.length - MAX_DIFFERENCES;
  return more > 0 ? [...differences.slice(0, MAX_DIFFERENCES), `and ${more} more lines`] : differences;
}

function compare(fileLine: string, wantedLine: string, inFile: number, inWanted: number): string[] {
  if (fileLine === wantedLine) return [];
  const what = describeDifference(fileLine, wantedLine);
  return [
    `line ${inFile + 1}: ${what}; the file has ${quote(fileLine)}, line ${inWanted + 1} of old_text is ${quote(wantedLine)}`,
  ];
}

/** Spaces and tabs at the ends must be seen, so JSON's notation. */
function quote(line: string): string {
  return JSON.stringify(line.length > MAX_QUOTED_CHARS ? `${line.slice(0, MAX_QUOTED_CHARS)}…` : line);
}

function linesOf(text: string): string[] {
  const lines = text.split('\n');
  // What stands behind a final line end is no line.
  if (lines.length > 1 && lines.at(-1) === '') lines.pop();
  return lines;
}

function hasLineNumbers(lines: readonly string[]): boolean {
  return lines.every((line) => /^\s*\d+\s*[:|\t→]/.test(line));
}

function withoutEscapes(text: string): string {
  const plain: Readonly<Record<string, string>> = { n: '\n', r: '', t: '\t' };
  return text.replace(/\\([nrt"'\\])/g, (_, char: string) => plain[char] ?? char);
}
