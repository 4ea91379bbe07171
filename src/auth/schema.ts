import type { SqlStatement } from './sql.ts';

/**
 * `auth_clients`: dynamic registrations; `used_ms` is set once the owner has let the client in.
 * `auth_codes`: a code is used when `grant_id` is set; used ones stay for a day so that a replay is recognised.
 * `auth_grants`: what the owner allowed; `current_refresh` is the refresh token that was used last (see rotate).
 * `auth_tokens`: access and refresh tokens, as SHA-256 only; `parent` is the refresh token that a refresh token
 * was got with.
 * `auth_decisions`: answers that the owner gave on this machine to a request that a browser waits for.
 * `auth_secrets`: the secret of `--auth url`. Plain, unlike everything else: `token show` has to print it, and who
 * can read this file (0600 in a 0700 folder) is the owner.
 */
export const TABLES: readonly SqlStatement[] = [
  [
    `CREATE TABLE IF NOT EXISTS auth_clients (
      id TEXT PRIMARY KEY, issuer TEXT NOT NULL, name TEXT NOT NULL, redirect_uris TEXT NOT NULL,
      created_ms INTEGER NOT NULL, used_ms INTEGER) STRICT, WITHOUT ROWID`,
  ],
  [
    `CREATE TABLE IF NOT EXISTS auth_codes (
      hash TEXT PRIMARY KEY, subject TEXT NOT NULL, client_id TEXT NOT NULL, client_name TEXT NOT NULL,
      redirect_uri TEXT NOT NULL, code_challenge TEXT NOT NULL, issuer TEXT NOT NULL, resource TEXT NOT NULL,
      scope TEXT NOT NULL, access TEXT NOT NULL, expires_ms INTEGER NOT NULL, grant_id TEXT, used_ms INTEGER
    ) STRICT, WITHOUT ROWID`,
  ],
  [
    `CREATE TABLE IF NOT EXISTS auth_grants (
      id TEXT PRIMARY KEY, subject TEXT NOT NULL, client_id TEXT NOT NULL, client_name TEXT NOT NULL,
      redirect_host TEXT NOT NULL, issuer TEXT NOT NULL, resource TEXT NOT NULL, scope TEXT NOT NULL,
      access TEXT NOT NULL, current_refresh TEXT NOT NULL, created_ms INTEGER NOT NULL, used_ms INTEGER NOT NULL,
      expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
  ],
  [
    `CREATE TABLE IF NOT EXISTS auth_tokens (
      hash TEXT PRIMARY KEY, grant_id TEXT NOT NULL, kind TEXT NOT NULL, parent TEXT, issued_ms INTEGER NOT NULL,
      expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
  ],
  ['CREATE INDEX IF NOT EXISTS auth_tokens_by_grant ON auth_tokens (grant_id, kind, issued_ms)'],
  [
    `CREATE TABLE IF NOT EXISTS auth_decisions (
      reference_hash TEXT PRIMARY KEY, allowed INTEGER NOT NULL, access TEXT, expires_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`,
  ],
  [
    'CREATE TABLE IF NOT EXISTS auth_secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID',
  ],
];
