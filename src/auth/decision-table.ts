import type { AccessMode } from '../workspace/index.ts';
import { isAccessMode } from './access-modes.ts';
import type { Sql } from './sql.ts';

/** Answers that the owner gave on this machine, for whichever instance the request waits at. */
export class DecisionTable {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Notes the owner's answer to a waiting request. A later answer replaces an earlier one. */
  async put(
    referenceHash: string,
    decision: { readonly allowed: boolean; readonly access?: AccessMode; readonly expiresMs: number },
  ): Promise<void> {
    await this.#sql.batch([
      [
        `INSERT INTO auth_decisions VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (reference_hash) DO UPDATE SET allowed = ?2, access = ?3, expires_ms = ?4`,
        referenceHash,
        decision.allowed ? 1 : 0,
        decision.access ?? null,
        decision.expiresMs,
      ],
    ]);
  }

  /** Takes the owner's answer, once. */
  async take(
    referenceHash: string,
    nowMs: number,
  ): Promise<{ readonly allowed: boolean; readonly access: AccessMode | undefined } | undefined> {
    const row = await this.#sql.first(
      'DELETE FROM auth_decisions WHERE reference_hash = ?1 RETURNING *',
      referenceHash,
    );
    if (row === undefined || Number(row['expires_ms']) <= nowMs) return undefined;
    const access = row['access'];
    return { allowed: row['allowed'] === 1, access: isAccessMode(access) ? access : undefined };
  }
}
