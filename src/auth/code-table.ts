import type { AccessMode } from '../workspace/index.ts';
import { isAccessMode } from './access-modes.ts';
import { type Sql, type SqlRow, text } from './sql.ts';

/** What a code or a token stands for. */
export interface Authorization {
  /** Whose resources these are; one owner here, a user of the relay there. */
  readonly subject: string;
  readonly clientId: string;
  readonly clientName: string;
  readonly issuer: string;
  readonly resource: string;
  readonly scope: string;
  readonly access: AccessMode;
}

export interface CodeRow extends Authorization {
  readonly redirectUri: string;
  readonly codeChallenge: string;
  readonly expiresMs: number;
  readonly grantId: string | undefined;
  readonly usedMs: number | undefined;
}

/** Authorization codes, between the redirect to the client and the client's visit to the token endpoint. */
export class CodeTable {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async add(hash: string, code: Omit<CodeRow, 'grantId' | 'usedMs'>): Promise<void> {
    await this.#sql.batch([
      [
        `INSERT INTO auth_codes (hash, subject, client_id, client_name, redirect_uri, code_challenge, issuer,
           resource, scope, access, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)`,
        hash,
        code.subject,
        code.clientId,
        code.clientName,
        code.redirectUri,
        code.codeChallenge,
        code.issuer,
        code.resource,
        code.scope,
        code.access,
        code.expiresMs,
      ],
    ]);
  }

  async get(hash: string): Promise<CodeRow | undefined> {
    const row = await this.#sql.first('SELECT * FROM auth_codes WHERE hash = ?1', hash);
    if (row === undefined) return undefined;
    return {
      ...authorizationOf(row),
      redirectUri: text(row, 'redirect_uri'),
      codeChallenge: text(row, 'code_challenge'),
      expiresMs: Number(row['expires_ms']),
      grantId: row['grant_id'] === null ? undefined : text(row, 'grant_id'),
      usedMs: row['used_ms'] === null ? undefined : Number(row['used_ms']),
    };
  }

  /**
   * Uses a code for a grant.
   * @returns true for exactly one caller, however many try at once
   */
  async claim(hash: string, grantId: string, nowMs: number): Promise<boolean> {
    const claimed = await this.#sql.first(
      `UPDATE auth_codes SET grant_id = ?2, used_ms = ?3 WHERE hash = ?1 AND grant_id IS NULL AND expires_ms > ?3
       RETURNING hash`,
      hash,
      grantId,
      nowMs,
    );
    return claimed !== undefined;
  }
}

/** What a row of codes or of grants stands for. */
export function authorizationOf(row: SqlRow): Authorization {
  const access = row['access'];
  return {
    subject: text(row, 'subject'),
    clientId: text(row, 'client_id'),
    clientName: text(row, 'client_name'),
    issuer: text(row, 'issuer'),
    resource: text(row, 'resource'),
    scope: text(row, 'scope'),
    access: isAccessMode(access) ? access : 'read-only', // a mode that this version does not know
  };
}
