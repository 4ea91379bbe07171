export type SqlValue = string | number | null;
export type SqlRow = Readonly<Record<string, SqlValue>>;
export type SqlStatement = readonly [sql: string, ...values: SqlValue[]];

/**
 * The storage port: anything that runs SQLite's SQL with numbered parameters (`?1`), node:sqlite and D1 among them.
 * Every decision that two requests could both win is one statement with RETURNING.
 */
export interface Sql {
  first(...statement: SqlStatement): Promise<SqlRow | undefined>;
  all(...statement: SqlStatement): Promise<SqlRow[]>;
  /** Runs them in order, all or none. */
  batch(statements: readonly SqlStatement[]): Promise<void>;
}

/** A text column of a row. */
export function text(row: SqlRow, column: string): string {
  return String(row[column]);
}
