import { CodedError, type ErrorCode } from '../runtime/errors.ts';
import { type ClosestRegion, closestRegion } from './closest-region.ts';
import { quoteLine } from './invalid-patch.ts';
import { type Hunk, newSide, oldSide } from './model.ts';
import { endsFile, type NotPlaced } from './place-hunks.ts';
import type { TextLines } from './text-lines.ts';

/** One reason why a patch is refused. */
export interface Problem {
  readonly code: ErrorCode;
  /** One sentence that names the file. */
  readonly message: string;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>>;
}

const MAX_LISTED = 20;
const MAX_CLOSEST_CHARS = 4_000;
const MAX_DIFFERENCES = 12;

/** What stood in the way of one hunk. @param number its position in its section, 1-based */
export function hunkProblem(file: TextLines, path: string, number: number, failed: NotPlaced): Problem {
  const { hunk } = failed;
  const where = `hunk ${number} of ${path} (line ${hunk.patchLine} of the patch)`;
  const details = { file: path, hunk: number, patch_line: hunk.patchLine };
  switch (failed.kind) {
    case 'several': {
      const lines = failed.places.map((place) => place + 1);
      const what =
        failed.header === undefined ? 'its lines stand' : `its header ${quoteLine(failed.header)} stands`;
      return {
        code: 'NOT_UNIQUE',
        message: `The place of ${where} is not certain: ${what} in ${lines.length} places, at lines ${list(lines)}.`,
        hint: 'Give more lines of context above or below the change, an @@ header with the enclosing function or class, or the right line number.',
        details: { ...details, lines: lines.slice(0, MAX_LISTED), places: lines.length, level: failed.level },
      };
    }
    case 'already-applied': {
      const start = failed.start + 1;
      return {
        code: 'ALREADY_APPLIED',
        message: `The change of ${where} is already in the file, at line ${start}.`,
        hint: 'Leave out what is already there; if all of it is, there is nothing left to do.',
        details: { ...details, lines: [start, failed.start + Math.max(1, newSide(hunk).length)] },
      };
    }
    case 'header-missing':
      return {
        code: 'NO_MATCH',
        message: `The line ${quoteLine(failed.header)} after "@@" of ${where} is not in the file below the hunk before it.`,
        hint: 'Copy the enclosing function or class line from the file after "@@", or write "@@" alone.',
        details: { ...details, header: failed.header, ...closest(file, [failed.header]) },
      };
    case 'no-context':
      return {
        code: 'INVALID_PATCH',
        message: `The numbers of ${where} promise lines of the file, but the hunk has only added lines.`,
        hint: 'Give the lines around the addition as context, each beginning with one space.',
        details,
      };
    case 'overlap':
      return {
        code: 'INVALID_PATCH',
        message: `The additions of ${where} fall at line ${failed.start + 1}, inside of another hunk.`,
        hint: 'Put both changes into one hunk.',
        details,
      };
    case 'missing':
      return missingProblem(file, path, number, failed.hunk, failed.earlier);
  }
}

function missingProblem(
  file: TextLines,
  path: string,
  number: number,
  hunk: Hunk,
  earlier: number | undefined,
): Problem {
  const where = `hunk ${number} of ${path} (line ${hunk.patchLine} of the patch)`;
  const details = { file: path, hunk: number, patch_line: hunk.patchLine };
  if (earlier !== undefined) {
    return {
      code: 'NO_MATCH',
      message: `The lines of ${where} stand at line ${earlier + 1}, which is above the hunk or header before it.`,
      hint: 'Put the hunks in the order of the file, and each "@@" header above its own lines.',
      details: { ...details, found_at: earlier + 1 },
    };
  }
  const near = closest(
    file,
    oldSide(hunk).map((line) => line.text),
  );
  const region = near.closest;
  return {
    code: 'NO_MATCH',
    message: `The lines of ${where} are not in the file${endsFile(hunk) ? ' at its end' : ''}.`,
    hint:
      region === undefined
        ? `Read ${path} with read_text_file and send the hunk again with lines that are in it.`
        : `The closest lines are ${region.start_line} to ${region.end_line}: send the hunk again with the file's lines exactly as they are there.`,
    details: { ...details, ...near },
  };
}

interface ClosestDetails {
  readonly closest?: {
    readonly start_line: number;
    readonly end_line: number;
    readonly text: string;
    readonly text_cut?: true;
    readonly differences: ClosestRegion['differences'];
    readonly more_differences?: number;
  };
}

function closest(file: TextLines, wanted: readonly string[]): ClosestDetails {
  const region = closestRegion(file.lines, wanted);
  if (region === undefined) return {};
  const text = region.lines.join('\n');
  const more = region.differences.length - MAX_DIFFERENCES;
  const short = (line: string | null): string | null => (line === null ? null : cut(line, 300));
  return {
    closest: {
      start_line: region.startLine,
      end_line: region.endLine,
      text: cut(text, MAX_CLOSEST_CHARS),
      ...(text.length > MAX_CLOSEST_CHARS ? { text_cut: true as const } : {}),
      differences: region.differences
        .slice(0, MAX_DIFFERENCES)
        .map((one) => ({ ...one, wanted: short(one.wanted), found: short(one.found) })),
      ...(more > 0 ? { more_differences: more } : {}),
    },
  };
}

/** The first `length` UTF-16 units, with a mark, never half of a surrogate pair. */
function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const kept = text.slice(0, length);
  return `${/[\ud800-\udbff]$/.test(kept) ? kept.slice(0, -1) : kept}…`;
}

function list(lines: readonly number[]): string {
  const shown = lines.slice(0, MAX_LISTED).join(', ');
  return lines.length > MAX_LISTED ? `${shown} and ${lines.length - MAX_LISTED} more` : shown;
}

export function fileProblem(
  code: ErrorCode,
  path: string,
  message: string,
  hint: string,
  details?: Record<string, unknown>,
): Problem {
  return { code, message, hint, details: { file: path, ...details } };
}

/** An error of the reader (outside of the workspace, binary, too large) as a problem of the file that it is about. */
export function readerProblem(path: string, error: CodedError): Problem {
  return {
    code: error.code,
    message: error.message,
    hint: error.hint,
    details: { file: path, ...error.details },
  };
}

/**
 * All problems of a patch as one error. "Already applied" leads only where nothing worse was found: a caller that reads
 * it may otherwise believe that the work is done.
 * @param complete every change of the patch is already there
 */
export function refusal(problems: readonly Problem[], complete: boolean): CodedError {
  const worst = problems.find((problem) => problem.code !== 'ALREADY_APPLIED') ?? problems[0];
  if (worst === undefined) throw new Error('a refusal needs a problem');
  const others = problems.filter((problem) => problem !== worst);
  const more =
    others.length === 0 ? '' : ` ${others.length} more ${others.length === 1 ? 'problem' : 'problems'}.`;
  const applied =
    worst.code !== 'ALREADY_APPLIED'
      ? ''
      : complete
        ? 'The whole patch is already applied. '
        : 'A part of the patch is already applied, the rest is not. ';
  return new CodedError(worst.code, `Nothing was changed. ${applied}${worst.message}${more}`, worst.hint, {
    ...worst.details,
    ...(others.length === 0
      ? {}
      : {
          other_problems: others
            .slice(0, MAX_LISTED)
            .map(({ code, message, details }) => ({ code, message, file: details['file'] })),
        }),
    ...(others.length > MAX_LISTED ? { more_problems: others.length - MAX_LISTED } : {}),
  });
}
