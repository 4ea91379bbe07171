import { type Sql, text } from './sql.ts';

/** Registrations that nobody has let in yet; the oldest of them makes room once it is ten minutes old. */
const MAX_UNUSED_CLIENTS = 200;
const UNUSED_CLIENT_GRACE_MS = 10 * 60_000;

export interface StoredClient {
  readonly id: string;
  readonly issuer: string;
  readonly name: string;
  readonly redirectUris: readonly string[];
}

/** Clients that registered themselves. */
export class ClientTable {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** @returns false when too many registrations wait for their first sign-in */
  async add(client: StoredClient, nowMs: number): Promise<boolean> {
    await this.#sql.batch([
      [
        `DELETE FROM auth_clients WHERE id IN (
           SELECT id FROM auth_clients WHERE used_ms IS NULL AND created_ms <= ?1
             AND (SELECT COUNT(*) FROM auth_clients WHERE used_ms IS NULL) >= ?2
           ORDER BY created_ms LIMIT 1)`,
        nowMs - UNUSED_CLIENT_GRACE_MS,
        MAX_UNUSED_CLIENTS,
      ],
    ]);
    const added = await this.#sql.first(
      `INSERT INTO auth_clients (id, issuer, name, redirect_uris, created_ms)
         SELECT ?1, ?2, ?3, ?4, ?5 WHERE (SELECT COUNT(*) FROM auth_clients WHERE used_ms IS NULL) < ?6
       RETURNING id`,
      client.id,
      client.issuer,
      client.name,
      JSON.stringify(client.redirectUris),
      nowMs,
      MAX_UNUSED_CLIENTS,
    );
    return added !== undefined;
  }

  /** A registered client; one that registered under another issuer is unknown. */
  async get(id: string, issuer: string): Promise<StoredClient | undefined> {
    const row = await this.#sql.first('SELECT * FROM auth_clients WHERE id = ?1 AND issuer = ?2', id, issuer);
    if (row === undefined) return undefined;
    const redirectUris = JSON.parse(text(row, 'redirect_uris')) as string[]; // written by add
    return { id, issuer, name: text(row, 'name'), redirectUris };
  }
}
