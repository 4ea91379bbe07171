import { constants } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { isWindows } from '../runtime/platform.ts';
import { fenceOf, isWithin, openInside, readFileInside } from '../workspace/index.ts';

/** What .git tells without running git. */
export interface GitHead {
  /** The folder that holds `.git`. */
  readonly topLevel: string;
  /** Undefined when HEAD is detached. */
  readonly branch: string | undefined;
  /** Full hash; undefined on a branch without commits, or where the refs are kept in a form not read here. */
  readonly commit: string | undefined;
}

const HASH = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;
/** HEAD, .git files and loose refs are one short line. */
const MAX_LINE_BYTES = 4096;
const MAX_PACKED_REFS_BYTES = 8 * 1024 * 1024;

/**
 * Branch and commit of the repository that a folder belongs to, from a handful of small files: a git process
 * alone costs more than the instructions may. Understands worktrees, submodules, packed refs and unborn branches.
 * @returns undefined outside of a repository, or when HEAD is in a form not understood (reftable)
 */
export async function readGitHead(folder: string): Promise<GitHead | undefined> {
  // In a confined mode a repository around the workspace is none of the workspace's.
  const fence = fenceOf(folder);
  const isAllowed = (path: string) => !fence || fence.roots.some((root) => isWithin(path, root));
  for (let current = folder; ; ) {
    const gitFolder = await gitFolderOf(current);
    if (gitFolder !== undefined)
      return isAllowed(gitFolder) ? headOf(current, gitFolder, isAllowed) : undefined;
    const parent = dirname(current);
    if (parent === current || !isAllowed(parent)) return undefined;
    current = parent;
  }
}

async function gitFolderOf(folder: string): Promise<string | undefined> {
  const path = join(folder, '.git');
  // Reading tells all: a worktree or submodule has a file here, everything else a folder.
  const file = await firstLine(path);
  if (file.line !== undefined) {
    const target = /^gitdir: (.+)$/.exec(file.line)?.[1];
    // Merely looking at a network path on Windows hands the user's credentials to that machine.
    if (target === undefined || (isWindows && /^[\\/]{2}/.test(target))) return undefined;
    return isAbsolute(target) ? target : resolve(folder, target);
  }
  return file.isFolder ? path : undefined;
}

async function headOf(
  topLevel: string,
  gitFolder: string,
  isAllowed: (path: string) => boolean,
): Promise<GitHead | undefined> {
  const { line: head } = await firstLine(join(gitFolder, 'HEAD'));
  if (head === undefined) return undefined;
  if (HASH.test(head)) return { topLevel, branch: undefined, commit: head };
  const ref = /^ref: (refs\/heads\/(.+))$/.exec(head);
  // A repository with reftables has this name there, for programs that do not know them.
  if (!ref || ref[2] === '.invalid' || /[\p{Cc}\p{Cf}]/u.test(ref[1]!)) return undefined;
  const { line: common } = await firstLine(join(gitFolder, 'commondir'));
  const shared = common === undefined ? gitFolder : resolve(gitFolder, common);
  if (!isAllowed(shared)) return undefined;
  const { line: loose } = await firstLine(join(shared, ref[1]!));
  const commit = loose !== undefined && HASH.test(loose) ? loose : await packedRef(shared, ref[1]!);
  return { topLevel, branch: ref[2]!, commit };
}

async function packedRef(gitFolder: string, ref: string): Promise<string | undefined> {
  const path = join(gitFolder, 'packed-refs');
  try {
    const stats = await stat(path);
    if (!stats.isFile() || stats.size > MAX_PACKED_REFS_BYTES) return undefined;
    const refs = await readFileInside(path);
    const at = refs.indexOf(` ${ref}\n`);
    if (at < 0) return undefined;
    const hash = refs.toString('latin1', refs.lastIndexOf(0x0a, at) + 1, at);
    return HASH.test(hash) ? hash : undefined;
  } catch {
    return undefined;
  }
}

async function firstLine(path: string): Promise<{ line: string | undefined; isFolder: boolean }> {
  try {
    // Before opening: a named pipe would block the thread that opens it.
    const stats = await stat(path);
    if (!stats.isFile()) return { line: undefined, isFolder: stats.isDirectory() };
    const handle = await openInside(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_LINE_BYTES), 0, MAX_LINE_BYTES);
      return { line: buffer.toString('utf8', 0, bytesRead).split('\n', 1)[0]!.trimEnd(), isFolder: false };
    } finally {
      await handle.close();
    }
  } catch {
    // Not there, or not readable: either way there is nothing to tell.
    return { line: undefined, isFolder: false };
  }
}
