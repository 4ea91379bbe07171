import { isUtf8 } from 'node:buffer';
import { CodedError } from '../runtime/errors.ts';
import { quoteBytes, unquoteBytes } from '../runtime/quoted-name.ts';

/**
 * A path relative to the top of the repository, `/` between its parts. A name that is not valid UTF-8 stands in
 * git's own quoted form (`"caf\351.txt"`), the only form in which it fits into JSON and can be given back.
 */
export type RepoPath = string;

/** A path as git wrote it with -z. */
export function pathFromBytes(bytes: Buffer): RepoPath {
  return isUtf8(bytes) ? bytes.toString('utf8') : quoteBytes(bytes);
}

/**
 * A path as git wrote it without -z (raw diff lines): quoted only where it has special characters.
 * @param latin1 one character per byte
 */
export function pathFromQuoted(latin1: string): RepoPath {
  if (!latin1.startsWith('"') || !latin1.endsWith('"')) return pathFromBytes(Buffer.from(latin1, 'latin1'));
  return pathFromBytes(unquoteBytes(latin1.slice(1, -1), 'latin1'));
}

/** The bytes that git knows the path by. */
export function pathToBytes(path: RepoPath): Buffer {
  return quotedNonUtf8(path) ?? Buffer.from(path, 'utf8');
}

/** The bytes of a name in git's quoted form when they are not UTF-8; undefined for every ordinary name. */
export function quotedNonUtf8(name: string): Buffer | undefined {
  if (name.length < 2 || !name.startsWith('"') || !name.endsWith('"') || !/\\[2-3][0-7]{2}/.test(name)) {
    return undefined;
  }
  const bytes = unquoteBytes(name.slice(1, -1), 'utf8');
  return isUtf8(bytes) ? undefined : bytes;
}

/**
 * A path as a program argument, which is always UTF-8 text in Node.
 * @throws {CodedError} UNSUPPORTED_FILE for a name that is not UTF-8
 */
export function pathAsArgument(path: RepoPath): string {
  if (quotedNonUtf8(path) === undefined) return path;
  throw new CodedError(
    'UNSUPPORTED_FILE',
    `The name ${path} is not valid UTF-8, so this call cannot be limited to it.`,
    "Limit the call to its folder, or use run_command with the shell's own quoting ($'...').",
  );
}

/** Paths for `--pathspec-from-file --pathspec-file-nul`. */
export function pathsForStdin(paths: readonly RepoPath[], prefix = ''): Buffer {
  return Buffer.concat(paths.flatMap((path) => [Buffer.from(prefix), pathToBytes(path), Buffer.from([0])]));
}
