import { open, readdir, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { EXIT, UsageError } from '../../config/usage-error.ts';
import { CodedError, systemCode } from '../../runtime/errors.ts';
import { isWindows } from '../../runtime/platform.ts';
import {
  type FileRef,
  type FileSnapshot,
  MAX_EDIT_BYTES,
  realTarget,
  takeSnapshot,
  writeAll,
  writeAtomically,
} from '../../workspace/index.ts';

/** A configuration file of somebody else's, as it was read. */
export interface ConfigFile {
  /** As the client knows it; may be a link. */
  readonly path: string;
  readonly exists: boolean;
  /** Without byte order mark. */
  readonly text: string;
  readonly target: FileRef;
  readonly before: FileSnapshot | undefined;
  readonly hasMark: boolean;
}

const MARK = '\uFEFF';
const BACKUP_MARK = '.local-coder-backup-';
const MAX_BACKUPS_READ = 20;

/** @throws {UsageError} for what cannot be read, or is no text in UTF-8 */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const absolute = resolve(path);
  const refuse = (why: string) => new UsageError(`${absolute} ${why}. Nothing was changed.`, EXIT.failed);
  try {
    const target = await realTarget({ path: absolute, shown: absolute });
    const before = await takeSnapshot(target, MAX_EDIT_BYTES);
    if (before !== undefined && before.bytes === undefined) throw refuse('is too large to be edited here');
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      before?.bytes ?? new Uint8Array(),
    );
    const hasMark = text.startsWith(MARK);
    return {
      path: absolute,
      exists: before !== undefined,
      text: hasMark ? text.slice(1) : text,
      target,
      before,
      hasMark,
    };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (error instanceof CodedError) throw new UsageError(`${error.message} ${hintOf(error)}`, EXIT.failed);
    if (error instanceof TypeError) throw refuse('is not text in UTF-8; save it as UTF-8 first');
    throw refuse(`cannot be read (${systemCode(error) ?? String(error)})`);
  }
}

/** The hints of what is no file name tools, which a person at a terminal does not have. */
function hintOf(error: CodedError): string {
  const isOddFile = error.code === 'IS_A_DIRECTORY' || /is a pipe, socket or device/.test(error.message);
  return isOddFile ? 'Move it away and run this again.' : error.hint;
}

/**
 * A file that its owner may not write was closed by somebody, or belongs to a manager of dotfiles; putting a new one in
 * its place would work all the same.
 * @throws {UsageError}
 */
export function assertWritable({ path, before }: ConfigFile): void {
  if (before === undefined || (Number(before.stats.mode) & 0o200) !== 0) return;
  throw new UsageError(
    `${path} is write-protected, so it was left as it is. If it is yours to change, make it writable (${isWindows ? `attrib -R "${path}"` : 'chmod u+w'}) and run this again; if another program makes it, put the entry in there.`,
    EXIT.failed,
  );
}

/**
 * Writes the new text over what was read, whole or not at all, with the old file beside it first. A link stays one.
 * @returns the path of the backup; undefined for a file that was not there
 * @throws {UsageError} when the file has changed since it was read, or cannot be written; it is as it was then
 */
export async function replaceConfigFile(file: ConfigFile, text: string): Promise<string | undefined> {
  let backup: string | undefined;
  try {
    backup = file.before?.bytes && (await writeBackup(file.path, file.before, file.before.bytes));
    await writeAtomically(file.target, Buffer.from((file.hasMark ? MARK : '') + text), file.before);
    return backup;
  } catch (error) {
    if (backup !== undefined) await unlink(backup).catch(() => {});
    if (error instanceof CodedError && error.code === 'CHANGED_ON_DISK') {
      throw new UsageError(
        `${file.path} was changed by another program in the meantime, so nothing was written. Run the command again.`,
        EXIT.failed,
      );
    }
    const why = error instanceof CodedError ? error.message : `(${systemCode(error) ?? String(error)})`;
    throw new UsageError(`${file.path} cannot be written: ${why} ${nextStep(file.path, error)}`, EXIT.failed);
  }
}

/**
 * The text of the newest backup that is of a kind; what cannot be read is passed over.
 * @param path of the file, as the client knows it
 */
export async function newestBackup(
  path: string,
  isWanted: (text: string) => Promise<boolean>,
): Promise<string | undefined> {
  const names = await readdir(dirname(path)).catch(() => []);
  const backups = names.filter((name) => name.startsWith(`${basename(path)}${BACKUP_MARK}`)).sort();
  for (const name of backups.reverse().slice(0, MAX_BACKUPS_READ)) {
    try {
      const { text } = await readConfigFile(join(dirname(path), name));
      if (await isWanted(text)) return text;
    } catch {
      // Broken, or somebody else's.
    }
  }
  return undefined;
}

function nextStep(path: string, error: unknown): string {
  switch (systemCode(error)) {
    case 'ENOTDIR':
    case 'EEXIST':
      return `A file stands where one of its folders should be: look at ${dirname(path)}.`;
    case 'ENOSPC':
    case 'EDQUOT':
      return 'There is no space left. Make some and run this again.';
    default:
      return `Make ${dirname(path)} writable, or add the entry by hand.`;
  }
}

/** Beside the file as the client knows it: the target of a link may lie in a repository, where no copy belongs. */
async function writeBackup(path: string, { stats }: FileSnapshot, bytes: Uint8Array): Promise<string> {
  const stamp = new Date().toISOString().replace(/[-:.]/g, '');
  const backup = `${path}${BACKUP_MARK}${stamp}`;
  const handle = await open(backup, 'wx', Number(stats.mode) & 0o700);
  try {
    await writeAll(handle, bytes);
  } catch (error) {
    await unlink(backup).catch(() => {});
    throw error;
  } finally {
    await handle.close();
  }
  return backup;
}
