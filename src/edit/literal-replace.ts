import { CodedError } from '../runtime/errors.ts';
import { dominantEol, lineNumbersAt } from '../workspace/index.ts';
import { foldLineEnds, withLineEndsOf } from './line-ends.ts';
import { noMatch } from './near-miss.ts';
import type { Region } from './regions.ts';

export interface LiteralEdit {
  readonly oldText: string;
  readonly newText: string;
  readonly replaceAll?: boolean | undefined;
}

export interface Replaced {
  readonly text: string;
  readonly replacements: number;
  /** What changed, for the diff; see regions.ts. */
  readonly regions: readonly Region[];
}

/** More in one call would keep the server busy for seconds, and no diff could show them. */
export const MAX_REPLACEMENTS = 1_000_000;
const MAX_LISTED_LINES = 20;
/** Where one place is wanted, the exact number of many matters no more; overlapping ones are slow to count. */
const MAX_COUNTED = 1_000;

/**
 * Replaces a literal text that occurs exactly once, or every occurrence. Line ends do not matter for finding; what is
 * put in gets the line ends of what it replaces.
 *
 * @throws {CodedError} NO_MATCH with the closest region, NOT_UNIQUE with the lines, INVALID_PARAMS
 */
export function replaceLiteral(text: string, edit: LiteralEdit): Replaced {
  const wanted = edit.oldText.replaceAll('\r\n', '\n');
  const replacement = edit.newText.replaceAll('\r\n', '\n');
  if (wanted === '') {
    throw new CodedError(
      'INVALID_PARAMS',
      'old_text is empty.',
      'Give the text to replace, or use write_file to write the whole file.',
    );
  }
  if (wanted === replacement) {
    throw new CodedError(
      'INVALID_PARAMS',
      'old_text and new_text are the same, so nothing would change.',
      'Give the text as it shall become in new_text.',
    );
  }
  const folded = foldLineEnds(text);
  const found = occurrences(folded.text, wanted, edit.replaceAll === true);
  if (found.length === 0) throw noMatch(folded.text, wanted, replacement);
  if (found.length > 1 && !edit.replaceAll) throw notUnique(folded.text, found);
  if (found.length > MAX_REPLACEMENTS) throw tooManyReplacements();

  const [prefix, suffix] = commonEnds(wanted, replacement);
  const middle = replacement.slice(prefix, replacement.length - suffix);
  let eol: '\n' | '\r\n' | undefined;
  const dominant = () => {
    eol ??= dominantEol(text);
    return eol;
  };
  const pieces: string[] = [];
  const regions: Region[] = [];
  let copied = 0;
  let length = 0;
  for (const at of found) {
    // Only what differs is replaced: the parts that stay keep their own line ends, whatever they are.
    const start = folded.toOriginal(at + prefix);
    const end = folded.toOriginal(at + wanted.length - suffix);
    const inserted = folded.text === text ? middle : withLineEndsOf(middle, text.slice(start, end), dominant);
    pieces.push(text.slice(copied, start), inserted);
    length += start - copied;
    regions.push({ oldStart: start, oldEnd: end, newStart: length, newEnd: length + inserted.length });
    length += inserted.length;
    copied = end;
  }
  pieces.push(text.slice(copied));
  return { text: pieces.join(''), replacements: found.length, regions };
}

/** Where the text occurs. Overlapping places count when one is wanted: `aa` in `aaa` could mean either. */
function occurrences(text: string, wanted: string, all: boolean): number[] {
  const found: number[] = [];
  const step = all ? wanted.length : 1;
  const most = all ? MAX_REPLACEMENTS : MAX_COUNTED;
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + step)) {
    found.push(at);
    if (found.length > most) break;
  }
  return found;
}

/** Lengths of the common beginning and end, which do not overlap. */
function commonEnds(a: string, b: string): [number, number] {
  const shorter = Math.min(a.length, b.length);
  let prefix = 0;
  while (prefix < shorter && a.charCodeAt(prefix) === b.charCodeAt(prefix)) prefix++;
  let suffix = 0;
  while (
    suffix < shorter - prefix &&
    a.charCodeAt(a.length - 1 - suffix) === b.charCodeAt(b.length - 1 - suffix)
  ) {
    suffix++;
  }
  return [prefix, suffix];
}

function notUnique(text: string, found: readonly number[]): CodedError {
  const lines = lineNumbersAt(text, found.slice(0, MAX_LISTED_LINES));
  const isAll = found.length <= MAX_COUNTED;
  const times = isAll ? `${found.length}` : `more than ${MAX_COUNTED}`;
  const more = found.length > lines.length ? ` and ${isAll ? found.length - lines.length : 'many'} more` : '';
  return new CodedError(
    'NOT_UNIQUE',
    `old_text occurs ${times} times, at lines ${lines.join(', ')}${more}. Nothing was changed.`,
    'Add lines before or after it to old_text until it is unique, or set replace_all to change every place.',
    { lines, occurrences: found.length },
  );
}

export function tooManyReplacements(): CodedError {
  return new CodedError(
    'TOO_LARGE',
    `These are more than ${MAX_REPLACEMENTS} replacements in one file. Nothing was changed.`,
    'Use run_command with a streaming tool such as sed.',
    { max_replacements: MAX_REPLACEMENTS },
  );
}
