import { randomBytes } from 'node:crypto';
import { chown, copyFile, link, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { UsageError } from '../../config/usage-error.ts';
import { systemCode } from '../../runtime/errors.ts';
import { isWindows } from '../../runtime/platform.ts';
import { isRunning } from '../../runtime/process-identity.ts';
import { runProgram } from '../../runtime/run-program.ts';

/** Marks the new file's first start: nothing that it does may lead to another upgrade. */
export const PROVING = 'LOCAL_CODER_UPGRADE';

const PROOF_MS = 30_000;
const FOLDER = /^\.local-coder-upgrade-(\d+)-[0-9a-f]{12}$/;
/** An upgrade's folder that is older belongs to none that still runs, whoever has its process id by now. */
const ABANDONED_MS = 60 * 60_000;
/** Scanners of Windows hold a new file open for a moment. */
const RENAME_TRIES = 20;
const RENAME_PAUSE_MS = 250;

/** A private folder beside the executable: what is renamed out of it takes its place in one step. */
export interface Workplace {
  readonly folder: string;
  readonly executable: string;
  /** Removes what is left of the upgrade. */
  close(): Promise<void>;
}

/**
 * Begins an upgrade: what an earlier one left behind is removed.
 * @throws {UsageError} when the folder cannot be written, or another upgrade is under way
 */
export async function openWorkplace(executable: string): Promise<Workplace> {
  const parent = dirname(executable);
  const name = `.local-coder-upgrade-${process.pid}-${randomBytes(6).toString('hex')}`;
  const folder = join(parent, name);
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    throw cannotWrite(parent, error);
  }
  const close = () => rm(folder, { recursive: true, force: true, maxRetries: 3 });
  try {
    const other = await otherUpgrade(parent, name);
    if (other === undefined) {
      // Not before: another one would find the way back gone.
      await removeOldExecutables(executable);
      return { folder, executable, close };
    }
    throw new UsageError(`Another upgrade of ${executable} is under way (process ${other}).`, 1);
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Puts a new program in the executable's place. It must start before, and again when it is there; if it does not, the
 * old one is what is there.
 * @param signal given up only as long as nothing was replaced
 * @throws {UsageError}, or the signal's reason; the old executable is in its place then
 */
export async function replaceExecutable(
  { folder, executable }: Workplace,
  program: Buffer,
  version: string,
  signal: AbortSignal,
): Promise<void> {
  const draft = join(folder, basename(executable));
  await writeLike(executable, draft, program);
  signal.throwIfAborted();
  const why = await whyNotStarting(draft, version, signal);
  if (why !== undefined) throw doesNotStart(version, why, 'Nothing was changed.');
  const old = `${executable}.${randomBytes(4).toString('hex')}.old`;
  await keepOld(executable, old);
  try {
    await renamePatiently(draft, executable);
  } catch (error) {
    // A rename that fails leaves what it would have replaced; only on Windows the old one was moved before.
    if (isWindows) await putBack(old, executable);
    else await unlink(old).catch(() => {});
    throw new UsageError(
      `${executable} could not be replaced (${systemCode(error) ?? error}). The old one is still there. ` +
        'Run the upgrade as the user who installed it, or install your own copy with the installer.',
      1,
    );
  }
  const whyNow = await whyNotStarting(executable, version, undefined);
  if (whyNow !== undefined) {
    await putBack(old, executable);
    throw doesNotStart(version, whyNow, 'The old version is back in its place.');
  }
  // Windows does not remove a program that runs; the next start does (removeOldExecutables).
  await unlink(old).catch(() => {});
}

/** Removes what upgrades left beside an executable because it still ran, or because they were killed. */
export async function removeOldExecutables(executable: string): Promise<void> {
  const [parent, name] = [dirname(executable), basename(executable)];
  for (const entry of await readdir(parent).catch(() => [])) {
    const isOld = entry.startsWith(`${name}.`) && /^\.[0-9a-f]{8}\.old$/.test(entry.slice(name.length));
    if (isOld) await unlink(join(parent, entry)).catch(() => {});
  }
}

/** The process of another upgrade in this folder; folders of dead ones are removed on the way. */
async function otherUpgrade(parent: string, own: string): Promise<number | undefined> {
  for (const entry of await readdir(parent)) {
    const pid = Number(FOLDER.exec(entry)?.[1]);
    if (Number.isNaN(pid) || entry === own) continue;
    const path = join(parent, entry);
    const made = await stat(path).catch(() => undefined);
    if (made === undefined) continue;
    if (pid !== process.pid && isRunning(pid) && Date.now() - made.mtimeMs < ABANDONED_MS) return pid;
    await rm(path, { recursive: true, force: true }).catch(() => {});
  }
  return undefined;
}

/** Writes the program with the mode of the old one, and for root with its owner; on disk before it is trusted. */
async function writeLike(executable: string, draft: string, program: Buffer): Promise<void> {
  try {
    const old = await stat(executable);
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(program);
      if (!isWindows) await file.chmod((old.mode & 0o777) | 0o500);
      await file.sync();
    } finally {
      await file.close();
    }
    if (process.getuid?.() === 0) await chown(draft, old.uid, old.gid).catch(() => {});
  } catch (error) {
    throw cannotWrite(dirname(executable), error);
  }
}

/** @returns why the file does not start as this version, or undefined when it does */
async function whyNotStarting(
  file: string,
  version: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    // The version is answered before Node begins (build/version-answer.mjs); the help is written by all of the program.
    for (const argument of ['--version', '--help']) {
      const result = await runProgram(file, [argument], {
        cwd: dirname(file),
        env: { ...process.env, [PROVING]: 'proving' },
        timeoutMs: PROOF_MS,
        maxBytes: 64 * 1024,
        ...(signal === undefined ? {} : { signal }),
      });
      if (result.timedOut) return `it does not answer within ${PROOF_MS / 1000} s`;
      if (result.exitCode !== 0) {
        const words = result.stderr.trim().split('\n').slice(0, 3).join(' ').slice(0, 300);
        return `exit code ${result.exitCode}${words === '' ? '' : `: ${words}`}`;
      }
      const answer = result.stdout.toString('utf8').trim();
      if (argument === '--version' && answer !== version)
        return `it says that it is version "${answer.slice(0, 64)}"`;
    }
    return undefined;
  } catch (error) {
    signal?.throwIfAborted();
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Gives the old executable a second name. Elsewhere than on Windows it keeps its first one until the rename takes it,
 * so that there is a program under it at every moment; Windows only lets a program that runs be renamed.
 */
async function keepOld(executable: string, old: string): Promise<void> {
  try {
    if (isWindows) return await renamePatiently(executable, old);
    await link(executable, old).catch(() => copyFile(executable, old)); // FAT and exFAT have no links
  } catch (error) {
    await unlink(old).catch(() => {});
    throw cannotWrite(dirname(executable), error);
  }
}

async function putBack(old: string, executable: string): Promise<void> {
  try {
    // A new file that Windows still runs is moved aside by the same means as an old one.
    if (isWindows)
      await rename(executable, `${executable}.${randomBytes(4).toString('hex')}.old`).catch(() => {});
    await renamePatiently(old, executable);
  } catch (error) {
    throw new UsageError(
      `The old version could not be put back (${systemCode(error) ?? error}). It is ${old}: rename it to ${executable}.`,
      1,
    );
  }
}

async function renamePatiently(from: string, to: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await rename(from, to);
    } catch (error) {
      const code = systemCode(error);
      const mayPass = isWindows && (code === 'EPERM' || code === 'EACCES' || code === 'EBUSY');
      if (!mayPass || tries >= RENAME_TRIES) throw error;
      await pause(RENAME_PAUSE_MS);
    }
  }
}

function doesNotStart(version: string, why: string, outcome: string): UsageError {
  return new UsageError(`local-coder ${version} does not start on this machine (${why}). ${outcome}`, 1);
}

function cannotWrite(folder: string, error: unknown): UsageError {
  const code = systemCode(error);
  const next =
    code === 'EROFS'
      ? 'It is read-only: make the medium writable, or upgrade where it is.'
      : code === 'ENOSPC' || code === 'EDQUOT'
        ? 'There is no space left: about 250 MB are needed for a moment.'
        : 'Run the upgrade as the user who installed it, or install your own copy with the installer.';
  return new UsageError(`${folder} cannot be written to (${code ?? error}). ${next} Nothing was changed.`, 1);
}
