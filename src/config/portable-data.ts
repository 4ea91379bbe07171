import { randomBytes } from 'node:crypto';
import { access, chmod, constants, copyFile, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode } from '../runtime/errors.ts';
import { isWindows } from '../runtime/platform.ts';
import { runPortable } from '../runtime/portable.ts';
import { runFolder } from '../runtime/run-folder.ts';
import { inspectDataFolder, MARKER_FILE, MARKER_TEXT } from './portable.ts';
import { UsageError } from './usage-error.ts';

/** How a portable run keeps its state. */
export interface PortableState {
  /** The data folder beside the program. */
  readonly folder: string;
  /** Where state is written: the data folder, or a temporary one that ends with this run. */
  readonly stateDir: string;
  readonly isKept: boolean;
  /** For the start card: where everything is, and what is not as it should be. */
  readonly says: string;
  /** What others may do there where the file system has no owners: bits of a mode. */
  readonly openTo: number;
}

/** What a run that cannot write still takes from a data folder: credentials, and the keys of known hosts. */
const TAKEN_ALONG = ['openai-tunnel.json', 'agent.json', 'tunnel/known_hosts'];

/** A medium that cannot be written: protected, mounted read-only, or another's. */
const CANNOT_WRITE = new Set(['EROFS', 'EACCES', 'EPERM']);

/**
 * Makes the data folder with its marker where it is missing, and finds out what the medium can do. One that cannot be
 * written is read alone: state goes to a private temporary folder, which ends with this process.
 * @throws {UsageError} when something else stands in its place, or there is no place for temporary files either
 */
export async function openPortable(folder: string): Promise<PortableState> {
  runPortable(folder);
  try {
    await makeDataFolder(folder);
    const runs = await probe(folder);
    const openTo = isWindows ? 0 : (await stat(folder)).mode & 0o077;
    const says = runs
      ? `${folder} (nothing is kept on this computer)`
      : `${folder} (no program can be started from there: they run from a temporary folder that ends with this run)`;
    return { folder, stateDir: folder, isKept: true, says, openTo };
  } catch (error) {
    if (!CANNOT_WRITE.has(systemCode(error) ?? '')) throw error;
  }
  const stateDir = join(await runFolder(), 'state');
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  for (const name of TAKEN_ALONG) await takeAlong(join(folder, name), join(stateDir, name));
  const says = `${folder} cannot be written: history, audit log, logins and logs of this run are not kept`;
  return { folder, stateDir, isKept: false, says, openTo: 0 };
}

async function makeDataFolder(folder: string): Promise<void> {
  let found = await inspectDataFolder(folder);
  if (found.kind === 'missing') {
    try {
      await mkdir(folder, { mode: 0o700 });
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
    found = await inspectDataFolder(folder); // another may have been faster, also one with other intentions
  }
  if (found.kind === 'refused') throw new UsageError(`${folder} cannot be used: ${found.why}. ${found.fix}`);
  if (found.kind !== 'ours' && found.kind !== 'system') {
    await writeFile(join(folder, MARKER_FILE), MARKER_TEXT, { mode: 0o600, flag: 'wx' }).catch((error) => {
      if (systemCode(error) !== 'EEXIST') throw error;
    });
  }
  // Where it lies inside of a repository nothing of it gets into a commit or a search.
  await writeFile(join(folder, '.gitignore'), '*\n', { flag: 'wx' }).catch(() => {});
  if (!isWindows && found.kind !== 'system' && ((await stat(folder)).mode & 0o077) !== 0)
    await chmod(folder, 0o700).catch(() => {});
}

/**
 * Writes, because rights alone do not tell of a protected medium.
 * @returns whether programs can be started from there, as far as the system tells beforehand
 */
async function probe(folder: string): Promise<boolean> {
  const file = join(folder, `.probe-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    await writeFile(file, '', { mode: 0o700, flag: 'wx' });
    return await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
  } finally {
    await rm(file, { force: true });
  }
}

async function takeAlong(from: string, to: string): Promise<void> {
  try {
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    await copyFile(from, to);
    await chmod(to, 0o600);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
