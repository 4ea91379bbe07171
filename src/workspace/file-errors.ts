import { lstat, readdir, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { CodedError, systemCode } from '../runtime/errors.ts';
import { isWindows } from '../runtime/platform.ts';
import { meantPath } from './meant-path.ts';
import { similarNames } from './similar-names.ts';

/** Editing holds a file in memory several times over; reading streams and has no bound. */
export const MAX_EDIT_BYTES = 64 * 1024 * 1024;

/** A file as it is used and as it is named in messages. */
export interface FileRef {
  /** Absolute; symlinks need not be resolved. */
  readonly path: string;
  /** Workspace.display of the path. */
  readonly shown: string;
}

/**
 * The clear sentence for a failed file operation; anything unexpected is returned as it came.
 * @param verb what was tried, for "could not be …": read, written, deleted, moved
 */
export async function fileError(error: unknown, file: FileRef, verb: string): Promise<unknown> {
  if (error instanceof CodedError) return error;
  switch (systemCode(error)) {
    case 'ENOENT':
      return fileNotFound(file);
    case 'ENOTDIR':
    // A folder was to be made where a file or a link to nothing stands; files of our own have names of their own.
    case 'EEXIST':
      return notADirectoryOnTheWay(file);
    case 'EISDIR':
      return isADirectory(file);
    case 'EACCES':
    case 'EPERM':
      return new CodedError(
        'PERMISSION_DENIED',
        `"${file.shown}" could not be ${verb}: the system denies it to the user that local-coder runs as.`,
        'Check the permissions of the file and of its folder (ls -l), or choose another file.',
      );
    case 'EROFS':
      return new CodedError(
        'PERMISSION_DENIED',
        `"${file.shown}" could not be ${verb}: the file system is read-only.`,
        'Choose a file on a writable file system.',
      );
    case 'ENOSPC':
    case 'EDQUOT':
      return new CodedError(
        'DISK_FULL',
        `"${file.shown}" could not be ${verb}: no space is left on the disk (or in the quota). Nothing was changed.`,
        'Free some space, then call again.',
      );
    case 'EFBIG':
      return new CodedError(
        'TOO_LARGE',
        `"${file.shown}" could not be ${verb}: the system does not allow a file of this size. Nothing was changed.`,
        'Write less, or split the file.',
      );
    case 'ENAMETOOLONG':
      return new CodedError('INVALID_PARAMS', `A name in "${file.shown}" is too long.`, 'Use shorter names.');
    case 'ELOOP':
      return new CodedError(
        'UNSUPPORTED_FILE',
        `"${file.shown}" is part of a loop of symbolic links.`,
        'Use the path of the real file, or delete the link.',
      );
    case 'EMFILE':
    case 'ENFILE':
    case 'EBUSY':
    case 'ETXTBSY':
      return new CodedError(
        'BUSY',
        `"${file.shown}" could not be ${verb}: it is in use, or too many files are open (${systemCode(error)}).`,
        'Call again in a moment; close the program that holds the file if it persists.',
      );
    default:
      return error;
  }
}

export function isADirectory(
  file: FileRef,
  hint = 'Use list_directory or directory_tree to see what is in it.',
): CodedError {
  return new CodedError('IS_A_DIRECTORY', `"${file.shown}" is a directory, not a file.`, hint);
}

export function notADirectory(file: FileRef): CodedError {
  return new CodedError(
    'NOT_A_DIRECTORY',
    `"${file.shown}" is a file, not a directory.`,
    'Give the path of a directory.',
  );
}

export function binaryFile(file: FileRef): CodedError {
  return new CodedError(
    'BINARY_FILE',
    `"${file.shown}" is not a text file.`,
    'Use read_file_base64 for its bytes, or view_image for an image.',
  );
}

export function tooLargeToEdit(file: FileRef, sizeBytes: number): CodedError {
  const bound = MAX_EDIT_BYTES / 1024 / 1024;
  return new CodedError(
    'TOO_LARGE',
    `"${file.shown}" has ${sizeBytes} bytes; files above ${bound} MiB are not edited.`,
    'Use run_command with a streaming tool such as sed, or split the file. read_text_file reads any size.',
    { size_bytes: sizeBytes, max_bytes: MAX_EDIT_BYTES },
  );
}

export function specialFile(file: FileRef): CodedError {
  return new CodedError(
    'UNSUPPORTED_FILE',
    `"${file.shown}" is a pipe, socket or device, not a regular file.`,
    'Use run_command where such a file must be read or written.',
  );
}

/** FILE_NOT_FOUND with what there is instead: the same path as it must be written, similar names in the folder, or the deepest folder that exists. */
export async function fileNotFound(file: FileRef): Promise<CodedError> {
  const names = await namesIn(dirname(file.path));
  const meant = await meantPath(file.path, file.shown);
  if (names === undefined && meant === undefined) {
    if ((await obstacleAbove(file.path)) !== undefined) return notADirectoryOnTheWay(file);
    const start = isAbsolute(file.shown) ? '; a relative path starts at the workspace folder' : '';
    return new CodedError(
      'FILE_NOT_FOUND',
      `"${file.shown}" does not exist: the folder ${await firstMissingFolder(file)} is not there.`,
      `Use glob or list_directory to find the right path${start}.`,
    );
  }
  // A shown path has `/` on every platform; elsewhere than on Windows a backslash is part of a name.
  const shownFolder = file.shown.slice(0, file.shown.lastIndexOf('/') + 1);
  const similar =
    meant === undefined
      ? similarNames(basename(file.path), names ?? []).map((name) => shownFolder + name)
      : [meant];
  return new CodedError(
    'FILE_NOT_FOUND',
    `"${file.shown}" does not exist.`,
    similar.length > 0
      ? `Did you mean ${similar.map((name) => `"${name}"`).join(' or ')}?`
      : `Use glob with "**/${basename(file.path)}" or list_directory to find the right path.`,
    similar.length > 0 ? { similar } : undefined,
  );
}

async function notADirectoryOnTheWay(file: FileRef): Promise<CodedError> {
  const obstacle = await obstacleAbove(file.path);
  return new CodedError(
    'NOT_A_DIRECTORY',
    obstacle?.isLink
      ? `"${file.shown}" cannot exist: "${obstacle.name}" above it is a symbolic link to something that does not exist.`
      : `"${file.shown}" cannot exist: ${obstacle ? `"${obstacle.name}" above it` : 'a part of its path'} is a file, not a directory.`,
    'Use list_directory on the folder above to find the right path.',
  );
}

/** What stands in the way of a path: the lowest entry above it that exists, unless that is a folder. */
async function obstacleAbove(path: string): Promise<{ name: string; isLink: boolean } | undefined> {
  for (let above = dirname(path); above !== dirname(above); above = dirname(above)) {
    const entry = await lstat(above).catch(() => undefined);
    if (!entry) continue;
    const isFolder = await stat(above).then(
      (stats) => stats.isDirectory(),
      () => false,
    );
    return isFolder ? undefined : { name: basename(above), isLink: entry.isSymbolicLink() };
  }
  return undefined;
}

async function namesIn(folder: string): Promise<string[] | undefined> {
  try {
    return await readdir(folder);
  } catch {
    return undefined;
  }
}

async function firstMissingFolder(file: FileRef): Promise<string> {
  let missing = dirname(file.path);
  for (let parent = dirname(missing); parent !== missing; parent = dirname(missing)) {
    const exists = await stat(parent).then(
      () => true,
      () => false,
    );
    if (exists) break;
    missing = parent;
  }
  const shown = join(basename(dirname(missing)), basename(missing));
  return `"${isWindows ? shown.replaceAll('\\', '/') : shown}"`;
}
