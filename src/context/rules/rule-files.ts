import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isSameOrInside } from '../../runtime/paths.ts';

const MAX_FILES = 300;
const MAX_DEPTH = 6;

/**
 * The files of a rules folder and of the folders in it, sorted by path. Links to folders are followed, because
 * rules are shared that way, but not out of the allowed folders and not in circles.
 */
export async function ruleFilesIn(
  folder: string,
  name: RegExp,
  allowedFolders: readonly string[],
): Promise<string[]> {
  const found: string[] = [];
  const visited = new Set<string>();
  const visit = async (current: string, depth: number): Promise<void> => {
    const real = await realpath(current).catch(() => undefined);
    if (real === undefined || visited.has(real) || depth > MAX_DEPTH) return;
    if (!allowedFolders.some((allowed) => isSameOrInside(real, allowed))) return;
    visited.add(real);
    const entries = await readdir(current, { withFileTypes: true }).catch(() => []);
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (found.length >= MAX_FILES) return;
      const path = join(current, entry.name);
      const isFolder = entry.isSymbolicLink()
        ? await stat(path).then(
            (stats) => stats.isDirectory(),
            () => false,
          )
        : entry.isDirectory();
      if (isFolder) await visit(path, depth + 1);
      else if (name.test(entry.name)) found.push(path);
    }
  };
  await visit(folder, 1);
  return found;
}
