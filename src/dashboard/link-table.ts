import { join } from 'node:path';
import { openDatabase } from '../runtime/sqlite.ts';

/** The running server that a link is for. */
export interface LinkOwner {
  readonly pid: number;
  /** See processStartTime. */
  readonly startTime: string;
}

const TABLE = `CREATE TABLE IF NOT EXISTS page_links (
  hash TEXT PRIMARY KEY, pid INTEGER NOT NULL, start_time TEXT NOT NULL, expires_ms INTEGER NOT NULL) STRICT`;

/** The links of `local-coder page`, by which it and the server that they are for find each other: hashes alone. */
export async function openLinkTable(stateDir: string) {
  const database = await openDatabase(join(stateDir, 'state.db'));
  database.exec(TABLE);
  return {
    add(owner: LinkOwner, hash: string, expiresMs: number): void {
      database.prepare('DELETE FROM page_links WHERE expires_ms <= ?').run(Date.now());
      database
        .prepare('INSERT INTO page_links VALUES (?, ?, ?, ?)')
        .run(hash, owner.pid, owner.startTime, expiresMs);
    },

    /** Uses a link of this server up. @returns false when there is none of that hash, or no more */
    take(owner: LinkOwner, hash: string): boolean {
      const row = database
        .prepare(
          'DELETE FROM page_links WHERE hash = ? AND pid = ? AND start_time = ? AND expires_ms > ? RETURNING hash',
        )
        .get(hash, owner.pid, owner.startTime, Date.now());
      return row !== undefined;
    },

    close(): void {
      database.close();
    },
  };
}

export type LinkTable = Awaited<ReturnType<typeof openLinkTable>>;
