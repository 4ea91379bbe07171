import { constants, type Stats } from 'node:fs';
import { chmod, copyFile, cp, lstat, open, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { CodedError, systemCode } from '../runtime/errors.ts';
import { isSameOrInside } from '../runtime/paths.ts';
import { assertWritable } from './assert-writable.ts';
import { replaceBy } from './atomic-write.ts';
import type { ChangeOptions } from './change-file.ts';
import { type FileChange, recorded } from './change-recorder.ts';
import { entriesBelow } from './entries-below.ts';
import { fenceOf, makeFolders, NO_FOLLOW, openInside, withEntry } from './fence.ts';
import { type FileRef, fileError, isADirectory, specialFile } from './file-errors.ts';
import { withFileLocks } from './locks.ts';
import { isMissing } from './open-file.ts';
import { realEntry, realTarget } from './real-target.ts';
import { temporaryBeside } from './temporary-file.ts';

const COPY_BYTES = 1024 * 1024;

export interface TransferOptions extends ChangeOptions {
  readonly overwrite?: boolean | undefined;
}

export interface Transferred {
  readonly sizeBytes: number | undefined;
  readonly overwritten: boolean;
  readonly checkpointId: string | undefined;
}

/**
 * Copies a file with its mode; the destination appears whole or not at all. Missing folders are created.
 * @throws {CodedError} ALREADY_EXISTS unless overwrite, IS_A_DIRECTORY, FILE_NOT_FOUND, DISK_FULL, …
 */
export async function copyFileTo(
  source: FileRef,
  destination: FileRef,
  options: TransferOptions,
): Promise<Transferred> {
  const stats = await stat(source.path).catch(async (error: unknown) => {
    throw await fileError(error, source, 'read');
  });
  if (stats.isDirectory()) {
    throw isADirectory(source, 'Copy a directory with run_command (cp -R); move_file moves one.');
  }
  if (!stats.isFile()) throw specialFile(source);
  const [from, to] = [await realTarget(source), await realTarget(destination)];
  // A second name of the source: replacing it by a copy would part the two, and change nothing else.
  if (from.path !== to.path && (await isSameFile(from.path, to.path))) throw sameFile(source);
  return transfer(
    source,
    destination,
    from,
    to,
    stats.size,
    options,
    () => [created(to.path)],
    async (assertFree) => {
      const replaced = await whatIsAt(to.path);
      if (replaced) await assertWritable(destination, replaced);
      if (fenceOf(from.path)) return copyFenced(from.path, to.path, stats.mode, assertFree);
      const temporary = temporaryBeside(to.path);
      try {
        // A clone where the file system can (btrfs, XFS, APFS): no data is moved.
        await copyFile(from.path, temporary, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
        await chmod(temporary, stats.mode & 0o7777);
        await assertFree();
        await replaceBy(temporary, to.path);
      } catch (error) {
        await unlink(temporary).catch(() => {});
        throw error;
      }
    },
  );
}

/**
 * Moves or renames a file, a symlink itself, or a directory, also to another file system.
 * @throws {CodedError} ALREADY_EXISTS unless overwrite (which replaces files only), FILE_NOT_FOUND, …
 */
export async function move(
  source: FileRef,
  destination: FileRef,
  options: TransferOptions,
): Promise<Transferred> {
  const [from, to] = [await realEntry(source), await realEntry(destination)];
  const stats = await lstat(from.path).catch(async (error: unknown) => {
    throw await fileError(error, source, 'moved');
  });
  if (stats.isDirectory() && isSameOrInside(to.path, from.path) && to.path !== from.path) {
    throw new CodedError(
      'INVALID_PARAMS',
      `"${source.shown}" cannot be moved into itself.`,
      'Choose a destination outside of it.',
    );
  }
  const size = stats.isFile() ? stats.size : undefined;
  const moved = () => movedFiles(stats, from.path, to.path);
  return transfer(source, destination, from, to, size, options, moved, async (assertFree) => {
    await assertFree();
    try {
      await withEntry(from.path, (own) => withEntry(to.path, (other) => replaceBy(own, other)));
      if (stats.isFile() && stats.nlink > 1) await removeOtherName(from.path, to.path);
    } catch (error) {
      if (systemCode(error) === 'ENOTDIR' && stats.isDirectory()) throw fileInTheWay(source, destination);
      if (systemCode(error) !== 'EXDEV') throw error;
      if (fenceOf(from.path)) throw otherFileSystem(source);
      await assertCopyable(source, from.path, stats);
      await moveAcrossDevices(from.path, to.path, assertFree);
    }
  });
}

/** What copying and moving share: locks, the refusal to overwrite, folders, the record. */
async function transfer(
  source: FileRef,
  destination: FileRef,
  from: FileRef,
  to: FileRef,
  sizeBytes: number | undefined,
  options: TransferOptions,
  changes: () => FileChange[] | Promise<FileChange[]>,
  /** `assertFree` is to be called right before the destination comes into being: copying may take its time. */
  act: (assertFree: () => Promise<void>) => Promise<void>,
): Promise<Transferred> {
  if (from.path === to.path) throw sameFile(source);
  return withFileLocks([from.path, to.path], options.signal, async () => {
    try {
      const there = await whatIsAt(to.path);
      // On a file system that does not tell `A` from `a` a change of case finds the file itself.
      const isItself = there !== undefined && there.nlink === 1 && (await isSameFile(from.path, to.path));
      const overwritten = there !== undefined && !isItself;
      if (overwritten) assertReplaceable(there, destination, from.path, options.overwrite === true);
      const planned = async () =>
        (await changes()).map((change) =>
          overwritten && change.path === to.path ? { ...change, kind: 'replace' as const } : change,
        );
      const { checkpointId } = await recorded(options.recorder, planned, options.signal, async () => {
        if (!there) await makeFolders(dirname(to.path));
        await act(async () => {
          const now = there ? undefined : await whatIsAt(to.path);
          if (now) assertReplaceable(now, destination, from.path, false);
        });
      });
      return { sizeBytes, overwritten, checkpointId };
    } catch (error) {
      throw await fileError(error, destination, 'written');
    }
  });
}

function created(path: string): FileChange {
  return { path, before: undefined, after: undefined, kind: 'create' };
}

/** Every file, link and folder that a move takes away from one path and puts at another. */
async function movedFiles(stats: Stats, from: string, to: string): Promise<FileChange[]> {
  const names = [''];
  if (stats.isDirectory()) {
    const inside = await entriesBelow(from);
    names.push(...inside.map((entry) => relative(from, join(entry.parentPath, entry.name))));
  }
  return names.flatMap((name): FileChange[] => [
    { path: join(from, name), before: undefined, after: undefined, kind: 'delete' },
    created(join(to, name)),
  ]);
}

async function whatIsAt(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Whether two paths are names of one entry or one file. As bigint: Windows' numbers do not fit into a double. */
async function isSameFile(one: string, other: string): Promise<boolean> {
  try {
    const [a, b] = await Promise.all([one, other].map((path) => lstat(path, { bigint: true })));
    return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** POSIX: renaming over another hard link of the same file does nothing, and says it went well. */
async function removeOtherName(from: string, to: string): Promise<void> {
  const spelling = (path: string) => path.normalize('NFC').toLowerCase();
  // Where these are one name to the file system, the file itself would go.
  if (spelling(from) === spelling(to)) return;
  if (await isSameFile(from, to)) await withEntry(from, unlink);
}

function sameFile(source: FileRef): CodedError {
  return new CodedError(
    'INVALID_PARAMS',
    `Source and destination are the same file: "${source.shown}".`,
    'Choose another destination.',
  );
}

function fileInTheWay(source: FileRef, destination: FileRef): CodedError {
  return new CodedError(
    'ALREADY_EXISTS',
    `"${destination.shown}" is a file, which the directory "${source.shown}" does not replace. Nothing was changed.`,
    'Choose another destination, or delete the file first.',
  );
}

function assertReplaceable(there: Stats, destination: FileRef, source: string, overwrite: boolean): void {
  if (there.isDirectory()) {
    const name = source.replaceAll('\\', '/').split('/').at(-1);
    throw new CodedError(
      'ALREADY_EXISTS',
      `"${destination.shown}" is an existing directory.`,
      `To put it into that directory, use "${destination.shown}/${name}" as destination.`,
    );
  }
  if (!overwrite) {
    throw new CodedError(
      'ALREADY_EXISTS',
      `"${destination.shown}" exists already. Nothing was changed.`,
      'Choose another destination, or set overwrite to true to replace it.',
    );
  }
  if (!there.isFile() && !there.isSymbolicLink()) throw specialFile(destination);
}

/**
 * A pipe, socket or device cannot be moved to another file system.
 * @throws {CodedError} UNSUPPORTED_FILE
 */
async function assertCopyable(source: FileRef, from: string, stats: Stats): Promise<void> {
  if (stats.isFile() || stats.isSymbolicLink()) return;
  if (!stats.isDirectory()) throw specialFile(source);
  const special = (await entriesBelow(from)).find(
    (entry) => !entry.isFile() && !entry.isDirectory() && !entry.isSymbolicLink(),
  );
  if (!special) return;
  const name = relative(from, join(special.parentPath, special.name)).replaceAll(sep, '/');
  throw new CodedError(
    'UNSUPPORTED_FILE',
    `"${source.shown}/${name}" is a pipe, socket or device, which cannot be moved to another file system. Nothing was changed.`,
    'Delete it first, or move the rest without it (run_command with mv takes everything along).',
  );
}

/** Copies beside the destination first, so that it appears there whole, and removes the source last. */
async function moveAcrossDevices(from: string, to: string, assertFree: () => Promise<void>): Promise<void> {
  const temporary = temporaryBeside(to);
  try {
    await cp(from, temporary, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    await assertFree();
    await rename(temporary, to);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
  await rm(from, { recursive: true });
}

/** Copies what was opened and seen to be inside, to a folder that was seen to be. */
async function copyFenced(
  from: string,
  to: string,
  mode: number,
  assertFree: () => Promise<void>,
): Promise<void> {
  const source = await openInside(from, constants.O_RDONLY | NO_FOLLOW | (constants.O_NONBLOCK ?? 0));
  try {
    if (!(await source.stat()).isFile()) throw specialFile({ path: from, shown: from });
    await withEntry(to, async (entry) => {
      const temporary = temporaryBeside(entry);
      try {
        const target = await open(temporary, 'wx', mode & 0o777);
        try {
          for (let position = 0; ; ) {
            const { buffer, bytesRead } = await source.read(
              Buffer.allocUnsafe(COPY_BYTES),
              0,
              COPY_BYTES,
              position,
            );
            if (bytesRead === 0) break;
            await target.writeFile(buffer.subarray(0, bytesRead));
            position += bytesRead;
          }
          await target.chmod(mode & 0o7777);
        } finally {
          await target.close();
        }
        await assertFree();
        await replaceBy(temporary, entry);
      } catch (error) {
        await unlink(temporary).catch(() => {});
        throw error;
      }
    });
  } finally {
    await source.close();
  }
}

function otherFileSystem(source: FileRef): CodedError {
  return new CodedError(
    'NOT_AVAILABLE',
    `"${source.shown}" lies on another file system than the destination; in this access mode it is not moved there.`,
    'Use copy_file and delete_file, or run_command (mv).',
  );
}
