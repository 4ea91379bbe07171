import { access, constants } from 'node:fs/promises';
import { CodedError } from '../runtime/errors.ts';
import { isWindows } from '../runtime/platform.ts';
import type { FileRef } from './file-errors.ts';

/**
 * A rename could replace a file that the user may not write; an ordinary program could not, so neither do we.
 * @throws {CodedError} PERMISSION_DENIED
 */
export async function assertWritable(
  file: FileRef,
  stats: { readonly uid: number | bigint; readonly mode: number | bigint },
): Promise<void> {
  const user = isWindows ? undefined : process.geteuid?.();
  const mode = Number(stats.mode);
  if (user === 0 || (Number(stats.uid) === user && (mode & 0o200) !== 0)) return;
  try {
    await access(file.path, constants.W_OK);
  } catch {
    throw new CodedError(
      'PERMISSION_DENIED',
      `"${file.shown}" is write-protected (mode ${(mode & 0o777).toString(8)}). Nothing was changed.`,
      'Make it writable first (for example chmod u+w), or choose another file.',
    );
  }
}
