import { CodedError } from '../runtime/errors.ts';

export const FORMATS =
  'Send a unified diff (--- a/file, +++ b/file, @@ hunks) or a Codex patch (*** Begin Patch, *** Update File: file, @@ hunks, *** End Patch).';

/**
 * The error for a text that cannot be read as a patch.
 * @param patchLine line of the text as it was sent (1-based), undefined when the whole text is meant
 */
export function invalidPatch(patchLine: number | undefined, problem: string, hint: string): CodedError {
  const where = patchLine === undefined ? '' : `Line ${patchLine} of the patch: `;
  return new CodedError(
    'INVALID_PATCH',
    `Nothing was changed. ${where}${problem}`,
    hint,
    patchLine === undefined ? undefined : { patch_line: patchLine },
  );
}

/** A line as it is shown in a message: quoted, cut after 120 characters. */
export function quoteLine(line: string): string {
  return JSON.stringify(line.length > 120 ? `${line.slice(0, 120)}…` : line);
}
