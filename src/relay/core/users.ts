import { randomToken, type Sql, type SqlRow, sha256, systemRandom, text } from '../../auth/index.ts';

/** Who a way of signing in says somebody is. */
export interface Identity {
  /** The way: github, owner, review, dev. */
  readonly provider: string;
  /** Never changes at the provider, unlike a name. */
  readonly subject: string;
  /** For people. */
  readonly name: string;
}

export interface User {
  readonly id: string;
  readonly name: string;
  readonly suspended: boolean;
  /** Whether one of the user's agents serves more than the viewer tools. */
  readonly hasFullAgents: boolean;
}

const SESSION_MS = 7 * 24 * 60 * 60_000;
const COLUMNS = `u.id, u.name, u.status,
  EXISTS (SELECT 1 FROM relay_agents a WHERE a.user_id = u.id AND a.kind = 'full') AS full`;

/** Users, and the browsers that are signed in as them. */
export class Users {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** The user of an identity, made at the first sign-in. */
  async signedIn(
    identity: Identity,
    nowMs: number,
  ): Promise<{ readonly id: string; readonly suspended: boolean }> {
    const row = await this.#sql.first(
      `INSERT INTO relay_users (id, provider, subject, name, status, created_ms, used_ms)
       VALUES (?1, ?2, ?3, ?4, 'active', ?5, ?5)
       ON CONFLICT (provider, subject) DO UPDATE SET name = ?4, used_ms = ?5 RETURNING id, status`,
      randomToken(systemRandom, 'user_').slice(0, 27),
      identity.provider,
      identity.subject,
      identity.name.slice(0, 120),
      nowMs,
    );
    if (row === undefined) throw new Error('an upsert with RETURNING gave no row');
    return { id: text(row, 'id'), suspended: row['status'] !== 'active' };
  }

  async get(id: string): Promise<User | undefined> {
    const row = await this.#sql.first(`SELECT ${COLUMNS} FROM relay_users u WHERE u.id = ?1`, id);
    return row && userOf(row);
  }

  /** @returns the cookie of a new session */
  async openSession(
    userId: string,
    nowMs: number,
  ): Promise<{ readonly token: string; readonly maxAgeMs: number }> {
    const token = randomToken(systemRandom);
    await this.#sql.batch([
      ['DELETE FROM relay_sessions WHERE expires_ms <= ?1', nowMs],
      ['INSERT INTO relay_sessions VALUES (?1, ?2, ?3)', await sha256(token), userId, nowMs + SESSION_MS],
    ]);
    return { token, maxAgeMs: SESSION_MS };
  }

  /** The user that a session's cookie stands for; a suspended one is nobody. */
  async ofSession(token: string, nowMs: number): Promise<User | undefined> {
    const row = await this.#sql.first(
      `SELECT ${COLUMNS} FROM relay_sessions s JOIN relay_users u ON u.id = s.user_id
       WHERE s.hash = ?1 AND s.expires_ms > ?2 AND u.status = 'active'`,
      await sha256(token),
      nowMs,
    );
    return row && userOf(row);
  }

  async closeSession(token: string): Promise<void> {
    await this.#sql.batch([['DELETE FROM relay_sessions WHERE hash = ?1', await sha256(token)]]);
  }

  /**
   * Suspends a user or takes it back. A suspended user loses the browser sessions here; MCP requests and the hello of
   * agents look at the status itself.
   * @returns false when there is no such user
   */
  async setSuspended(id: string, suspended: boolean): Promise<boolean> {
    const row = await this.#sql.first(
      'UPDATE relay_users SET status = ?2 WHERE id = ?1 RETURNING id',
      id,
      suspended ? 'suspended' : 'active',
    );
    if (suspended) await this.#sql.batch([['DELETE FROM relay_sessions WHERE user_id = ?1', id]]);
    return row !== undefined;
  }

  /** Everybody, for the operator; the latest sign-in first. */
  async list(): Promise<
    { readonly id: string; readonly provider: string; readonly name: string; readonly suspended: boolean }[]
  > {
    const rows = await this.#sql.all(
      'SELECT id, provider, name, status FROM relay_users ORDER BY used_ms DESC, id LIMIT 1000',
    );
    return rows.map((row) => ({
      id: text(row, 'id'),
      provider: text(row, 'provider'),
      name: text(row, 'name'),
      suspended: row['status'] !== 'active',
    }));
  }
}

function userOf(row: SqlRow): User {
  return {
    id: text(row, 'id'),
    name: text(row, 'name'),
    suspended: row['status'] !== 'active',
    hasFullAgents: row['full'] === 1,
  };
}
