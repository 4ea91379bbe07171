import { realpath } from 'node:fs/promises';
import { relative } from 'node:path';
import { isOutside } from '../../runtime/paths.ts';

/** Both absolute. */
export function isWithin(path: string, folder: string): boolean {
  return !isOutside(relative(folder, path));
}

/** Undefined where there is nothing. */
export function realPathOf(path: string): Promise<string | undefined> {
  return realpath(path).catch(() => undefined);
}
