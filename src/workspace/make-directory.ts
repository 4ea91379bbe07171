import { stat } from 'node:fs/promises';
import { CodedError, systemCode } from '../runtime/errors.ts';
import { makeFolders } from './fence.ts';
import { type FileRef, fileError } from './file-errors.ts';

/**
 * Creates a directory and the missing ones above it.
 * @returns false when it was there already
 * @throws {CodedError} ALREADY_EXISTS when a file is in the way, PERMISSION_DENIED, …
 */
export async function makeDirectory(folder: FileRef): Promise<boolean> {
  try {
    return (await makeFolders(folder.path)) !== undefined;
  } catch (error) {
    const isFile =
      systemCode(error) === 'EEXIST' && !(await stat(folder.path).catch(() => undefined))?.isDirectory();
    if (isFile) {
      throw new CodedError(
        'ALREADY_EXISTS',
        `"${folder.shown}" exists already and is not a directory.`,
        'Choose another path, or move the file away first.',
      );
    }
    throw await fileError(error, folder, 'created');
  }
}
