import { type FileHandle, realpath } from 'node:fs/promises';
import { CodedError, systemCode } from '../runtime/errors.ts';
import { isSameOrInside } from '../runtime/paths.ts';
import { decodeText, openForReading, readFully, type Workspace } from '../workspace/index.ts';

/** A text file of the workspace, read from its start. */
export interface TextDocument {
  /** Absolute, as it was asked for. */
  readonly path: string;
  /** Absolute, symlinks resolved: two names of one file have the same. */
  readonly realPath: string;
  /** The path as results show it. */
  readonly shown: string;
  readonly text: string;
  readonly sizeBytes: number;
  /** False when the file is longer than what was read of it. */
  readonly complete: boolean;
}

export interface ReadDocumentOptions {
  readonly workspace: Workspace;
  /** Real, absolute folders; the file's real path must be in one of them. */
  readonly allowedFolders: readonly string[];
  readonly maxBytes: number;
}

/** Why a document is there but was not read; one short phrase. */
export interface UnreadDocument {
  readonly path: string;
  readonly shown: string;
  readonly reason: string;
}

/**
 * Reads a file that nobody asked for by name: because it is loaded by itself, a link that leads out of the
 * allowed folders is not followed in any access mode, and a pipe or device is never opened for long.
 * @returns undefined where there is no such file
 */
export async function readDocument(
  path: string,
  options: ReadDocumentOptions,
): Promise<TextDocument | UnreadDocument | undefined> {
  const shown = options.workspace.display(path);
  let handle: FileHandle | undefined;
  try {
    const real = await realpath(path);
    if (!options.allowedFolders.some((folder) => isSameOrInside(real, folder))) {
      return { path, shown, reason: 'it leads out of the workspace' };
    }
    await options.workspace.forReading(real);
    const opened = await openForReading({ path: real, shown });
    handle = opened.handle;
    const bytes = await readFully(handle, 0, Math.min(opened.sizeBytes, options.maxBytes));
    const complete = bytes.length >= opened.sizeBytes;
    const text = decodeStart(bytes, complete);
    if (text === undefined) return { path, shown, reason: 'it is not a text file' };
    return { path, realPath: real, shown, text, sizeBytes: opened.sizeBytes, complete };
  } catch (error) {
    return unread(error, path, shown);
  } finally {
    await handle?.close();
  }
}

function unread(error: unknown, path: string, shown: string): UnreadDocument | undefined {
  const code = error instanceof CodedError ? error.code : systemCode(error);
  switch (code) {
    case undefined:
      throw error;
    case 'DENIED':
    case 'PATH_OUTSIDE_WORKSPACE':
      return { path, shown, reason: 'reading it is not allowed' };
    case 'PERMISSION_DENIED':
    case 'EACCES':
    case 'EPERM':
      return { path, shown, reason: 'the system denies reading it' };
    case 'ELOOP':
      return { path, shown, reason: 'it is part of a loop of symbolic links' };
    default:
      // Not there, a folder, a pipe: not a document.
      return undefined;
  }
}

export function wasRead(document: TextDocument | UnreadDocument | undefined): document is TextDocument {
  return document !== undefined && 'text' in document;
}

/** The text of the first bytes of a file; a character cut at the end is dropped. */
function decodeStart(bytes: Buffer, complete: boolean): string | undefined {
  const whole = decodeText(bytes);
  if (complete || whole?.encoding.startsWith('utf')) return whole?.text;
  // Half a character at the end makes UTF-8 look like an 8-bit encoding, and UTF-16 like nothing at all.
  for (let cut = 1; cut <= 3; cut++) {
    const shorter = decodeText(bytes.subarray(0, bytes.length - cut));
    if (shorter?.encoding.startsWith('utf')) return shorter.text;
  }
  return whole?.text;
}
