import { realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { isSameOrInside } from './paths.ts';
import { sea } from './platform.ts';

/**
 * A portable run keeps everything in one folder beside the program and nothing on the computer it runs on. That is true
 * of a whole process, and far down (extracted programs, temporary files) something else is done because of it.
 */
let dataFolder: string | undefined;

/** @param folder the data folder, real and absolute; it may be read-only */
export function runPortable(folder: string): void {
  dataFolder = folder;
}

/** The data folder of a portable run; undefined in every other one. */
export function portableFolder(): string | undefined {
  return dataFolder;
}

/**
 * The folder that a portable data folder lies in, which is the program's own: real, absolute. For the single executable
 * where it lies, for the bundle where its file lies, for the sources the folder that holds `src`.
 * @returns undefined where the program's file is not known
 */
export async function programFolder(): Promise<string | undefined> {
  const file = sea ? process.execPath : process.argv[1];
  if (file === undefined) return undefined;
  try {
    const folder = dirname(await realpath(file));
    const isSource = !sea && basename(file) === 'main.ts' && basename(folder) === 'src';
    return isSource ? dirname(folder) : folder;
  } catch {
    return undefined;
  }
}

/**
 * Where a path is now that was below `from` when it was written down. Drive letters and mount points change, and the
 * other system may separate names with the other character.
 * @returns undefined for a path that did not lie below `from`
 */
export function movedPath(path: string, from: string, to: string): string | undefined {
  const oldSeparator = separatorOf(from);
  const prefix = from.endsWith(oldSeparator) ? from : from + oldSeparator;
  if (path === from || path + oldSeparator === prefix) return to;
  if (!path.startsWith(prefix)) return undefined;
  return join(to, ...path.slice(prefix.length).split(oldSeparator));
}

/**
 * How a path is written down that must be found again where the stick lies by then: below the program's folder of a
 * portable run relative to it (`./projects/app`, `.` for itself), any other one as it is. `fromCarried` reads it.
 * @param stateDir where it is written down
 */
export function toCarried(path: string, stateDir: string): string {
  const place = dirname(stateDir);
  if (dataFolder !== stateDir || !isSameOrInside(path, place)) return path;
  const below = relative(place, path);
  return below === '' ? '.' : `./${below.split(sep).join('/')}`;
}

/** The absolute path of what toCarried wrote into this state folder, wherever it lies now. */
export function fromCarried(path: string, stateDir: string): string {
  return path === '.' || path.startsWith('./') ? join(dirname(stateDir), path) : path;
}

/** The separator of the system that wrote an absolute path. */
export function separatorOf(absolutePath: string): '/' | '\\' {
  return absolutePath.startsWith('/') ? '/' : '\\';
}
