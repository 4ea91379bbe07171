import { CodedError } from '../runtime/errors.ts';
import { dominantEol } from '../workspace/index.ts';
import type { Replaced } from './literal-replace.ts';
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
const MAX_RESULT_CHARS = 128 * 1024 * 1024;

/**
 * Replaces what a JavaScript regular expression matches. In a file with CRLF a line break in the replacement becomes
 * CRLF, unless the pattern itself speaks of \r: who does knows what he wants.
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
  const isCrlf = dominantEol(text) === '\r\n';
  const replacement =
    isCrlf && !edit.pattern.includes('\\r') && !edit.pattern.includes('\r')
      ? edit.replacement.replace(/\r?\n/g, '\r\n')
      : edit.replacement;
  const job = { text, pattern: edit.pattern, flags: edit.flags, replacement, maxChars: MAX_RESULT_CHARS };
  const reply = await runRegexJob(job, deadlineMs, signal);
  if (!reply.ok) {
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
      isCrlf && edit.pattern.includes('\\n') && !edit.pattern.includes('\\r')
        ? 'Lines of this file end with CRLF: use \\r?\\n for a line break.'
        : 'Check the pattern with grep; ^ and $ mean every line only with the flag m, and . matches no line break without s.',
    );
  }
  return { text: reply.text, replacements: reply.matches, regions: regionsOf(reply.regions) };
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
