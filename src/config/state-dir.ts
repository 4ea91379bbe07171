import { chmod, mkdir, realpath, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { systemCode } from '../runtime/errors.ts';
import { homeFolder, isMac, isWindows } from '../runtime/platform.ts';
import type { PortableState } from './portable-data.ts';
import { UsageError } from './usage-error.ts';

export interface OpenStateOptions {
  /** The folder is the data folder of a portable run. */
  readonly portable?: boolean | undefined;
  /** The command is about what is kept: it makes no sense on a medium that cannot be written. */
  readonly mustKeep?: boolean | undefined;
}

export interface OpenedState {
  /** Real, absolute. */
  readonly stateDir: string;
  readonly warning: string | undefined;
  readonly portable?: PortableState | undefined;
}

/** The per-user state folder of this platform (cli.md, "State"). */
export function defaultStateDir(env: NodeJS.ProcessEnv = process.env): string {
  if (isWindows) return join(env['LOCALAPPDATA'] ?? join(homeFolder(), 'AppData', 'Local'), 'local-coder');
  if (isMac) return join(homeFolder(), 'Library', 'Application Support', 'local-coder');
  return join(env['XDG_STATE_HOME'] || join(homeFolder(), '.local', 'state'), 'local-coder');
}

/**
 * Makes the state folder private (0700) and returns its real path with a warning where the file system
 * cannot keep it private (FAT on a USB stick).
 * @throws {UsageError} when it cannot be made
 */
export async function openStateDir(path: string, options: OpenStateOptions = {}): Promise<OpenedState> {
  let stateDir = resolve(path);
  try {
    if (options.portable) return await openPortableDir(stateDir, options.mustKeep === true);
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    stateDir = await realpath(stateDir);
    // Where it lies inside of a repository nothing of it gets into a commit or a search.
    await writeFile(join(stateDir, '.gitignore'), '*\n', { flag: 'wx' }).catch(() => {});
    if (isWindows) return { stateDir, warning: undefined };
    const before = await stat(stateDir);
    if ((before.mode & 0o077) !== 0) await chmod(stateDir, 0o700).catch(() => {});
    const openTo = (await stat(stateDir)).mode & 0o077;
    return { stateDir, warning: notPrivate(stateDir, openTo) };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(
      `The state folder ${stateDir} cannot be used (${systemCode(error) ?? String(error)}). ` +
        'Name a folder that you can write with --state-dir.',
      1,
    );
  }
}

async function openPortableDir(folder: string, mustKeep: boolean): Promise<OpenedState> {
  const portable = await (await import('./portable-data.ts')).openPortable(folder);
  if (mustKeep && !portable.isKept) {
    throw new UsageError(
      `${folder} cannot be written, so nothing is kept there that this command could show or change. Make it writable, or use --state-dir.`,
      1,
    );
  }
  return {
    stateDir: await realpath(portable.stateDir),
    warning: notPrivate(folder, portable.openTo),
    portable,
  };
}

/** @param openTo what others may do there, bits of a mode */
function notPrivate(folder: string, openTo: number): string | undefined {
  if (openTo === 0) return undefined;
  const may = (openTo & 0o022) === 0 ? 'read it' : 'read and change it';
  return `${folder} cannot be made private on this file system; other users of this computer can ${may}.`;
}
