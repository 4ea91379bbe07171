import { type FileHandle, open, readdir } from 'node:fs/promises';
import { CodedError } from '../runtime/errors.ts';
import { isMissing, writeAll } from '../workspace/index.ts';

/** Thrown while a file is read whose compressed content is larger than everything that may be kept. */
export class OverBudget extends Error {}

export function lost(sha256: string): CodedError {
  return new CodedError(
    'NOT_AVAILABLE',
    `The recorded content ${sha256.slice(0, 12)} is missing or damaged in the state folder. Nothing was changed.`,
    'Another checkpoint of the file may be whole: use rewind with action "list".',
  );
}

export async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    await writeAll(handle, bytes);
  } finally {
    await handle.close();
  }
}

export async function writeAt(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const rest = bytes.length - written;
    written += (await handle.write(bytes, written, rest, position + written)).bytesWritten;
  }
}

export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
