import { AuthStore, openSqlite, type Sql } from '../../../auth/index.ts';
import { RELAY_TABLES } from '../../core/schema.ts';

/** The relay's database: one SQLite file, which `local-coder relay code` and its siblings open too. */
export interface RelayDatabase {
  readonly sql: Sql;
  readonly store: AuthStore;
  close(): void;
}

/** Opens the file, and makes it when there is none. */
export async function openRelayDatabase(file: string): Promise<RelayDatabase> {
  const sql = await openSqlite(file);
  await sql.batch(RELAY_TABLES);
  return { sql, store: await AuthStore.open(sql), close: () => sql.close() };
}
