import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Everything below a folder, links as links. Not `readdir` with `recursive`, which follows links to folders, out of the
 * folder and in circles: since Node 26 with `withFileTypes`, before that without.
 */
export async function entriesBelow(folder: string): Promise<Dirent[]> {
  const found: Dirent[] = [];
  const waiting = [folder];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const entries = await readdir(next, { withFileTypes: true });
    for (const entry of entries) {
      found.push(entry);
      if (entry.isDirectory()) waiting.push(join(next, entry.name));
    }
  }
  return found;
}
