-- Tables of the relay and of its authorization server (src/relay/core/schema.ts, src/auth/schema.ts).
CREATE TABLE IF NOT EXISTS relay_users ( id TEXT PRIMARY KEY, provider TEXT NOT NULL, subject TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL, created_ms INTEGER NOT NULL, used_ms INTEGER NOT NULL, UNIQUE (provider, subject)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS relay_sessions ( hash TEXT PRIMARY KEY, user_id TEXT NOT NULL, expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS relay_pairings ( hash TEXT PRIMARY KEY, user_id TEXT NOT NULL, display_name TEXT, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, agent_id TEXT) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS relay_pairings_by_user ON relay_pairings (user_id, created_ms);
CREATE TABLE IF NOT EXISTS relay_agents ( id TEXT PRIMARY KEY, user_id TEXT NOT NULL, token_hash TEXT NOT NULL UNIQUE, display_name TEXT NOT NULL, kind TEXT NOT NULL, access TEXT, tools TEXT, version TEXT, created_ms INTEGER NOT NULL, connected_ms INTEGER, used_ms INTEGER) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS relay_agents_by_user ON relay_agents (user_id, created_ms);
CREATE TABLE IF NOT EXISTS relay_workspaces ( user_id TEXT NOT NULL, public_id TEXT NOT NULL, agent_id TEXT NOT NULL, workspace_id TEXT NOT NULL, display_name TEXT NOT NULL, languages TEXT NOT NULL, PRIMARY KEY (user_id, public_id), UNIQUE (user_id, agent_id, workspace_id)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS relay_owner_codes (hash TEXT PRIMARY KEY, expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS relay_limits ( key TEXT PRIMARY KEY, started_ms INTEGER NOT NULL, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS auth_clients ( id TEXT PRIMARY KEY, issuer TEXT NOT NULL, name TEXT NOT NULL, redirect_uris TEXT NOT NULL, created_ms INTEGER NOT NULL, used_ms INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS auth_codes ( hash TEXT PRIMARY KEY, subject TEXT NOT NULL, client_id TEXT NOT NULL, client_name TEXT NOT NULL, redirect_uri TEXT NOT NULL, code_challenge TEXT NOT NULL, issuer TEXT NOT NULL, resource TEXT NOT NULL, scope TEXT NOT NULL, access TEXT NOT NULL, expires_ms INTEGER NOT NULL, grant_id TEXT, used_ms INTEGER ) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS auth_grants ( id TEXT PRIMARY KEY, subject TEXT NOT NULL, client_id TEXT NOT NULL, client_name TEXT NOT NULL, redirect_host TEXT NOT NULL, issuer TEXT NOT NULL, resource TEXT NOT NULL, scope TEXT NOT NULL, access TEXT NOT NULL, current_refresh TEXT NOT NULL, created_ms INTEGER NOT NULL, used_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS auth_tokens ( hash TEXT PRIMARY KEY, grant_id TEXT NOT NULL, kind TEXT NOT NULL, parent TEXT, issued_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS auth_tokens_by_grant ON auth_tokens (grant_id, kind, issued_ms);
CREATE TABLE IF NOT EXISTS auth_decisions ( reference_hash TEXT PRIMARY KEY, allowed INTEGER NOT NULL, access TEXT, expires_ms INTEGER NOT NULL ) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS auth_secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
