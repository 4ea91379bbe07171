import type { Dirent } from 'node:fs';
import { join } from 'node:path';
import type { FileRef } from './file-errors.ts';
import { IgnoreRules } from './ignore-rules.ts';
import { readEntries } from './list-directory.ts';

/** A file or link is its name; a directory is an object with one key, its name and `/`; `…` stands for what is left out. */
export type TreeNode = string | { readonly [directory: string]: readonly TreeNode[] | '…' };

export interface DirectoryTree {
  readonly nodes: readonly TreeNode[];
  readonly files: number;
  readonly directories: number;
  /** Directories that were not opened because of the depth, the bound or their permissions, relative to the root, `/` as separator. */
  readonly unopened: readonly string[];
  /** True when the bound, not the depth, left something out. */
  readonly truncated: boolean;
}

export interface TreeLimits {
  /** 1: the directory's own entries only. */
  readonly maxDepth: number;
  /** Bound of the JSON text of `nodes`. */
  readonly maxBytes: number;
}

interface Level {
  readonly path: string;
  readonly shown: string;
  readonly rules: IgnoreRules;
  readonly nodes: TreeNode[];
}

const CONCURRENT_FOLDERS = 16;

/**
 * The tree below a directory without what git ignores. Goes down level by level, so that a bound leaves out the depths
 * rather than half of the top. Symlinks are named, not followed.
 * @param hides what is left out besides, by its path relative to the folder
 * @throws {CodedError} FILE_NOT_FOUND, NOT_A_DIRECTORY, PERMISSION_DENIED for the directory itself
 */
export async function directoryTree(
  folder: FileRef,
  limits: TreeLimits,
  signal?: AbortSignal,
  hides?: (relativePath: string) => boolean,
): Promise<DirectoryTree> {
  const nodes: TreeNode[] = [];
  const tree = { nodes, files: 0, directories: 0, unopened: [] as string[], truncated: false };
  let bytes = 2;
  let level: Level[] = [
    { path: folder.path, shown: '', rules: await IgnoreRules.forFolder(folder.path), nodes },
  ];
  for (let depth = 1; level.length > 0; depth++) {
    const next: Level[] = [];
    for (let start = 0; start < level.length; start += CONCURRENT_FOLDERS) {
      signal?.throwIfAborted();
      const batch = level.slice(start, start + CONCURRENT_FOLDERS);
      const listed = await Promise.all(
        batch.map((one) => list(one, one.path === folder.path ? folder : undefined, hides)),
      );
      for (const [index, { rules, entries }] of listed.entries()) {
        const parent = batch[index]!;
        if (!entries) {
          // Not the same as an empty one.
          parent.nodes.push('…');
          tree.unopened.push(parent.shown);
          continue;
        }
        for (const entry of entries) {
          // Quotes, comma, and for a directory braces, brackets and colon.
          const cost = Buffer.byteLength(JSON.stringify(entry.name)) + (entry.isDirectory() ? 8 : 1);
          if (bytes + cost > limits.maxBytes) {
            tree.truncated = true;
            parent.nodes.push('…');
            tree.unopened.push(parent.shown === '' ? '.' : parent.shown);
            break;
          }
          bytes += cost;
          if (!entry.isDirectory()) {
            parent.nodes.push(entry.isSymbolicLink() ? `${entry.name}@` : entry.name);
            tree.files++;
            continue;
          }
          tree.directories++;
          const shown = parent.shown === '' ? entry.name : `${parent.shown}/${entry.name}`;
          if (depth === limits.maxDepth) {
            parent.nodes.push({ [`${entry.name}/`]: '…' });
            tree.unopened.push(shown);
            continue;
          }
          const children: TreeNode[] = [];
          parent.nodes.push({ [`${entry.name}/`]: children });
          next.push({ path: join(parent.path, entry.name), shown, rules, nodes: children });
        }
      }
    }
    level = next;
  }
  return tree;
}

/** @param root the tree's own directory, whose errors count; one below may vanish or be closed to us */
async function list(
  level: Level,
  root: FileRef | undefined,
  hides: ((relativePath: string) => boolean) | undefined,
): Promise<{ rules: IgnoreRules; entries: Dirent[] | undefined }> {
  let entries: Dirent[];
  try {
    entries = await readEntries(root ?? level);
  } catch (error) {
    if (root) throw error;
    return { rules: level.rules, entries: undefined };
  }
  const hasOwnRules = !root && entries.some((entry) => entry.name === '.gitignore');
  const rules = hasOwnRules ? await level.rules.enter(level.path) : level.rules;
  return {
    rules,
    entries: entries.filter(
      (entry) =>
        !rules.ignores(join(level.path, entry.name), entry.isDirectory()) &&
        !hides?.(level.shown === '' ? entry.name : `${level.shown}/${entry.name}`),
    ),
  };
}
