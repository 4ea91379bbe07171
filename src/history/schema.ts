import type { DatabaseSync } from 'node:sqlite';

/**
 * `owner` is set while the change is under way (ownOwnerId) and while a checkpoint is being removed (GONE); finished
 * checkpoints have none. `refs` counts the entries that hold a blob, `bytes` what all blobs take on the disk.
 */
const TABLES = `
CREATE TABLE IF NOT EXISTS checkpoints (
  id INTEGER PRIMARY KEY AUTOINCREMENT, tool TEXT NOT NULL, conversation TEXT, at_ms INTEGER NOT NULL,
  root TEXT NOT NULL, owner TEXT, restores INTEGER, redone INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX IF NOT EXISTS checkpoints_unfinished ON checkpoints (owner) WHERE owner IS NOT NULL;
CREATE INDEX IF NOT EXISTS checkpoints_restores ON checkpoints (id) WHERE restores IS NOT NULL AND redone = 0;
CREATE TABLE IF NOT EXISTS checkpoint_files (
  checkpoint INTEGER NOT NULL, path TEXT NOT NULL,
  before_type TEXT NOT NULL, before_value TEXT, before_size INTEGER, before_mode INTEGER,
  after_type TEXT, after_value TEXT, after_size INTEGER, after_mode INTEGER, after_stored INTEGER NOT NULL,
  PRIMARY KEY (checkpoint, path)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS checkpoint_files_by_path ON checkpoint_files (path, checkpoint);
CREATE TABLE IF NOT EXISTS blobs (
  sha256 TEXT PRIMARY KEY, disk_bytes INTEGER NOT NULL, refs INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blob_usage (id INTEGER PRIMARY KEY CHECK (id = 1), bytes INTEGER NOT NULL) STRICT;
INSERT OR IGNORE INTO blob_usage VALUES (1, 0);
`;

export function createTables(database: DatabaseSync): void {
  database.exec(TABLES);
}
