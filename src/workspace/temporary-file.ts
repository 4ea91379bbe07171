import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const PREFIX = '.local-coder-';
const SUFFIX = '.tmp';

/** A name beside `path` that nothing else uses; what a killed process leaves behind can be told by its pid. */
export function temporaryBeside(path: string): string {
  return join(dirname(path), `${PREFIX}${process.pid}-${randomBytes(6).toString('hex')}${SUFFIX}`);
}

/** The process that made a temporary file; undefined for any other name. */
export function temporaryOwnerPid(name: string): number | undefined {
  if (!isTemporaryName(name)) return undefined;
  const pid = /^(\d+)-/.exec(name.slice(PREFIX.length))?.[1];
  return pid === undefined ? undefined : Number(pid);
}

/** True for the name of a temporary file: listings and searches leave it out. */
export function isTemporaryName(name: string): boolean {
  return name.startsWith(PREFIX) && name.endsWith(SUFFIX);
}

/** Writes all bytes from the beginning of the file, however many the system takes at a time. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    written += (await handle.write(bytes, written, bytes.length - written, written)).bytesWritten;
  }
}
