import { join } from 'node:path';
import type { StatementSync } from 'node:sqlite';
import { openDatabase } from '../runtime/sqlite.ts';
import type { Sql, SqlRow, SqlStatement } from './sql.ts';
import { AuthStore } from './store.ts';

/** The store in the state folder's database, which several instances and commands share. */
export async function openAuthStore(stateDir: string): Promise<AuthStore & { close(): void }> {
  const sql = await openSqlite(join(stateDir, 'state.db'));
  const store = await AuthStore.open(sql);
  return Object.assign(store, { close: () => sql.close() });
}

/** The storage port over a SQLite file, made when there is none. */
export async function openSqlite(file: string): Promise<Sql & { close(): void }> {
  const database = await openDatabase(file);
  const prepared = new Map<string, StatementSync>();
  const prepare = (text: string): StatementSync => {
    let statement = prepared.get(text);
    if (statement === undefined) {
      statement = database.prepare(text);
      prepared.set(text, statement);
    }
    return statement;
  };
  return {
    async first(text, ...values) {
      return prepare(text).get(...values) as SqlRow | undefined; // the tables hold text, integers and null only
    },
    async all(text, ...values) {
      return prepare(text).all(...values) as SqlRow[];
    },
    async batch(statements: readonly SqlStatement[]) {
      database.exec('BEGIN IMMEDIATE');
      try {
        for (const [text, ...values] of statements) prepare(text).run(...values);
        database.exec('COMMIT');
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK');
        throw error;
      }
    },
    close: () => database.close(),
  };
}
