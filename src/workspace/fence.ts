import { AsyncLocalStorage } from 'node:async_hooks';
import { constants } from 'node:fs';
import {
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  realpath,
  rmdir,
  stat,
  unlink,
} from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { outsideWorkspace } from '../access/modes.ts';
import { systemCode } from '../runtime/errors.ts';
import { isOutside } from '../runtime/paths.ts';
import { isDeno, isLinux } from '../runtime/platform.ts';

/**
 * The fence around the roots of a confined workspace: what is checked is what is opened.
 *
 * The path guard (workspace.ts) looks at a path before a tool uses it; a process that swaps a folder for a symbolic
 * link in between would lead the tool out. So everything in src/workspace that touches a file goes through the
 * functions below, and they act only on what they hold in their hands:
 *
 * - a file or folder is opened first, and then the descriptor is asked where it is (`/proc/self/fd/N`);
 * - an entry is made, renamed or removed through the descriptor of its folder, asked in the same way.
 *
 * A fence belongs to its folders: whoever opens a path below a fenced root by these functions is fenced, whatever it
 * knows of access modes, unless it runs inside of `unfenced` (a server in `full` mode that let in a client with less). In
 * `full` mode alone there is no fence and nothing of this costs anything.
 *
 * Where there are no such descriptors (macOS, Windows, Deno) an opened file is compared by device and inode with the
 * real path looked up afterwards; an entry is made, renamed or removed after a check of its folder's real path. What
 * remains there: a process of the same user that swaps that folder within the microseconds between check and call.
 */
export interface Fence {
  /** Real, absolute. */
  readonly roots: readonly string[];
  /** The product's own state; may lie inside a root. */
  readonly protectedPaths: readonly string[];
}

const canAskDescriptors = isLinux && !isDeno;
const FOLDER = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0) | (constants.O_NONBLOCK ?? 0);
/** Symbolic links as the last part of a path are not followed; no such flag on Windows. */
export const NO_FOLLOW: number = constants.O_NOFOLLOW ?? 0;

const fences: Fence[] = [];
const isUnfenced = new AsyncLocalStorage<boolean>();

/** Runs a call in which no fence holds: one for a client that is not confined, where others beside it are. */
export function unfenced<T>(call: () => T): T {
  return fences.length === 0 ? call() : isUnfenced.run(true, call);
}

/** Runs a call in which all fences hold, wherever it comes from. */
export function fenced<T>(call: () => T): T {
  return isUnfenced.run(false, call);
}

/** Puts a fence around the roots for the rest of the process. */
export function raiseFence(fence: Fence): void {
  const key = JSON.stringify(fence);
  if (!fences.some((known) => JSON.stringify(known) === key)) fences.push(fence);
}

/** The fence that holds for a path, by its name. The product's own files are not fenced: the guard keeps callers out. */
export function fenceOf(path: string): Fence | undefined {
  if (fences.length === 0 || isUnfenced.getStore() === true) return undefined;
  return fences.find(
    ({ roots, protectedPaths }) =>
      roots.some((root) => isWithin(path, root)) && !protectedPaths.some((own) => isWithin(path, own)),
  );
}

/**
 * For a path that was made real: it must not have left the fence that its name is in.
 * @returns the real path
 * @throws {CodedError} PATH_OUTSIDE_WORKSPACE
 */
export function assertFenced(path: string, real: string): string {
  const fence = fenceOf(path);
  // The real path of a root that was named by itself is not below anything.
  if (fence && !holds(fence, real)) throw outside(path, fence);
  return real;
}

/** Both real and absolute, so that cases are as the file system spells them. */
export function isWithin(path: string, folder: string): boolean {
  return !isOutside(relative(folder, path));
}

/**
 * Opens a file and makes sure that it is inside of the fence.
 * @param flags numeric; symbolic links are followed unless NO_FOLLOW is among them
 * @throws {CodedError} PATH_OUTSIDE_WORKSPACE; system errors as they come
 */
