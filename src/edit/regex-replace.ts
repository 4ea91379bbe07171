import { CodedError } from '../runtime/errors.ts';
import { dominantEol } from '../workspace/index.ts';
import { type FoldedText, foldLineEnds } from './line-ends.ts';
import { MAX_REPLACEMENTS, type Replaced, tooManyReplacements } from './literal-replace.ts';
import { runRegexJob } from './regex-worker.ts';
import type { Region } from './regions.ts';

export interface RegexEdit {
  /** JavaScript, without slashes. */
  readonly pattern: string;
  /** JavaScript: $1, $<name>, $&, $$. */
  readonly replacement: string;
  readonly flags: string;
}

export const REGEX_DEADLINE_MS = 5_000;
const LIMITS = { maxChars: 128 * 1024 * 1024, maxRegions: MAX_REPLACEMENTS };
/** The ways in which a pattern can name a carriage return. */
const SPEAKS_OF_CR = /\r|\\r|\\x0[dD]|\\u000[dD]|\\u\{0*[dD]\}|\\c[mM]/;

/**
 * Replaces what a JavaScript regular expression matches. The pattern sees every CRLF as LF, so that `\n` means a line
 * break in any file and never half of one, and what is put in gets the line ends of what it replaces; unless the
 * pattern itself speaks of \r: who does knows what he wants.
 *
 * @throws {CodedError} INVALID_PATTERN with the engine's message, NO_MATCH, TIMEOUT, TOO_LARGE
 */
export async function replaceRegex(
  text: string,
  edit: RegexEdit,
  signal?: AbortSignal,
  deadlineMs = REGEX_DEADLINE_MS,
): Promise<Replaced> {
  assertValid(edit);
  const folded = SPEAKS_OF_CR.test(edit.pattern) ? undefined : foldLineEnds(text);
  const job = { ...edit, text: folded?.text ?? text, ...LIMITS };
  const reply = await runRegexJob(job, deadlineMs, signal);
  if (!reply.ok) {
    if (reply.tooMany) throw tooManyReplacements();
    throw reply.tooLarge
      ? new CodedError(
          'TOO_LARGE',
          'The result would be too large. Nothing was changed.',
          "Check the replacement: $` and $' insert everything before and after the match.",
        )
      : invalidPattern(reply.message);
  }
  if (reply.matches === 0) {
    throw new CodedError(
      'NO_MATCH',
      'The pattern matches nothing in the file. Nothing was changed.',
      'Check the pattern with grep; ^ and $ mean every line only with the flag m, and . matches no line break without s.',
    );
  }
  const regions = regionsOf(reply.regions);
  if (!folded || folded.text === text) return { text: reply.text, replacements: reply.matches, regions };
  return { ...unfolded(text, folded, reply.text, regions), replacements: reply.matches };
}

/** The same replacements in the text with its own line ends. */
function unfolded(
  text: string,
  folded: FoldedText,
  newText: string,
  foldedRegions: readonly Region[],
): { text: string; regions: Region[] } {
  const dominant = dominantEol(text);
  const pieces: string[] = [];
  const regions: Region[] = [];
  let copied = 0;
  let length = 0;
  for (const { oldStart, oldEnd, newStart, newEnd } of foldedRegions) {
    const [start, end] = [folded.toOriginal(oldStart), folded.toOriginal(oldEnd)];
    const ends = text.slice(start, end).match(/\r?\n/g) ?? [];
    let index = 0;
    // A CRLF can only come from the replacement itself: it is meant as it is written.
    const inserted = newText.slice(newStart, newEnd).replace(/\r?\n/g, (written) => {
      const own = ends[index++] ?? dominant;
      return written === '\n' ? own : written;
    });
    pieces.push(text.slice(copied, start), inserted);
    length += start - copied;
    regions.push({ oldStart: start, oldEnd: end, newStart: length, newEnd: length + inserted.length });
    length += inserted.length;
    copied = end;
  }
  pieces.push(text.slice(copied));
  return { text: pieces.join(''), regions };
}

function assertValid(edit: RegexEdit): void {
  try {
    new RegExp(edit.pattern, edit.flags);
  } catch (error) {
    throw invalidPattern(error instanceof Error ? error.message : String(error));
  }
}

function invalidPattern(message: string): CodedError {
  return new CodedError(
    'INVALID_PATTERN',
    `${message}. Nothing was changed.`,
    'pattern is a JavaScript regular expression without slashes; flags are letters of dgimsuvy. For plain text use edit_file.',
  );
}

function regionsOf(numbers: readonly number[]): Region[] {
  const regions: Region[] = [];
  for (let at = 0; at + 3 < numbers.length; at += 4) {
    const [oldStart, oldEnd, newStart, newEnd] = numbers.slice(at, at + 4) as [
      number,
      number,
      number,
      number,
    ];
    regions.push({ oldStart, oldEnd, newStart, newEnd });
  }
  return regions;
}
