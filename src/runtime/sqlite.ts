import { chmod, open } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { systemCode } from './errors.ts';
import { isWindows } from './platform.ts';

/** How long a statement waits for another process's write. */
const BUSY_TIMEOUT_MS = 5_000;
const RETRY_MS = 5;

/**
 * Opens a SQLite file that several instances share: write-ahead log (where the file system can), a busy timeout,
 * private to the user.
 * node:sqlite is loaded here and not before: most commands do without it.
 */
export async function openDatabase(file: string): Promise<DatabaseSync> {
  const { DatabaseSync } = await import('node:sqlite');
  // SQLite gives the log and the shared memory beside it the mode that the file has by then.
  if (!isWindows) await makePrivate(file);
  let database = new DatabaseSync(file);
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    await unlocked(() => useLog(database));
  } catch (error) {
    database.close();
    if (!hasCode(error, WITHOUT_SHARED_MEMORY)) throw error;
    database = new DatabaseSync(file);
    if (!useRollbackJournal(database)) {
      database.close();
      throw error;
    }
  }
  return database;
}

async function makePrivate(file: string): Promise<void> {
  try {
    await chmod(file, 0o600);
  } catch (error) {
    // A file system without modes (FAT) keeps its own; what cannot be made, SQLite says better.
    if (systemCode(error) === 'ENOENT')
      await open(file, 'wx', 0o600)
        .then((made) => made.close())
        .catch(() => {});
  }
}

/**
 * For the change of the journal's kind, for which SQLite does not wait: of two processes that open a new file at once,
 * one is told that it is locked.
 */
async function unlocked(use: () => void): Promise<void> {
  for (const deadlineMs = performance.now() + BUSY_TIMEOUT_MS; ; ) {
    try {
      return use();
    } catch (error) {
      if (!hasCode(error, LOCKED) || performance.now() > deadlineMs) throw error;
    }
    await delay(RETRY_MS);
  }
}

/** The write-ahead log, unless the database was given the older journal (see below): others may have it open. */
function useLog(database: DatabaseSync): void {
  const isNew = Number(database.prepare('PRAGMA page_count').get()?.['page_count']) === 0;
  if (isNew) database.exec('PRAGMA journal_mode = WAL');
  if (journalMode(database) !== 'wal') return;
  // The first look into it maps the file.
  database.exec('PRAGMA synchronous = NORMAL; SELECT 1 FROM sqlite_master');
}

function journalMode(database: DatabaseSync): unknown {
  return database.prepare('PRAGMA journal_mode').get()?.['journal_mode'];
}

/** SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_PROTOCOL: what a file system says that cannot map a file for several. */
const WITHOUT_SHARED_MEMORY = new Set([10, 14, 15]);

/** SQLITE_BUSY */
const LOCKED = new Set([5]);

function hasCode(error: unknown, codes: ReadonlySet<number>): boolean {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return false;
  return codes.has(Number(error.errcode) & 0xff);
}

/**
 * The write-ahead log needs a file that all instances map into their memory, which some drivers of sticks and network
 * shares do not offer. The older journal needs locks alone; slower, and a reader waits for a writer.
 */
function useRollbackJournal(database: DatabaseSync): boolean {
  try {
    // Only in exclusive mode a log that was left elsewhere can be read without that file.
    database.exec(
      `PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE;
       PRAGMA locking_mode = NORMAL; SELECT 1 FROM sqlite_master`,
    );
    return journalMode(database) === 'delete';
  } catch {
    return false;
  }
}
