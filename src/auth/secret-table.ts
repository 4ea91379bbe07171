import { type Sql, text } from './sql.ts';

/** Secrets that have to be shown again. */
export class SecretTable {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async get(name: string): Promise<string | undefined> {
    const row = await this.#sql.first('SELECT value FROM auth_secrets WHERE name = ?1', name);
    return row === undefined ? undefined : text(row, 'value');
  }

  /** Keeps the secret that is there, when there is one. @returns the one that counts */
  async getOr(name: string, fresh: string): Promise<string> {
    await this.#sql.batch([['INSERT INTO auth_secrets VALUES (?1, ?2) ON CONFLICT DO NOTHING', name, fresh]]);
    return (await this.get(name)) ?? fresh;
  }

  async replace(name: string, fresh: string): Promise<void> {
    await this.#sql.batch([
      ['INSERT INTO auth_secrets VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2', name, fresh],
    ]);
  }
}
