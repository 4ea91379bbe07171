import { lstat, readlink, stat, unlink } from 'node:fs/promises';
import { sep } from 'node:path';
import { concurrently } from '../runtime/concurrently.ts';
import { CodedError } from '../runtime/errors.ts';
import { assertWritable } from './assert-writable.ts';
import { type FileChange, type FileChangeRecorder, recorded } from './change-recorder.ts';
import { withEntry } from './fence.ts';
import { type FileRef, fileError } from './file-errors.ts';
import { assertUnchanged, changedOnDisk, type FileSnapshot } from './file-snapshot.ts';
import { oncePerFile } from './hard-links.ts';
import { type EntryId, Journal, type JournalFile } from './journal.ts';
import { withFileLocks } from './locks.ts';
import { isMissing } from './open-file.ts';
import { sha256Hex } from './sha256.ts';
import { temporaryBeside } from './temporary-file.ts';
import { identifyFile } from './transaction-entry.ts';
import {
  backUp,
  makeFolder,
  missingFolders,
  putInPlace,
  removeIfEmpty,
  setFolderMode,
  stageEntry,
  unlinkIfThere,
} from './transaction-files.ts';
import { undoTransaction } from './transaction-recovery.ts';
import type { FileCommit, LinkSnapshot, NewEntry } from './transaction-types.ts';

export interface CommitOptions {
  readonly stateDir: string;
  readonly signal?: AbortSignal | undefined;
  readonly recorder?: FileChangeRecorder | undefined;
  /** The caller holds the locks of all files already (withFileLocks), from before it read them. */
  readonly locked?: boolean | undefined;
  /** Folders that are to exist even without files in them, absolute; without a mode, what the umask leaves. */
  readonly folders?: readonly (FileRef & { readonly mode?: number })[] | undefined;
  /** Folders that are to go if nothing is left in them, absolute. */
  readonly emptiedFolders?: readonly string[] | undefined;
}

/** File operations under way at a time: enough for the thread pool, few enough for the limit of open files. */
const PARALLEL = 8;

/**
 * Changes many files, all or nothing, also when the process is killed at any instant: new contents are staged beside
 * their targets, an intent journal in the state folder names every piece, and one rename of that journal decides that
 * the change happens. A crash before it leaves nothing but temporary files, one after it is finished by
 * recoverTransactions; an error after it takes back what was done.
 *
 * @throws {CodedError} CHANGED_ON_DISK when a file is not what was read; CONFLICT when two names of one file are to
 *   become different files; PERMISSION_DENIED, DISK_FULL, …; everything
 *   is as it was then. INTERNAL_ERROR names the files that could not be put back.
 */
export async function commitFiles(
  commits: readonly FileCommit[],
  options: CommitOptions,
): Promise<{ checkpointId: string | undefined }> {
  const act = async () => {
    const toCarryOut = oncePerFile(commits);
    await concurrently(commits, PARALLEL, assertAsRead);
    await concurrently(commits, PARALLEL, async ({ file, before, after }) => {
      if (after && before && !isLink(before)) await assertWritable(file, before.stats);
    });
    const { checkpointId } = await recorded(
      options.recorder,
      () => commits.map(toFileChange),
      options.signal,
      () => commitStaged(toCarryOut, options),
    );
    return { checkpointId };
  };
  if (options.locked) return act();
  return withFileLocks(
    commits.map(({ file }) => file.path),
    options.signal,
    act,
  );
}

async function commitStaged(commits: readonly FileCommit[], options: CommitOptions): Promise<void> {
  const plan = await concurrently(commits, PARALLEL, planFile);
  const wantedFolders = options.folders ?? [];
  const madeFolders = await foldersToMake(
    commits,
    wantedFolders.map(({ path }) => path),
  );
  const modes = new Map(wantedFolders.map(({ path, mode }) => [path, mode]));
  const emptiedFolders = [...(options.emptiedFolders ?? [])].sort((a, b) => b.length - a.length);
  const isAtomicByItself = plan.length === 1 && madeFolders.length === 0 && !plan[0]?.inPlace;
  const journal = isAtomicByItself
    ? undefined
    : await Journal.begin(options.stateDir, {
        version: 1,
        createdAtMs: Date.now(),
        files: plan,
        madeFolders,
        emptiedFolders,
      });
  try {
    for (const folder of madeFolders) {
      const refs = [...wantedFolders, ...commits.map(({ file }) => file)];
      await makeFolder(folder, modes.get(folder)).catch(folderError(folder, refs));
    }
    await concurrently(commits, PARALLEL, (commit, index) =>
      stageFile(commit, plan[index]!, journal !== undefined, options.signal),
    );
    await concurrently(commits, PARALLEL, assertAsRead);
    options.signal?.throwIfAborted();
    await journal?.enter('commit');
  } catch (error) {
    await removeStaged(plan, madeFolders);
    await journal?.remove();
    throw error;
  }
  // From here on it happens; nobody can cancel it any more.
  try {
    for (const [index, commit] of commits.entries()) await putOne(commit, plan[index]!);
  } catch (error) {
    if (journal) await takeBack(journal, error);
    else await removeStaged(plan, madeFolders);
    throw error;
  }
  for (const folder of [...madeFolders].reverse()) {
    const mode = modes.get(folder);
    if (mode !== undefined) await setFolderMode(folder, mode).catch(() => {});
  }
  // The change is made. What cannot be cleared away now is cleared by the next start.
  const cleared = await concurrently(plan, PARALLEL, clearAway).then(
    () => true,
    () => false,
  );
  for (const folder of emptiedFolders) await removeIfEmpty(folder).catch(() => {});
  if (cleared) await journal?.remove();
}

