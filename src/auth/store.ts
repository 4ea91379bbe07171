import { ClientTable } from './client-table.ts';
import { CodeTable } from './code-table.ts';
import { DecisionTable } from './decision-table.ts';
import { GrantTable } from './grant-table.ts';
import { TABLES } from './schema.ts';
import { SecretTable } from './secret-table.ts';
import type { Sql } from './sql.ts';

const DAY_MS = 24 * 60 * 60_000;
/** A client that registered itself and was never let in is forgotten after this long. */
const UNUSED_CLIENT_MS = DAY_MS;
/** One that was let in keeps its id for this long after its last sign-in or refresh. */
const USED_CLIENT_MS = 180 * DAY_MS;
const SWEEP_EVERY_MS = 10 * 60_000;

/** Everything that authentication keeps. No usable token is in it: those are stored as SHA-256. */
export class AuthStore {
  readonly clients: ClientTable;
  readonly codes: CodeTable;
  readonly grants: GrantTable;
  readonly decisions: DecisionTable;
  readonly secrets: SecretTable;
  readonly #sql: Sql;
  #sweptMs = 0;

  private constructor(sql: Sql) {
    this.#sql = sql;
    this.clients = new ClientTable(sql);
    this.codes = new CodeTable(sql);
    this.grants = new GrantTable(sql);
    this.decisions = new DecisionTable(sql);
    this.secrets = new SecretTable(sql);
  }

  static async open(sql: Sql): Promise<AuthStore> {
    await sql.batch(TABLES);
    return new AuthStore(sql);
  }

  /** Over a database whose tables are there already (AUTH_TABLES), by migrations say. */
  static over(sql: Sql): AuthStore {
    return new AuthStore(sql);
  }

  /** Removes what has expired, at most every ten minutes. Called before something is added. */
  async sweep(nowMs: number): Promise<void> {
    if (nowMs - this.#sweptMs < SWEEP_EVERY_MS) return;
    this.#sweptMs = nowMs;
    await this.#sql.batch([
      ['DELETE FROM auth_codes WHERE expires_ms <= ?1', nowMs - DAY_MS],
      ['DELETE FROM auth_grants WHERE expires_ms <= ?1', nowMs],
      [
        'DELETE FROM auth_tokens WHERE expires_ms <= ?1 OR grant_id NOT IN (SELECT id FROM auth_grants)',
        nowMs,
      ],
      ['DELETE FROM auth_decisions WHERE expires_ms <= ?1', nowMs],
      [
        `DELETE FROM auth_clients WHERE (used_ms IS NULL AND created_ms <= ?1) OR used_ms <= ?2`,
        nowMs - UNUSED_CLIENT_MS,
        nowMs - USED_CLIENT_MS,
      ],
    ]);
  }
}
