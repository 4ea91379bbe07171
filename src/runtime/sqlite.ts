import { chmod } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';
import { isWindows } from './platform.ts';

/** How long a statement waits for another process's write. */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * Opens a SQLite file that several instances share: write-ahead log, a busy timeout, private to the user.
 * node:sqlite is loaded here and not before: most commands do without it.
 */
export async function openDatabase(file: string): Promise<DatabaseSync> {
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(file);
  database.exec(
    `PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;`,
  );
  if (!isWindows) await chmod(file, 0o600).catch(() => {}); // a file system without modes (FAT) keeps its own
  return database;
}
