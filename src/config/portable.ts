import { lstat, open, readdir, readFile, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../runtime/errors.ts';
import { isLinux, isWindows } from '../runtime/platform.ts';
import { programFolder } from '../runtime/portable.ts';
import { UsageError } from './usage-error.ts';

/** Beside the program: the state folder of a portable one (cli.md, "State"). */
export const DATA_FOLDER = 'local-coder-data';
/** Says that the folder was made by this program. */
export const MARKER_FILE = 'portable.json';
export const MARKER_TEXT = `${JSON.stringify({ program: 'local-coder', portable: 1 })}\n`;

/** Everything of this run lives in the data folder beside the program. */
export function isPortable(settings: { readonly portable?: boolean | undefined }): boolean {
  return settings.portable === true;
}

/** What stands where the data folder is wanted. */
export type DataFolder =
  | { readonly kind: 'missing' | 'ours' | 'empty' }
  /** Of the administrator, closed to others: may be used when it is asked for by name. */
  | { readonly kind: 'system' }
  | { readonly kind: 'refused'; readonly why: string; readonly fix: string };

/** What was said about the state folder at one level: on the command line, in the environment. */
export interface PlaceWish {
  readonly source: string;
  /** --state-dir, absolute. */
  readonly stateDir: string | undefined;
  /** --portable; undefined: nothing was said. */
  readonly portable: boolean | undefined;
}

export interface Place {
  readonly stateDir: string;
  readonly portable: boolean;
  /** It was named, or switched off: the configuration file has no say. */
  readonly isStated: boolean;
  readonly warnings: readonly string[];
}

/**
 * Where state lives: what is said at the higher level wins; where nothing is said, a data folder of ours beside the
 * program; else the user's own folder.
 * @param wishes the higher level first
 * @throws {UsageError} for a wish that cannot be granted
 */
export async function choosePlace(wishes: readonly PlaceWish[], perUser: string): Promise<Place> {
  for (const { source, stateDir, portable } of wishes) {
    if (stateDir !== undefined && portable === true) {
      throw new UsageError(
        `--state-dir and --portable ${source} name two places for the same thing. Leave one of them out.`,
      );
    }
    if (stateDir !== undefined) return { stateDir, portable: false, isStated: true, warnings: [] };
    if (portable === true) return portablePlace();
    if (portable === false) {
      const lower = wishes.slice(wishes.findIndex((wish) => wish.source === source) + 1);
      const named = lower.find((wish) => wish.stateDir !== undefined)?.stateDir;
      return { stateDir: named ?? perUser, portable: false, isStated: true, warnings: [] };
    }
  }
  const folder = await besideProgram();
  const found = folder === undefined ? undefined : await inspectDataFolder(folder);
  if (folder === undefined || found === undefined || found.kind === 'missing')
    return { stateDir: perUser, portable: false, isStated: false, warnings: [] };
  if (found.kind === 'ours') return { stateDir: folder, portable: true, isStated: false, warnings: [] };
  const why =
    found.kind === 'refused'
      ? `${found.why}. ${found.fix}`
      : found.kind === 'empty'
        ? 'it is empty. Start once with --portable to use it.'
        : 'it belongs to the administrator. Start with --portable to use it.';
  return {
    stateDir: perUser,
    portable: false,
    isStated: false,
    warnings: [`${folder} is not used: ${why}`],
  };
}

/**
 * The place that --portable asks for.
 * @throws {UsageError} when something else stands there
 */
export async function portablePlace(): Promise<Place> {
  const folder = await besideProgram();
  if (folder === undefined) {
    throw new UsageError(
      '--portable needs to know where the program lies, and this one was started without a file.',
    );
  }
  const found = await inspectDataFolder(folder);
  if (found.kind === 'refused') {
    throw new UsageError(`--portable: ${folder} cannot be used: ${found.why}. ${found.fix}`);
  }
  return { stateDir: folder, portable: true, isStated: true, warnings: [] };
}

async function besideProgram(): Promise<string | undefined> {
  const folder = await programFolder();
  return folder === undefined ? undefined : join(folder, DATA_FOLDER);
}

/**
 * Whether a data folder may be used. Its config.json decides who gets in and which programs are started, so one that
 * another user made or could write to is none of ours. A marker proves the maker's program, not the maker: what unpacks
 * foreign archives beside the program gives them this folder, as with every portable program.
 */
export async function inspectDataFolder(folder: string): Promise<DataFolder> {
  let isSystem = false;
  try {
    const stats = await lstat(folder);
    if (stats.isSymbolicLink())
      return refused('it is a link', 'Put a real folder there, or name its target with --state-dir.');
    if (!stats.isDirectory()) return refused('it is no folder', 'Move it away.');
    if (!isWindows) {
      isSystem = stats.uid === 0 && process.getuid?.() !== 0;
      if (stats.uid !== process.getuid?.() && !isSystem) {
        return refused('it belongs to another user', 'Change its owner if it is yours, or move it away.');
      }
      if ((stats.mode & 0o022) !== 0 && (await keepsModes(folder))) {
        return refused(
          'other users may write to it',
          'Look at what is in it, config.json above all, then: chmod -R go-w on it.',
        );
      }
    }
    if (await hasMarker(folder)) return { kind: isSystem ? 'system' : 'ours' };
    if ((await readdir(folder)).length === 0) return { kind: 'empty' };
    return refused(
      `it was not made by this program (there is no ${MARKER_FILE} in it)`,
      'Move it away; --portable makes a new one.',
    );
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return { kind: 'missing' };
    return refused(
      `it cannot be looked at (${code ?? String(error)})`,
      'Mend its permissions or move it away.',
    );
  }
}

function refused(why: string, fix: string): DataFolder {
  return { kind: 'refused', why, fix };
}

async function hasMarker(folder: string): Promise<boolean> {
  const file = join(folder, MARKER_FILE);
  try {
    if (!(await lstat(file)).isFile()) return false;
    const marker: unknown = JSON.parse(await readFile(file, 'utf8'));
    return (
      typeof marker === 'object' && marker !== null && 'program' in marker && marker.program === 'local-coder'
    );
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return false;
    throw error;
  }
}

/** Of Linux: file systems where owner and mode are the mount's and chmod changes nothing. */
const WITHOUT_MODES = new Set([
  0x4d44, // FAT
  0x2011bab0, // exFAT
  0x5346544e, // NTFS
  0x7366746e, // NTFS, the kernel's newer driver
  0x65735546, // FUSE: exFAT and NTFS in user space
  0x01021997, // 9p: the drives of Windows under WSL
  0x786f4256, // shared folders of VirtualBox
  0xff534d42, // SMB
  0xfe534d42, // SMB 2
]);

/** Whether the modes of a file system mean something: a stick that is mounted for one user often shows 0777. */
async function keepsModes(folder: string): Promise<boolean> {
  if (isLinux) return !WITHOUT_MODES.has((await statfs(folder)).type);
  const probe = join(folder, `.probe-${process.pid}`);
  try {
    const handle = await open(probe, 'wx', 0o600);
    try {
      return ((await handle.stat()).mode & 0o077) === 0;
    } finally {
      await handle.close();
      await rm(probe, { force: true });
    }
  } catch {
    return false; // nothing can be written at all, not by others either
  }
}
