import type { Sql } from '../../../auth/index.ts';
import type { D1Database } from './runtime.ts';

/** The storage port over D1. The tables come by the migrations. */
export function d1Sql(database: D1Database): Sql {
  return {
    async first(sql, ...values) {
      return (
        (await database
          .prepare(sql)
          .bind(...values)
          .first()) ?? undefined
      );
    },
    async all(sql, ...values) {
      return (
        await database
          .prepare(sql)
          .bind(...values)
          .all()
      ).results;
    },
    async batch(statements) {
      await database.batch(statements.map(([sql, ...values]) => database.prepare(sql).bind(...values)));
    },
  };
}
