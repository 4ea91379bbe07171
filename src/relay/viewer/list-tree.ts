import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { concurrently } from '../../runtime/concurrently.ts';
import { entryType, type IgnoreRules, readEntries } from '../../workspace/index.ts';
import type { ViewerOutput } from './contracts.ts';
import { LIMITS } from './limits.ts';
import { callText, counted, jsonBytes, type ViewHandler } from './types.ts';
import { below, type WorkspaceView } from './workspace-view.ts';

type Entry = ViewerOutput<'listTree'>['entries'][number];

export interface ShownEntry {
  readonly name: string;
  readonly type: Entry['type'];
}

const FOLDERS_AT_ONCE = 16;

/** The entries of a folder that may be shown, sorted by name. Links are named, not followed. */
export async function shownEntries(
  view: WorkspaceView,
  folder: { readonly path: string; readonly shown: string },
  rules: IgnoreRules,
): Promise<ShownEntry[]> {
  const entries = await readEntries(folder);
  return entries
    .filter((entry) => !view.hidden.holdsEntry(join(folder.path, entry.name), entry.isDirectory(), rules))
    .map((entry) => ({ name: entry.name, type: entryType(entry) }));
}

interface Level {
  readonly path: string;
  readonly shown: string;
  readonly rules: IgnoreRules;
  readonly children: Entry[];
}

/** Level by level, so that a bound leaves out the depths rather than half of the top. */
export const listTree: ViewHandler<'listTree'> = async (input, { view, signal }) => {
  const { depth, includeFiles } = input;
  const start = await view.path(input.path ?? '.');
  const info = await lstat(start.real);
  const top: Entry[] = [];
  let truncated = false;
  let count = 0;
  let bytes = 2;
  /** @returns false when the tree is full */
  const add = (to: Entry[], entry: Entry): boolean => {
    const cost = jsonBytes(entry) + (entry.type === 'directory' ? 14 : 1);
    if (count >= LIMITS.tree.maxEntries || bytes + cost > LIMITS.tree.maxBytes) {
      truncated = true;
      return false;
    }
    count++;
    bytes += cost;
    to.push(entry);
    return true;
  };

  if (depth === 0 || !info.isDirectory()) {
    const name = start.shown.slice(start.shown.lastIndexOf('/') + 1);
    add(top, { name, path: start.shown, type: entryType(info) });
  } else {
    const rules = await view.hidden.rulesIn(start.real);
    let level: Level[] = [{ path: start.real, shown: start.shown, rules, children: top }];
    for (let at = 1; at <= depth && level.length > 0 && !truncated; at++) {
      const next: Level[] = [];
      const listed = await concurrently(level, FOLDERS_AT_ONCE, async (folder) => {
        signal.throwIfAborted();
        const own = folder.children === top ? folder.rules : await folder.rules.enter(folder.path);
        // One that vanished, or may not be listed, below the folder asked for is shown without children.
        const entries = await shownEntries(view, folder, own).catch((error: unknown) => {
          if (folder.children === top) throw error;
          return [];
        });
        return { rules: own, entries };
      });
      for (const [index, { rules: own, entries }] of listed.entries()) {
        const folder = level[index]!;
        for (const { name, type } of entries) {
          if (!includeFiles && type !== 'directory') continue;
          const entry: Entry = { name, path: below(folder.shown, name), type };
          if (!add(folder.children, entry)) break;
          if (type !== 'directory' || at === depth) continue;
          entry.children = [];
          next.push({
            path: join(folder.path, name),
            shown: entry.path,
            rules: own,
            children: entry.children,
          });
        }
      }
      level = next;
    }
  }
  const { workspaceId } = input;
  return {
    summary: truncated
      ? `The first ${counted(count, 'entry', 'entries')} below ${start.shown}; there are more. ${callText('listTree', { workspaceId, path: '<a folder of these>' })} shows one of them.`
      : `${counted(count, 'entry', 'entries')} below ${start.shown}, depth ${depth}.`,
    data: { path: start.shown, depth, entries: top, truncated },
  };
};
