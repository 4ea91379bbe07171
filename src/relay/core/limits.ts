import type { Sql } from '../../auth/index.ts';

export interface Limit {
  readonly max: number;
  readonly windowMs: number;
}

/** So many per key and span of time, counted in the database: the isolates of a Worker share no memory. */
export class Limits {
  readonly #sql: Sql;
  #sweptMs = 0;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Counts one. @returns false when the key has had its share */
  async take(key: string, limit: Limit, nowMs: number): Promise<boolean> {
    await this.#sweep(nowMs);
    const row = await this.#sql.first(
      `INSERT INTO relay_limits (key, started_ms, count) VALUES (?1, ?2, 1)
       ON CONFLICT (key) DO UPDATE SET
         count = CASE WHEN started_ms <= ?3 THEN 1 ELSE MIN(count + 1, ?4) END,
         started_ms = CASE WHEN started_ms <= ?3 THEN ?2 ELSE started_ms END
       RETURNING count`,
      key,
      nowMs,
      nowMs - limit.windowMs,
      limit.max + 1,
    );
    return Number(row?.['count']) <= limit.max;
  }

  async #sweep(nowMs: number): Promise<void> {
    if (nowMs - this.#sweptMs < 60 * 60_000) return;
    this.#sweptMs = nowMs;
    await this.#sql.batch([['DELETE FROM relay_limits WHERE started_ms <= ?1', nowMs - 24 * 60 * 60_000]]);
  }
}
