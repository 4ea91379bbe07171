import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../runtime/errors.ts';
import { type Ending, type Limits, MAX_PROBLEMS } from '../engine.ts';
import type { GlobOverride } from '../ignore-file.ts';
import { IgnoreRules } from '../ignore-rules.ts';

export interface WalkRequest extends Limits {
  readonly folder: string;
  readonly below: string;
  readonly maxDepth?: number | undefined;
  readonly hidden: boolean;
  readonly ignoreRules: boolean;
  readonly gitFolder: boolean;
  readonly override?: GlobOverride | undefined;
}

/** Folders read at the same time: as many as the thread pool has threads. */
const PARALLEL = 4;

interface Folder {
  /** Relative to the search folder, '' for itself. */
  readonly path: string;
  readonly depth: number;
  readonly rules: IgnoreRules | undefined;
}

/**
 * Walks a tree as ripgrep does: neither links nor ignored nor hidden entries.
 * @param onFiles gets the files of one folder; the walk waits for it
 * @returns false from onFiles ends the walk
 */
export async function walk(
  request: WalkRequest,
  onFiles: (paths: readonly string[]) => Promise<boolean>,
): Promise<Ending> {
  const problems: string[] = [];
  let problemCount = 0;
  let timedOut = false;
  let stopped = false;
  const queue: Folder[] = [await startingFolder(request)];

  const visit = async (folder: Folder) => {
    let entries: Dirent[];
    const absolute = join(request.folder, folder.path);
    try {
      entries = await readdir(absolute, { withFileTypes: true });
    } catch (error) {
      problemCount++;
      if (problems.length < MAX_PROBLEMS)
        problems.push(`${folder.path || '.'}: ${systemCode(error) ?? String(error)}`);
      return;
    }
    const isStart = folder.path === request.below;
    const names = new Set(entries.map((entry) => entry.name));
    const rules = isStart ? folder.rules : await folder.rules?.descend(absolute, folder.path, names);
    const files: string[] = [];
    for (const entry of entries) {
      const path = folder.path === '' ? entry.name : `${folder.path}/${entry.name}`;
      const isFolder = entry.isDirectory();
      if ((!isFolder && !entry.isFile()) || !isWanted(request, rules, path, entry.name, isFolder)) continue;
      if (!isFolder) files.push(path);
      else if (request.maxDepth === undefined || folder.depth < request.maxDepth) {
        queue.push({ path, depth: folder.depth + 1, rules });
      }
    }
    if (files.length > 0 && !(await onFiles(files))) stopped = true;
  };

  while (queue.length > 0 && !stopped) {
    request.signal?.throwIfAborted();
    if (performance.now() > request.deadlineMs) {
      timedOut = true;
      break;
    }
    await Promise.all(queue.splice(0, PARALLEL).map(visit));
  }
  return { timedOut, problems, problemCount };
}

/** Brings along the rules of the folders between the search folder and the one where the walk starts. */
async function startingFolder({ folder, below, ignoreRules }: WalkRequest): Promise<Folder> {
  if (!ignoreRules) return { path: below, depth: 1, rules: undefined };
  let rules = await IgnoreRules.forFolder(folder);
  let path = '';
  for (const name of below === '' ? [] : below.split('/')) {
    path = path === '' ? name : `${path}/${name}`;
    rules = await rules.descend(join(folder, path), path);
  }
  return { path: below, depth: 1, rules };
}

/** Precedence as in ripgrep: --glob, then ignore rules, then the leading dot, which an explicit `!rule` overrides. */
function isWanted(
  request: WalkRequest,
  rules: IgnoreRules | undefined,
  path: string,
  name: string,
  isFolder: boolean,
): boolean {
  if (name === '.git' && request.hidden && !request.gitFolder) return false;
  const verdict = request.override?.verdict(path, isFolder) ?? rules?.verdict(path, isFolder);
  if (verdict === 'ignore') return false;
  return verdict === 'include' || request.hidden || !name.startsWith('.');
}
