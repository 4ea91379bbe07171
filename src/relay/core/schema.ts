import type { SqlStatement } from '../../auth/index.ts';

/**
 * `relay_users`: who signed in; `status` is active or suspended.
 * `relay_sessions`: browsers that are signed in; the cookie as SHA-256.
 * `relay_pairings`: pairing codes as SHA-256; one is burnt when `agent_id` is set.
 * `relay_agents`: paired machines; the credential as SHA-256. `tools`: what a full agent lists, as JSON.
 * `relay_workspaces`: `workspace_id` is the agent's own id, `public_id` the one that callers use; they differ only
 * where two agents of a user have the same. The key begins with the user: nobody's row can be written by another.
 * `relay_owner_codes`: codes that sign the owner of a self-hosted relay in, as SHA-256.
 * `relay_limits`: counters of what is limited per span of time.
 */
export const RELAY_TABLES: readonly SqlStatement[] = [
  [
    `CREATE TABLE IF NOT EXISTS relay_users (
      id TEXT PRIMARY KEY, provider TEXT NOT NULL, subject TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL,
      created_ms INTEGER NOT NULL, used_ms INTEGER NOT NULL, UNIQUE (provider, subject)) STRICT, WITHOUT ROWID`,
  ],
  [
    `CREATE TABLE IF NOT EXISTS relay_sessions (
      hash TEXT PRIMARY KEY, user_id TEXT NOT NULL, expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
  ],
  [
    `CREATE TABLE IF NOT EXISTS relay_pairings (
      hash TEXT PRIMARY KEY, user_id TEXT NOT NULL, display_name TEXT, created_ms INTEGER NOT NULL,
      expires_ms INTEGER NOT NULL, agent_id TEXT) STRICT, WITHOUT ROWID`,
  ],
  ['CREATE INDEX IF NOT EXISTS relay_pairings_by_user ON relay_pairings (user_id, created_ms)'],
  [
    `CREATE TABLE IF NOT EXISTS relay_agents (
      id TEXT PRIMARY KEY, user_id TEXT NOT NULL, token_hash TEXT NOT NULL UNIQUE, display_name TEXT NOT NULL,
      kind TEXT NOT NULL, access TEXT, tools TEXT, version TEXT, created_ms INTEGER NOT NULL, connected_ms INTEGER,
      used_ms INTEGER) STRICT, WITHOUT ROWID`,
  ],
  ['CREATE INDEX IF NOT EXISTS relay_agents_by_user ON relay_agents (user_id, created_ms)'],
  [
    `CREATE TABLE IF NOT EXISTS relay_workspaces (
      user_id TEXT NOT NULL, public_id TEXT NOT NULL, agent_id TEXT NOT NULL, workspace_id TEXT NOT NULL,
      display_name TEXT NOT NULL, languages TEXT NOT NULL, PRIMARY KEY (user_id, public_id),
      UNIQUE (user_id, agent_id, workspace_id)) STRICT, WITHOUT ROWID`,
  ],
  [
    'CREATE TABLE IF NOT EXISTS relay_owner_codes (hash TEXT PRIMARY KEY, expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID',
  ],
  [
    `CREATE TABLE IF NOT EXISTS relay_limits (
      key TEXT PRIMARY KEY, started_ms INTEGER NOT NULL, count INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
  ],
];
