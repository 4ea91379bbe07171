import {
  normalizedCode,
  randomToken,
  readableCode,
  type Sql,
  sha256,
  systemRandom,
  text,
} from '../../auth/index.ts';
import type { PairResponse } from '../protocol.ts';

export const PAIRING_MS = 10 * 60_000;
/** Machines of one user; one more is refused like a wrong code. */
const MAX_AGENTS_PER_USER = 50;

/** Pairing codes: 12 characters of an alphabet of 24, so 55 bits; one use, ten minutes, kept as SHA-256. */
export class Pairings {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** A new code for a machine of the user's. */
  async create(
    userId: string,
    displayName: string | undefined,
    nowMs: number,
  ): Promise<{ readonly code: string; readonly expiresAtMs: number }> {
    const code = readableCode(systemRandom, 3, 4);
    const expiresAtMs = nowMs + PAIRING_MS;
    await this.#sql.batch([
      ['DELETE FROM relay_pairings WHERE expires_ms <= ?1', nowMs - PAIRING_MS],
      [
        'INSERT INTO relay_pairings (hash, user_id, display_name, created_ms, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5)',
        await sha256(normalizedCode(code)),
        userId,
        displayName ?? null,
        nowMs,
        expiresAtMs,
      ],
    ]);
    return { code, expiresAtMs };
  }

  /**
   * Burns a code and makes the agent, in one transaction: of many who try at once, one gets an agent.
   * @returns undefined for every failure alike: unknown, used, expired, user suspended, too many agents
   */
  async redeem(
    typed: string,
    agent: { readonly displayName: string | undefined; readonly version: string | undefined },
    nowMs: number,
  ): Promise<PairResponse | undefined> {
    const agentId = randomToken(systemRandom, 'agent_').slice(0, 28);
    const agentToken = randomToken(systemRandom, 'lc_agent_');
    const hash = await sha256(normalizedCode(typed));
    await this.#sql.batch([
      [
        `UPDATE relay_pairings SET agent_id = ?2
         WHERE hash = ?1 AND agent_id IS NULL AND expires_ms > ?3
           AND user_id IN (SELECT id FROM relay_users WHERE status = 'active')
           AND (SELECT COUNT(*) FROM relay_agents a WHERE a.user_id = relay_pairings.user_id) < ?4`,
        hash,
        agentId,
        nowMs,
        MAX_AGENTS_PER_USER,
      ],
      [
        `INSERT INTO relay_agents (id, user_id, token_hash, display_name, kind, version, created_ms)
         SELECT ?2, user_id, ?3, COALESCE(display_name, ?4, 'agent'), 'viewer', ?5, ?6
         FROM relay_pairings WHERE hash = ?1 AND agent_id = ?2`,
        hash,
        agentId,
        await sha256(agentToken),
        agent.displayName ?? null,
        agent.version ?? null,
        nowMs,
      ],
    ]);
    const made = await this.#sql.first(
      `SELECT a.display_name, u.name FROM relay_agents a JOIN relay_users u ON u.id = a.user_id WHERE a.id = ?1`,
      agentId,
    );
    if (made === undefined) return undefined;
    return { agentId, agentToken, account: text(made, 'name'), agentDisplayName: text(made, 'display_name') };
  }
}
