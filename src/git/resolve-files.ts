import { lstat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { CodedError } from '../runtime/errors.ts';
import { isOutside, realPathOfExistingPart } from '../runtime/paths.ts';
import { isWindows } from '../runtime/platform.ts';
import { pathFromBytes, quotedNonUtf8, type RepoPath } from './file-names.ts';
import type { GitProgram } from './git-program.ts';
import type { Place } from './repository.ts';

/** What file names in a call mean. */
export interface FileNaming {
  /** Where relative names start when they are not found from the call's `path`: the first root. */
  readonly defaultFolder: string;
  /** The workspace's guard: the absolute form of a path that this call may use; throws a CodedError otherwise. */
  readonly checkPath: (path: string) => Promise<string>;
}

/**
 * The paths inside the repository that a caller's file names mean. A relative name starts at the folder given as
 * `path`, else at the first root, else at the top of the repository: the first of these where it exists counts, then
 * the first where git knows it (a deleted file). So names work as a person would type them, and as results show them.
 * @throws {CodedError} INVALID_PARAMS for a name outside of the repository, and what checkPath throws
 */
export async function resolveFiles(
  program: GitProgram,
  place: Place,
  files: readonly string[],
  naming: FileNaming,
  signal?: AbortSignal,
): Promise<RepoPath[]> {
  const resolved: RepoPath[] = [];
  for (const file of files) resolved.push(await resolveFile(program, place, file, naming, signal));
  return [...new Set(resolved)];
}

/** resolveFiles for one file. The top folder itself is ".". */
export async function resolveFile(
  program: GitProgram,
  place: Place,
  file: string,
  naming: FileNaming,
  signal?: AbortSignal,
): Promise<RepoPath> {
  const { top } = place.repository;
  const bases = [...new Set([place.folder, naming.defaultFolder, top])];
  const bytes = quotedNonUtf8(file);
  if (bytes !== undefined) return resolveBytes(top, bases, file, bytes);
  if (file === '' || file.includes('\0')) {
    throw new CodedError(
      'INVALID_PARAMS',
      'A file name is empty or contains NUL.',
      'Give the names of files.',
    );
  }
  const fixed = isAbsolute(file) || /^~([/\\]|$)/.test(file);
  const candidates = fixed ? [await naming.checkPath(file)] : bases.map((base) => join(base, file));
  const inside: { path: RepoPath; absolute: string }[] = [];
  for (const absolute of candidates) {
    const path = await pathInside(top, absolute);
    if (path === undefined) continue;
    if (await exists(absolute)) {
      await naming.checkPath(absolute);
      return path;
    }
    if (!inside.some((other) => other.path === path)) inside.push({ path, absolute });
  }
  if (inside.length === 0) throw outside(file, top);
  const chosen = inside.length === 1 ? inside[0]! : await firstKnown(program, top, inside, signal);
  await naming.checkPath(chosen.absolute);
  return chosen.path;
}

function outside(file: string, top: string): CodedError {
  return new CodedError(
    'INVALID_PARAMS',
    `"${file}" is not inside of the repository ${top}.`,
    'Give "path", a folder in the repository that the file belongs to.',
  );
}

/**
 * The path relative to the top, symlinks in front of the last part followed: git tracks a symlink as itself and what
 * is behind one in its real place.
 */
async function pathInside(top: string, absolute: string): Promise<RepoPath | undefined> {
  const real = join(await realPathOfExistingPart(dirname(absolute)), basename(absolute));
  const path = relative(top, real);
  if (!isOutside(path)) return path === '' ? '.' : isWindows ? path.replaceAll('\\', '/') : path;
  return (await realPathOfExistingPart(absolute)) === top ? '.' : undefined;
}

/** Among names of which none exists: the first that the index has, else the first. */
async function firstKnown(
  program: GitProgram,
  top: string,
  candidates: readonly { path: RepoPath; absolute: string }[],
  signal?: AbortSignal,
) {
  const result = await program.run(['ls-files', '-z', '--', ...candidates.map(({ path }) => path)], {
    cwd: top,
    reads: true,
    signal,
  });
  const known = result.stdout.toString('utf8').split('\0');
  const isKnown = ({ path }: { path: RepoPath }) =>
    known.some((name) => name === path || name.startsWith(`${path}/`));
  return candidates.find(isKnown) ?? candidates[0]!;
}

/** A name that is not UTF-8 (never on Windows or macOS), in bytes throughout. */
async function resolveBytes(
  top: string,
  bases: readonly string[],
  file: string,
  bytes: Buffer,
): Promise<RepoPath> {
  const name = bytes.toString('latin1');
  const latin = (path: string) => Buffer.from(path, 'utf8').toString('latin1');
  let first: RepoPath | undefined;
  for (const base of bases) {
    const absolute = isAbsolute(name) ? name : join(latin(base), name);
    const path = relative(latin(top), absolute);
    if (isOutside(path)) continue;
    const found = pathFromBytes(Buffer.from(path, 'latin1'));
    if (await exists(Buffer.from(absolute, 'latin1'))) return found;
    first ??= found;
  }
  if (first === undefined) throw outside(file, top);
  return first;
}

async function exists(path: string | Buffer): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
