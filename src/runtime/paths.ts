import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { CodedError, systemCode } from './errors.ts';
import { isMac, isWindows } from './platform.ts';

/** True when `path` is `folder` or lies below it. Both absolute. */
export function isSameOrInside(path: string, folder: string): boolean {
  // Windows and macOS file systems do not tell `A` from `a` by default; a false "inside" only refuses more.
  const [p, f] = isWindows || isMac ? [path.toLowerCase(), folder.toLowerCase()] : [path, folder];
  return !isOutside(relative(f, p));
}

/** True when a result of `path.relative` leads out (`..`, another drive); `..foo` is a fine name inside. */
export function isOutside(relativePath: string): boolean {
  return relativePath === '..' || relativePath.startsWith(`..${sep}`) || isAbsolute(relativePath);
}

/**
 * The real path of the deepest ancestor that exists, with the missing rest appended.
 * A dangling symlink counts as missing here; who writes through it decides (atomic-write.ts).
 * @throws {CodedError} INVALID_PARAMS for a path or name that is longer than the system allows
 */
export async function realPathOfExistingPart(absolutePath: string): Promise<string> {
  const missing: string[] = [];
  let current = absolutePath;
  for (;;) {
    try {
      return join(await realpath(current), ...missing);
    } catch (error) {
      const code = systemCode(error);
      if (code === 'ENAMETOOLONG') throw tooLong();
      if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ELOOP' && code !== 'EACCES') throw error;
      const parent = dirname(current);
      if (parent === current) return absolutePath;
      missing.unshift(current.slice(parent.length).replace(/^[\\/]/, ''));
      current = parent;
    }
  }
}

function tooLong(): CodedError {
  return new CodedError(
    'INVALID_PARAMS',
    'The path, or a name in it, is longer than the system allows.',
    'Use shorter names.',
  );
}