export async function openInside(path: string, flags: number, mode?: number): Promise<FileHandle> {
  const handle = await open(path, flags, mode);
  const fence = fenceOf(path);
  if (!fence) return handle;
  try {
    await assertInside(handle, path, fence);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The bytes of a small file that nobody asked for by name (a manifest, git's own files), links followed inside only. */
export async function readFileInside(path: string): Promise<Buffer> {
  if (!fenceOf(path)) {
    const handle = await open(path, constants.O_RDONLY);
    return readAndClose(handle);
  }
  return readAndClose(await openInside(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)));
}

export async function readTextInside(path: string, encoding: 'utf8' | 'latin1'): Promise<string> {
  return (await readFileInside(path)).toString(encoding);
}

async function readAndClose(handle: FileHandle): Promise<Buffer> {
  try {
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** Runs `use` with a path that leads to this folder and to no other, whatever happens to its name meanwhile. */
export async function withFolder<T>(path: string, use: (folder: string) => Promise<T>): Promise<T> {
  const fence = fenceOf(path);
  if (!fence) return use(path);
  return withFolderOf(fence, path, path, use);
}

/** Runs `use` with a path that leads to this entry of its present folder. The entry itself is not followed by this. */
export async function withEntry<T>(path: string, use: (entry: string) => Promise<T>): Promise<T> {
  const fence = fenceOf(path);
  // A root itself is what the user named; its parent is nobody's business.
  if (!fence || fence.roots.includes(path)) return use(path);
  return withFolderOf(fence, dirname(path), path, (folder) => use(join(folder, basename(path))));
}

/** The same for an entry and others beside it (temporary files), given by their paths. */
export function withEntries<T>(
  path: string,
  beside: readonly string[],
  use: (entry: string, ...others: string[]) => Promise<T>,
): Promise<T> {
  return withEntry(path, (entry) =>
    use(entry, ...beside.map((other) => join(dirname(entry), basename(other)))),
  );
}

async function withFolderOf<T>(
  fence: Fence,
  folder: string,
  shown: string,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  if (!canAskDescriptors) {
    const real = await realpath(folder);
    if (!holds(fence, real) || !holds(fence, join(real, basename(shown)))) throw outside(shown, fence);
    return use(real);
  }
  const handle = await open(folder, FOLDER);
  try {
    const real = await assertInside(handle, shown, fence);
    if (folder !== shown && !holds(fence, join(real, basename(shown)))) throw outside(shown, fence);
    return await use(`/proc/self/fd/${handle.fd}`);
  } finally {
    await handle.close();
  }
}

/** `mkdir -p`: inside of a fence one folder after the other, each made in its checked parent. */
export async function makeFolders(path: string): Promise<string | undefined> {
  if (!fenceOf(path)) return mkdirs(path);
  try {
    await withFolder(path, async () => {});
    return undefined;
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  const above = await makeFolders(dirname(path));
  try {
    await withEntry(path, (entry) => mkdir(entry));
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
  return above ?? path;
}

/** As the system does it, but with the system's reason: Node calls every obstacle a missing file. */
async function mkdirs(path: string): Promise<string | undefined> {
  try {
    return await mkdir(path, { recursive: true });
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || dirname(path) === path) throw error;
  }
  const above = await mkdirs(dirname(path));
  await mkdir(path);
  return above ?? path;
}

/**
 * Removes a folder with everything in it. Inside of a fence folder by folder through descriptors: a folder that is
 * swapped for a link while it is being emptied is not followed.
 */
export async function removeFolder(path: string): Promise<void> {
  await withEntry(path, async (entry) => {
    await emptyFolder(entry);
    await rmdir(entry);
  });
}

async function emptyFolder(path: string): Promise<void> {
  const handle = canAskDescriptors ? await open(path, FOLDER | NO_FOLLOW) : undefined;
  try {
    const folder = handle ? `/proc/self/fd/${handle.fd}` : path;
    for (const found of await readdir(folder, { withFileTypes: true })) {
      const entry = join(folder, found.name);
      if (!(await lstat(entry)).isDirectory()) {
        await unlink(entry);
        continue;
      }
      await emptyFolder(entry);
      await rmdir(entry);
    }
  } finally {
    await handle?.close();
  }
}

/** @returns the real path of what the handle holds */
async function assertInside(handle: FileHandle, path: string, fence: Fence): Promise<string> {
  const real = canAskDescriptors
    ? (await readlink(`/proc/self/fd/${handle.fd}`)).replace(/ \(deleted\)$/, '')
    : await realPathOf(handle, path);
  if (real === undefined || !holds(fence, real)) throw outside(path, fence);
  return real;
}

/**
 * The real path of what a handle holds, for rules that a fence does not know.
 * @param path by which it was opened
 * @returns undefined when the path leads to another file by now
 */
export async function openedPath(handle: FileHandle, path: string): Promise<string | undefined> {
  return canAskDescriptors ? readlink(`/proc/self/fd/${handle.fd}`) : realPathOf(handle, path);
}

/** Undefined when the path leads to another file by now. */
async function realPathOf(handle: FileHandle, path: string): Promise<string | undefined> {
  const real = await realpath(path);
  const [opened, now] = await Promise.all([handle.stat({ bigint: true }), stat(real, { bigint: true })]);
  return opened.dev === now.dev && opened.ino === now.ino ? real : undefined;
}

function holds({ roots, protectedPaths }: Fence, real: string): boolean {
  return roots.some((root) => isWithin(real, root)) && !protectedPaths.some((own) => isWithin(real, own));
}

function outside(path: string, { roots }: Fence) {
  return outsideWorkspace(path, roots[0] ?? '');
}
