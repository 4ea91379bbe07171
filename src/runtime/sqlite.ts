import { chmod } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';
import { isWindows } from './platform.ts';

/** How long a statement waits for another process's write. */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * Opens a SQLite file that several instances share: write-ahead log (where the file system can), a busy timeout,
 * private to the user.
 * node:sqlite is loaded here and not before: most commands do without it.
 */
export async function openDatabase(file: string): Promise<DatabaseSync> {
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; SELECT 1 FROM sqlite_master');
  } catch (error) {
    if (!isWithoutSharedMemory(error) || !withRollbackJournal(database)) {
      database.close();
      throw error;
    }
  }
  if (!isWindows) await chmod(file, 0o600).catch(() => {}); // a file system without modes (FAT) keeps its own
  return database;
}

/** SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_PROTOCOL: what a file system says that cannot map a file for several. */
const WITHOUT_SHARED_MEMORY = new Set([10, 14, 15]);

function isWithoutSharedMemory(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return false;
  return WITHOUT_SHARED_MEMORY.has(Number(error.errcode) & 0xff);
}

/**
 * The write-ahead log needs a file that all instances map into their memory, which some drivers of sticks and network
 * shares do not offer. The older journal needs locks alone; slower, and a reader waits for a writer.
 */
function withRollbackJournal(database: DatabaseSync): boolean {
  try {
    // Only in exclusive mode a log that was left elsewhere can be read without that file.
    database.exec(
      'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; ' +
        'PRAGMA locking_mode = NORMAL; SELECT 1 FROM sqlite_master',
    );
    return true;
  } catch {
    return false;
  }
}
