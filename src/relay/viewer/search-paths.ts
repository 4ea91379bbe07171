import { lstat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { concurrently } from '../../runtime/concurrently.ts';
import { entryType, type IgnoreRules } from '../../workspace/index.ts';
import type { ViewerInput } from './contracts.ts';
import { type ShownEntry, shownEntries } from './list-tree.ts';
import { below, type ViewedPath, type WorkspaceView } from './workspace-view.ts';

export interface FoundPath extends ShownEntry {
  readonly path: string;
}

export interface PathSearch {
  readonly found: readonly FoundPath[];
  /** There is more than was asked for. */
  readonly more: boolean;
  readonly timedOut: boolean;
}

const FOLDERS_AT_ONCE = 16;
/** Cooperative pauses keep other calls going while a large tree is walked. */
const FOLDERS_PER_TURN = 256;

/**
 * Files, folders and links whose path contains a text, whatever its case; the nearest to the top first.
 * @param accepts what the globs say of a path; given globs, only files count
 */
export async function searchPaths(
  view: WorkspaceView,
  start: ViewedPath,
  { query, maxResults, fileGlob }: Pick<ViewerInput<'searchFile'>, 'query' | 'maxResults' | 'fileGlob'>,
  accepts: (path: string) => boolean,
  limits: { readonly deadlineMs: number; readonly signal: AbortSignal },
): Promise<PathSearch> {
  const wanted = query.replaceAll('\\', '/').toLowerCase();
  const filesAlone = fileGlob !== undefined && fileGlob.length > 0;
  const matches = ({ path, type }: FoundPath) =>
    path.toLowerCase().includes(wanted) && (filesAlone ? type !== 'directory' && accepts(path) : true);
  const info = await lstat(start.real);
  if (!info.isDirectory()) {
    const one = { name: basename(start.real), path: start.shown, type: entryType(info) };
    return { found: matches(one) ? [one] : [], more: false, timedOut: false };
  }
  const found: FoundPath[] = [];
  let level: { path: string; shown: string; rules: IgnoreRules; isStart: boolean }[] = [
    { path: start.real, shown: start.shown, rules: await view.hidden.rulesIn(start.real), isStart: true },
  ];
  while (level.length > 0) {
    const next: typeof level = [];
    for (let at = 0; at < level.length; at += FOLDERS_PER_TURN) {
      limits.signal.throwIfAborted();
      if (performance.now() > limits.deadlineMs) return { found, more: false, timedOut: true };
      const folders = level.slice(at, at + FOLDERS_PER_TURN);
      const listed = await concurrently(folders, FOLDERS_AT_ONCE, async (folder) => {
        const rules = folder.isStart ? folder.rules : await folder.rules.enter(folder.path);
        const entries = await shownEntries(view, folder, rules).catch((error: unknown) => {
          if (folder.isStart) throw error;
          return [];
        });
        return { rules, entries };
      });
      for (const [index, { rules, entries }] of listed.entries()) {
        const folder = folders[index]!;
        for (const entry of entries) {
          const path = below(folder.shown, entry.name);
          if (matches({ ...entry, path })) {
            if (found.length === maxResults) return { found, more: true, timedOut: false };
            found.push({ ...entry, path });
          }
          if (entry.type === 'directory') {
            next.push({ path: join(folder.path, entry.name), shown: path, rules, isStart: false });
          }
        }
      }
    }
    level = next;
  }
  return { found, more: false, timedOut: false };
}
