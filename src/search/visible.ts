import type { GlobResult } from './glob-search.ts';
import type { TextResult } from './text-search.ts';

/** What may be shown of a search, as the workspace knows it. */
export interface Visibility {
  /** Undefined when nothing below the folder is hidden. */
  hiddenBelow(folder: string): Promise<((relativePath: string) => boolean) | undefined>;
  /** Those of the paths that may be shown. */
  withoutIgnored(folder: string, paths: readonly string[]): Promise<readonly string[]>;
}

/**
 * A list that was made without the ignore rules, where the mode insists on them. How many there are in all is not
 * known then.
 */
export async function visibleFiles(
  folder: string,
  found: GlobResult,
  visibility: Visibility | undefined,
): Promise<GlobResult> {
  const paths = await visibility?.withoutIgnored(folder, found.paths);
  if (paths === undefined || paths.length === found.paths.length) return found;
  return { ...found, paths, total: found.total - (found.paths.length - paths.length) };
}

/** The same for matches: a glob that names an ignored file overrides the ignore rules. */
export async function visibleMatches(
  folder: string,
  found: TextResult,
  visibility: Visibility | undefined,
): Promise<TextResult> {
  const paths = await visibility?.withoutIgnored(
    folder,
    found.files.map((file) => file.path),
  );
  if (paths === undefined || paths.length === found.files.length) return found;
  const shown = new Set(paths);
  const files = found.files.filter((file) => shown.has(file.path));
  const matches = files.reduce((sum, file) => sum + file.count, 0);
  return { ...found, files, matches, totalFiles: undefined, totalMatches: undefined };
}
