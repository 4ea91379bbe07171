import { readlinkSync, rmSync } from 'node:fs';
import { access, chmod, constants, copyFile, lstat, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { isLinux, isWindows } from './platform.ts';
import { portableFolder } from './portable.ts';
import { isAlive, startTicks } from './process-tree.ts';

const PREFIX = 'local-coder-run-';
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const EXIT_INTERRUPTED = 130;

/** Folders that end with this process. */
const ending = new Set<string>();
const byBase = new Map<string, Promise<string | undefined>>();

/**
 * A new private folder for temporary files of this process (0700), removed when it ends in an orderly way; what a killed
 * process left is removed by the next one that makes such a folder.
 * @param base the folder in which it is made; default: the system's for temporary files
 */
export async function temporaryFolder(base = tmpdir()): Promise<string> {
  const ticks = (await startTicks(process.pid)) ?? '0';
  const folder = await mkdtemp(join(base, `${PREFIX}${process.pid}-${ticks}-${processNamespace()}-`));
  removeAtEnd(folder);
  removeStale(base).catch(() => {}); // it takes nothing but space
  return folder;
}

/** The folders of this process that end with it, for whoever outlives a `kill -9`. */
export function temporaryFolders(): string[] {
  return [...ending];
}

/** The folder of this run for what a portable program may not leave behind; made when it is first asked for. */
export async function runFolder(): Promise<string> {
  for await (const folder of runFolders()) return folder;
  throw new Error('No folder for temporary files can be written');
}

/**
 * Where a program may be put that cannot be started from the state folder (a noexec mount, a hardened host), the best
 * one first. In a portable run they end with the process; else it is one folder per user that is used again and again.
 */
export async function* programFolders(): AsyncGenerator<string> {
  if (portableFolder() !== undefined) yield* runFolders();
  else yield join(tmpdir(), `local-coder-${isWindows ? userInfo().username : process.getuid?.()}`);
}

/**
 * A copy of a program that may be started, for one that lies where nothing can (noexec, or FAT, which gives the right to
 * no file). Only a portable run makes one.
 * @returns the file itself where it can be started; undefined when there is no such file, or nothing can be started
 */
export async function runnable(file: string): Promise<string | undefined> {
  if (await mayExecute(file)) return file;
  if (portableFolder() === undefined || !(await isFile(file))) return undefined;
  let copy = copies.get(file);
  if (copy === undefined) {
    copy = copyOf(file);
    copies.set(file, copy);
  }
  return copy;
}

const copies = new Map<string, Promise<string | undefined>>();

async function copyOf(file: string): Promise<string | undefined> {
  for await (const folder of programFolders()) {
    const copy = join(folder, basename(file));
    try {
      await copyFile(file, copy, constants.COPYFILE_EXCL);
      await chmod(copy, 0o700);
      if (await mayExecute(copy)) return copy;
    } catch {
      // Full, or nothing can be executed there: the next folder.
    }
  }
  return undefined;
}

async function* runFolders(): AsyncGenerator<string> {
  for (const base of bases()) {
    let made = byBase.get(base);
    if (made === undefined) {
      made = temporaryFolder(base).catch(() => undefined);
      byBase.set(base, made);
    }
    const folder = await made;
    if (folder !== undefined) yield folder;
  }
}

/** Where temporary folders can be; hardened hosts let no program start from the first ones. */
function bases(): string[] {
  const others = isWindows ? [] : [process.env['XDG_RUNTIME_DIR'], '/dev/shm', '/var/tmp'];
  return [...new Set([tmpdir(), ...others.filter((base) => base !== undefined && base !== '')])] as string[];
}

function removeAtEnd(folder: string): void {
  if (ending.size === 0) {
    process.on('exit', () => {
      for (const each of ending) rmSync(each, { recursive: true, force: true, maxRetries: 3 });
    });
    // A signal that nobody handles would end the process without the event above.
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        if (process.listenerCount(signal) === 1) process.exit(EXIT_INTERRUPTED);
      });
    }
  }
  ending.add(folder);
}

async function removeStale(base: string): Promise<void> {
  const namespace = processNamespace();
  for (const name of await readdir(base)) {
    const match = /^local-coder-run-(\d+)-(\d+)-(\d+)-\w{6}$/.exec(name);
    const path = join(base, name);
    // Another container that shares this folder counts its processes on its own.
    if (!match || ending.has(path) || match[3] !== namespace) continue;
    const pid = Number(match[1]);
    if (isAlive(pid) && [undefined, match[2]].includes(await startTicks(pid))) continue;
    const stats = await lstat(path);
    if (!stats.isDirectory() || (!isWindows && stats.uid !== process.getuid?.())) continue;
    await rm(path, { recursive: true, force: true });
  }
}

/** The number of the namespace in which this process has its pid; 0 where there are none. */
function processNamespace(): string {
  if (!isLinux) return '0';
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
}

async function mayExecute(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return await isFile(file);
  } catch {
    return false;
  }
}

async function isFile(file: string): Promise<boolean> {
  return stat(file).then(
    (stats) => stats.isFile(),
    () => false,
  );
}