async function planFile(commit: FileCommit): Promise<JournalFile> {
  const { file, before, after } = commit;
  const isFileBefore = before !== undefined && !isLink(before);
  return {
    path: file.path,
    old: await oldId(commit),
    new: after ? newId(after) : null,
    staged: after ? temporaryBeside(file.path) : null,
    backup: isFileBefore ? temporaryBeside(file.path) : null,
    // A rename would part the file from its other names; a deletion takes away just the one.
    inPlace: isFileBefore && before.stats.nlink > 1n && after?.type === 'file',
  };
}

async function oldId({ file, before }: FileCommit): Promise<EntryId | null> {
  if (!before) return null;
  if (isLink(before)) return { type: 'link', target: before.target };
  if (!before.bytes) return identifyFile(file.path);
  return { type: 'file', sha256: sha256Hex(before.bytes), sizeBytes: before.bytes.length };
}

function newId(after: NewEntry): EntryId {
  if (after.type === 'link') return { type: 'link', target: after.target };
  const { content } = after;
  if (!(content instanceof Uint8Array)) {
    return { type: 'file', sha256: content.sha256, sizeBytes: content.sizeBytes };
  }
  return { type: 'file', sha256: sha256Hex(content), sizeBytes: content.length };
}

async function stageFile(
  { file, before, after }: FileCommit,
  plan: JournalFile,
  needsBackup: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  try {
    if (needsBackup && plan.backup) await backUp(file.path, plan.backup, plan.inPlace);
    if (after && plan.staged) {
      await stageEntry(plan.staged, file.path, after, before && !isLink(before) ? before : undefined);
    }
  } catch (error) {
    throw await fileError(error, file, 'written');
  }
}

async function putOne(commit: FileCommit, plan: JournalFile): Promise<void> {
  await assertAsRead(commit);
  try {
    if (plan.staged) await putInPlace(plan.staged, commit.file.path, plan.inPlace);
    else if (plan.old) await withEntry(commit.file.path, unlink);
  } catch (error) {
    throw await fileError(error, commit.file, commit.after ? 'written' : 'deleted');
  }
}

/** @throws {CodedError} CHANGED_ON_DISK unless the path holds what was read, by the time stamp or by content */
async function assertAsRead({ file, before }: FileCommit): Promise<void> {
  if (before && !isLink(before)) return assertUnchanged(file, before);
  let target: string | undefined;
  try {
    const found = await lstat(file.path);
    if (!before || !found.isSymbolicLink()) throw changedOnDisk(file);
    target = await readlink(file.path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  if (target !== before?.target) throw changedOnDisk(file);
}

/** Nothing has happened to any target yet, so only what was made beside them goes. */
async function removeStaged(plan: readonly JournalFile[], madeFolders: readonly string[]): Promise<void> {
  for (const file of plan) await clearAway(file).catch(() => {});
  for (const folder of [...madeFolders].reverse()) await removeIfEmpty(folder).catch(() => {});
}

/** @param below files and folders for which the folder is made: as they are shown, so is it */
function folderError(path: string, below: readonly FileRef[]): (error: unknown) => Promise<never> {
  return async (error) => {
    const shown = below.flatMap((ref) => {
      const rest = ref.path.slice(path.length).replaceAll(sep, '/');
      return ref.path.startsWith(path) && ref.shown.endsWith(rest)
        ? ref.shown.slice(0, ref.shown.length - rest.length)
        : [];
    });
    throw await fileError(error, { path, shown: shown[0] || path }, 'created');
  };
}

async function takeBack(journal: Journal, cause: unknown): Promise<void> {
  await journal.enter('undo');
  const { problems } = await undoTransaction(journal);
  if (problems.length === 0) return;
  const names = problems.map(({ path, reason }) => `${path} (${reason})`).join(', ');
  const first = cause instanceof Error ? cause.message : String(cause);
  throw new CodedError(
    'INTERNAL_ERROR',
    `The change failed half way (${first}) and these files could not be put back: ${names}.`,
    'Look at these files; all others are as they were. The next start of local-coder tries again.',
    { not_restored: problems },
  );
}

async function clearAway(file: JournalFile): Promise<void> {
  await unlinkIfThere(file.staged);
  await unlinkIfThere(file.backup);
}

async function foldersToMake(commits: readonly FileCommit[], wanted: readonly string[]): Promise<string[]> {
  const known = new Map<string, Promise<boolean>>();
  const exists = (folder: string) => {
    const answer = known.get(folder) ?? isFolder(folder);
    known.set(folder, answer);
    return answer;
  };
  const paths = commits.filter(({ before, after }) => !before && after).map(({ file }) => file.path);
  const missing = new Set<string>();
  for (const path of paths) for (const folder of await missingFolders(path, exists)) missing.add(folder);
  for (const folder of wanted) {
    for (const above of await missingFolders(folder, exists)) missing.add(above);
    if (!(await exists(folder))) missing.add(folder);
  }
  return [...missing].sort((a, b) => a.length - b.length);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true; // a file on the way shows itself when something is made below it
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function isLink(before: FileSnapshot | LinkSnapshot): before is LinkSnapshot {
  return 'type' in before;
}

function toFileChange({ file, before, after }: FileCommit): FileChange {
  const bytesAfter =
    after?.type === 'file' && after.content instanceof Uint8Array ? after.content : undefined;
  return {
    path: file.path,
    before: before && !isLink(before) ? before.bytes : undefined,
    after: bytesAfter && Buffer.from(bytesAfter.buffer, bytesAfter.byteOffset, bytesAfter.byteLength),
    kind: !after ? 'delete' : before ? 'replace' : 'create',
  };
}
