import { type Authorization, authorizationOf } from './code-table.ts';
import { type Sql, type SqlRow, type SqlStatement, text } from './sql.ts';

export const ACCESS_TOKEN_MS = 60 * 60_000;
export const REFRESH_TOKEN_MS = 30 * 24 * 60 * 60_000;
/** Tokens of one grant that are valid at once, apart from spent refresh tokens; the oldest make room. */
const MAX_LIVE_TOKENS = 32;
/** How exactly a grant's last use is known: spares a write per call. */
const USE_RESOLUTION_MS = 60_000;

export interface Grant extends Authorization {
  /** Short, shown to the owner, no secret. */
  readonly id: string;
  readonly redirectHost: string;
  readonly createdMs: number;
  readonly usedMs: number;
  readonly expiresMs: number;
}

export interface TokenHashes {
  readonly access: string;
  readonly refresh: string;
}

/** What the owner allowed, and the tokens of it. */
export class GrantTable {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Writes what the owner allowed, with its first two tokens. */
  async add(
    grant: Authorization & { readonly id: string; readonly redirectHost: string },
    tokens: TokenHashes,
    nowMs: number,
  ): Promise<void> {
    await this.#sql.batch([
      [
        `INSERT INTO auth_grants (id, subject, client_id, client_name, redirect_host, issuer, resource, scope, access,
           current_refresh, created_ms, used_ms, expires_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, ?12)`,
        grant.id,
        grant.subject,
        grant.clientId,
        grant.clientName,
        grant.redirectHost,
        grant.issuer,
        grant.resource,
        grant.scope,
        grant.access,
        tokens.refresh,
        nowMs,
        nowMs + REFRESH_TOKEN_MS,
      ],
      ...newTokens(grant.id, tokens, null, nowMs),
      ['UPDATE auth_clients SET used_ms = ?2 WHERE id = ?1', grant.clientId, nowMs],
    ]);
  }

  /** The grant of a live access token of this issuer and resource. */
  async byAccessToken(
    hash: string,
    at: { readonly issuer: string; readonly resource: string; readonly nowMs: number },
  ): Promise<Grant | undefined> {
    const row = await this.#sql.first(
      `SELECT g.* FROM auth_tokens t JOIN auth_grants g ON g.id = t.grant_id
       WHERE t.hash = ?1 AND t.kind = 'access' AND t.expires_ms > ?2 AND g.issuer = ?3 AND g.resource = ?4`,
      hash,
      at.nowMs,
      at.issuer,
      at.resource,
    );
    if (row === undefined) return undefined;
    if (Number(row['used_ms']) < at.nowMs - USE_RESOLUTION_MS) {
      await this.#sql.batch([
        ['UPDATE auth_grants SET used_ms = ?2 WHERE id = ?1', text(row, 'id'), at.nowMs],
      ]);
    }
    return grantOf(row);
  }

  /** The grant of a token of either kind, live or spent, with what a refresh needs to know. */
  async byToken(
    hash: string,
  ): Promise<
    { readonly grant: Grant; readonly kind: 'access' | 'refresh'; readonly expiresMs: number } | undefined
  > {
    const row = await this.#sql.first(
      `SELECT g.*, t.kind AS kind, t.expires_ms AS token_expires_ms
       FROM auth_tokens t JOIN auth_grants g ON g.id = t.grant_id WHERE t.hash = ?1`,
      hash,
    );
    if (row === undefined) return undefined;
    const kind = row['kind'] === 'access' ? 'access' : 'refresh';
    return { grant: grantOf(row), kind, expiresMs: Number(row['token_expires_ms']) };
  }

  /**
   * Trades a refresh token for new tokens. A grant remembers the refresh token that was used last. That one may be
   * used again (the answer can have got lost), and each of its children may be used, which makes the child the last
   * used one: from then on its parent and its siblings are spent. One statement decides.
   * @returns false when the token is spent, which means that two parties hold it
   */
  async rotate(grantId: string, used: string, tokens: TokenHashes, nowMs: number): Promise<boolean> {
    const current = await this.#sql.first(
      `UPDATE auth_grants SET current_refresh = ?2, used_ms = ?3, expires_ms = ?4
       WHERE id = ?1 AND current_refresh IN (?2, (SELECT parent FROM auth_tokens WHERE hash = ?2))
       RETURNING client_id`,
      grantId,
      used,
      nowMs,
      nowMs + REFRESH_TOKEN_MS,
    );
    if (current === undefined) return false;
    await this.#sql.batch([
      ...newTokens(grantId, tokens, used, nowMs),
      ...(['access', 'refresh'] as const).map(
        (kind): SqlStatement => [
          // Spent refresh tokens stay: their use has to be recognised.
          `DELETE FROM auth_tokens WHERE grant_id = ?1 AND kind = ?2 AND (?2 = 'access' OR parent = ?3)
             AND hash NOT IN (SELECT hash FROM auth_tokens WHERE grant_id = ?1 AND kind = ?2
                              ORDER BY issued_ms DESC, hash = ?4 DESC LIMIT ${MAX_LIVE_TOKENS})`,
          grantId,
          kind,
          used,
          tokens[kind],
        ],
      ),
      ['UPDATE auth_clients SET used_ms = ?2 WHERE id = ?1', text(current, 'client_id'), nowMs],
    ]);
    return true;
  }

  /** Ends a grant with all its tokens. @returns what it was, undefined when there is none of that id */
  async revoke(grantId: string): Promise<Grant | undefined> {
    const row = await this.#sql.first('DELETE FROM auth_grants WHERE id = ?1 RETURNING *', grantId);
    await this.#sql.batch([['DELETE FROM auth_tokens WHERE grant_id = ?1', grantId]]);
    return row === undefined ? undefined : grantOf(row);
  }

  /** The grants that can still be used, the latest use first. */
  async list(nowMs: number): Promise<Grant[]> {
    const rows = await this.#sql.all(
      'SELECT * FROM auth_grants WHERE expires_ms > ?1 ORDER BY used_ms DESC, id',
      nowMs,
    );
    return rows.map(grantOf);
  }
}

function newTokens(
  grantId: string,
  tokens: TokenHashes,
  parent: string | null,
  nowMs: number,
): SqlStatement[] {
  const insert = 'INSERT INTO auth_tokens VALUES (?1, ?2, ?3, ?4, ?5, ?6)';
  return [
    [insert, tokens.access, grantId, 'access', null, nowMs, nowMs + ACCESS_TOKEN_MS],
    [insert, tokens.refresh, grantId, 'refresh', parent, nowMs, nowMs + REFRESH_TOKEN_MS],
  ];
}

function grantOf(row: SqlRow): Grant {
  return {
    ...authorizationOf(row),
    id: text(row, 'id'),
    redirectHost: text(row, 'redirect_host'),
    createdMs: Number(row['created_ms']),
    usedMs: Number(row['used_ms']),
    expiresMs: Number(row['expires_ms']),
  };
}
