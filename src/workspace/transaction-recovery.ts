import { unlink } from 'node:fs/promises';
import { withEntry } from './fence.ts';
import { Journal, type JournalFile } from './journal.ts';
import { identifyEntry, isSameEntry, OTHER } from './transaction-entry.ts';
import {
  isTorn,
  makeFolder,
  missingFolders,
  putInPlace,
  removeIfEmpty,
  replaceByLink,
  unlinkIfThere,
} from './transaction-files.ts';

/** How an interrupted multi-file change ended. */
export interface RecoveredTransaction {
  /** `incomplete`: a file could not be brought to either state; the journal stays and the next start tries again. */
  readonly outcome: 'finished' | 'undone' | 'incomplete';
  readonly paths: readonly string[];
  readonly problems: readonly RecoveryProblem[];
}

export interface RecoveryProblem {
  readonly path: string;
  readonly reason: string;
  /** Somebody else's content stands there: it is left alone for good. False: the system refused, worth another try. */
  readonly isForeign: boolean;
}

/** `torn`: overwritten half way by us. `foreign`: neither the old nor the new content. */
type FileState = 'old' | 'new' | 'torn' | 'foreign';

/**
 * Finishes or undoes the multi-file changes that killed processes left half way, and removes what they staged. Safe to
 * be called by several instances at once; changes of living processes are not touched.
 */
export async function recoverTransactions(stateDir: string): Promise<RecoveredTransaction[]> {
  const recovered: RecoveredTransaction[] = [];
  for await (const journal of Journal.takeOverDead(stateDir)) {
    const paths = journal.content.files.map(({ path }) => path);
    if (journal.phase === 'intent') {
      // Targets are touched only after the commit mark.
      const problems = await clearUp(journal, 'undone');
      recovered.push({ outcome: problems.length === 0 ? 'undone' : 'incomplete', paths, problems });
    } else if (journal.phase === 'commit' && (await canBeFinished(journal))) {
      const { problems } = await finishTransaction(journal);
      recovered.push({ outcome: outcomeOf('finished', problems), paths, problems });
    } else {
      if (journal.phase !== 'undo') await journal.enter('undo');
      const { problems } = await undoTransaction(journal);
      recovered.push({ outcome: outcomeOf('undone', problems), paths, problems });
    }
  }
  return recovered;
}

/** Brings every file of a journal back to its old content, as far as its present content is one of ours. */
export async function undoTransaction(journal: Journal): Promise<{ problems: RecoveryProblem[] }> {
  const problems: RecoveryProblem[] = [];
  for (const file of [...journal.content.files].reverse()) {
    await settle(file, problems, async (state) => {
      if (state === 'old') return;
      if (file.old === null) return unlinkIfThere(file.path);
      if (file.old.type === 'link') return replaceByLink(file.old.target, file.path);
      const backup = file.backup === null ? null : await identifyEntry(file.backup);
      if (backup === null && isSameEntry(file.old, file.new)) return; // only its mode was to change; it is back
      if (!file.backup || !isSameEntry(backup, file.old)) throw new Error(BACKUP_MISSING);
      await putInPlace(file.backup, file.path, file.inPlace || state === 'torn');
    });
  }
  return { problems: await endWith(journal, 'undone', problems) };
}

const BACKUP_MISSING = 'the copy of its old content is gone';

async function finishTransaction(journal: Journal): Promise<{ problems: RecoveryProblem[] }> {
  const problems: RecoveryProblem[] = [];
  for (const file of journal.content.files) {
    await settle(file, problems, async (state) => {
      if (state === 'new') return;
      if (!file.staged) return withEntry(file.path, unlink);
      for (const folder of await missingFolders(file.path, exists)) await makeFolder(folder);
      await putInPlace(file.staged, file.path, file.inPlace || state === 'torn');
    });
  }
  return { problems: await endWith(journal, 'finished', problems) };
}

/**
 * False when a staged content is gone or spoilt, or when somebody wrote to a file before its turn came: the change as a
 * whole cannot be had any more.
 */
async function canBeFinished(journal: Journal): Promise<boolean> {
  try {
    for (const file of journal.content.files) if (!(await mayBeNew(file))) return false;
    return true;
  } catch {
    return false; // what cannot be looked at cannot be promised
  }
}

async function mayBeNew(file: JournalFile): Promise<boolean> {
  const staged = file.staged === null ? null : await identifyEntry(file.staged);
  const state = await stateOf(file);
  if (state === 'foreign') return staged === null && file.new !== null;
  return state === 'new' || file.new === null || isSameEntry(staged, file.new);
}

async function settle(
  file: JournalFile,
  problems: RecoveryProblem[],
  act: (state: FileState) => Promise<void>,
): Promise<void> {
  try {
    const state = await stateOf(file);
    if (state === 'foreign') {
      problems.push({
        path: file.path,
        reason: 'changed by another program since; left alone',
        isForeign: true,
      });
    } else await act(state);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    problems.push({ path: file.path, reason, isForeign: false });
  }
}

async function stateOf(file: JournalFile): Promise<FileState> {
  const now = await identifyEntry(file.path);
  if (isSameEntry(now, file.new)) {
    const onlyModeChanges = isSameEntry(now, file.old);
    return onlyModeChanges && file.staged && (await identifyEntry(file.staged)) !== null ? 'old' : 'new';
  }
  if (isSameEntry(now, file.old)) return 'old';
  if (now === null || now === OTHER || now.type !== 'file' || !file.staged || !file.backup) return 'foreign';
  const [staged, backup] = await Promise.all([identifyEntry(file.staged), identifyEntry(file.backup)]);
  const bothWhole = isSameEntry(staged, file.new) && isSameEntry(backup, file.old);
  return bothWhole && (await isTorn(file.path, file.staged, file.backup)) ? 'torn' : 'foreign';
}

/** Clears up and removes the journal, unless another start may still bring more. */
async function endWith(
  journal: Journal,
  end: 'finished' | 'undone',
  problems: readonly RecoveryProblem[],
): Promise<RecoveryProblem[]> {
  if (problems.some(({ isForeign }) => !isForeign)) return [...problems];
  return [...problems, ...(await clearUp(journal, end))];
}

async function clearUp(journal: Journal, end: 'finished' | 'undone'): Promise<RecoveryProblem[]> {
  const { files, madeFolders, emptiedFolders } = journal.content;
  const problems: RecoveryProblem[] = [];
  const attempt = async (path: string, act: () => Promise<void>) => {
    try {
      await act();
    } catch (error) {
      const reason = `could not be cleared away: ${error instanceof Error ? error.message : String(error)}`;
      problems.push({ path, reason, isForeign: false });
    }
  };
  for (const { staged, backup } of files) {
    for (const path of [staged, backup]) if (path !== null) await attempt(path, () => unlinkIfThere(path));
  }
  const folders = end === 'undone' ? [...madeFolders].reverse() : emptiedFolders;
  for (const folder of folders) await attempt(folder, () => removeIfEmpty(folder));
  if (problems.length === 0) await journal.remove();
  return problems;
}

function outcomeOf(
  end: 'finished' | 'undone',
  problems: readonly RecoveryProblem[],
): RecoveredTransaction['outcome'] {
  return problems.some(({ isForeign }) => !isForeign) ? 'incomplete' : end;
}

async function exists(folder: string): Promise<boolean> {
  return (await identifyEntry(folder)) !== null;
}
