import { join } from 'node:path';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { openDatabase } from '../runtime/sqlite.ts';
import { followMove } from './moved.ts';
import { entryOf, headOf, prefixRange, stateColumns } from './rows.ts';
import { createTables } from './schema.ts';
import type { CheckpointHead, EntryState, RecordedEntry } from './types.ts';

/** Owner of a checkpoint that is being removed piece by piece. */
export const GONE = 'gone';
/** Entries removed in one transaction: other instances wait meanwhile. */
const REMOVED_AT_ONCE = 200;
const BLOCK_BYTES = 4096;

/** A content that an entry holds; its place among the blobs is taken into account when it is the first. */
export interface BlobRef {
  readonly sha256: string;
  readonly storedBytes: number;
}

/** Takes a blob out of its place at once and returns what puts it back. Called inside of a transaction. */
export type MoveToTrash = (sha256: string) => () => void;

/**
 * The index of the history in the state database, which several instances share. node:sqlite is synchronous, so every
 * transaction here is a handful of statements on indexed rows (20 µs for a change of one file).
 */
export class Store {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #moveToTrash: MoveToTrash;
  /** Blobs that nothing refers to any more once the present transaction is done. */
  #unheld: string[] = [];

  readonly #onForeignChange: () => void;
  #dataVersion = -1;

  private constructor(database: DatabaseSync, moveToTrash: MoveToTrash, onForeignChange: () => void) {
    this.#database = database;
    this.#moveToTrash = moveToTrash;
    this.#onForeignChange = onForeignChange;
  }

  /** @param onForeignChange called at the beginning of a transaction when another instance wrote since the last one */
  static async open(stateDir: string, moveToTrash: MoveToTrash, onForeignChange: () => void): Promise<Store> {
    const database = await openDatabase(join(stateDir, 'state.db'));
    createTables(database);
    await followMove(database, stateDir);
    return new Store(database, moveToTrash, onForeignChange);
  }

  close(): void {
    this.#database.close();
  }

  /** Runs statements as one transaction; holds the write lock from the beginning, so that what it reads stays true. */
  transaction<T>(act: () => T): T {
    this.#run('BEGIN IMMEDIATE');
    const putBack: (() => void)[] = [];
    this.#unheld = [];
    const dataVersion = this.#number('SELECT data_version AS n FROM pragma_data_version');
    if (dataVersion !== this.#dataVersion) this.#onForeignChange();
    this.#dataVersion = dataVersion;
    try {
      const result = act();
      for (const sha256 of this.#unheld) putBack.push(this.#moveToTrash(sha256));
      this.#run('COMMIT');
      return result;
    } catch (error) {
      for (const back of putBack) back();
      if (this.#database.isTransaction) this.#run('ROLLBACK');
      throw error;
    }
  }

  addCheckpoint(head: Omit<CheckpointHead, 'id'>, owner: string): number {
    const { lastInsertRowid } = this.#run(
      'INSERT INTO checkpoints (tool, conversation, at_ms, root, owner, restores) VALUES (?, ?, ?, ?, ?, ?)',
      head.tool,
      head.conversation ?? null,
      head.atMs,
      head.root,
      owner,
      head.restores ?? null,
    );
    return Number(lastInsertRowid);
  }

  setOwner(checkpoint: number, owner: string | null): void {
    this.#run('UPDATE checkpoints SET owner = ? WHERE id = ?', owner, checkpoint);
  }

  /** @returns false when somebody else has taken it over meanwhile */
  claim(checkpoint: number, from: string, to: string): boolean {
    return (
      Number(
        this.#run('UPDATE checkpoints SET owner = ? WHERE id = ? AND owner = ?', to, checkpoint, from)
          .changes,
      ) > 0
    );
  }

  removeHead(checkpoint: number): void {
    this.#run('DELETE FROM checkpoints WHERE id = ?', checkpoint);
  }

  /** Adds an entry or replaces that of the same path, with the references to its contents. */
  putEntry(checkpoint: number, entry: RecordedEntry, blobs: readonly BlobRef[]): void {
    for (const blob of blobs) this.#hold(blob);
    this.removeEntry(checkpoint, entry.path);
    this.#run(
      'INSERT INTO checkpoint_files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      checkpoint,
      entry.path,
      ...stateColumns(entry.before),
      ...stateColumns(entry.after),
      entry.afterStored ? 1 : 0,
    );
  }

  /** Removes an entry and what it alone held. */
  removeEntry(checkpoint: number, path: string): void {
    const row = this.#get(
      'DELETE FROM checkpoint_files WHERE checkpoint = ? AND path = ? RETURNING *',
      checkpoint,
      path,
    );
    if (row) this.#releaseContents(entryOf(row));
  }

  /**
   * Sets what the change came to; the content kept beforehand is let go when it is another one.
   * @returns whether the content after the change is kept
   */
  setAfter(checkpoint: number, entry: RecordedEntry, after: EntryState): boolean {
    const kept = entry.afterStored && entry.after?.type === 'file' ? entry.after.sha256 : undefined;
    const same = kept !== undefined && after.type === 'file' && after.sha256 === kept;
    if (kept !== undefined && !same) this.#release(kept);
    this.#run(
      'UPDATE checkpoint_files SET after_type = ?, after_value = ?, after_size = ?, after_mode = ?, after_stored = ? WHERE checkpoint = ? AND path = ?',
      ...stateColumns(after),
      same ? 1 : 0,
      checkpoint,
      entry.path,
    );
    return same;
  }

  entries(checkpoint: number): RecordedEntry[] {
    return this.#all('SELECT * FROM checkpoint_files WHERE checkpoint = ? ORDER BY path', checkpoint).map(
      entryOf,
    );
  }

  firstEntries(checkpoint: number, limit: number): { entries: RecordedEntry[]; total: number } {
    const rows = this.#all(
      'SELECT * FROM checkpoint_files WHERE checkpoint = ? ORDER BY path LIMIT ?',
      checkpoint,
      limit + 1,
    );
    const entries = rows.slice(0, limit).map(entryOf);
    if (rows.length <= limit) return { entries, total: rows.length };
    return {
      entries,
      total: this.#number('SELECT COUNT(*) AS n FROM checkpoint_files WHERE checkpoint = ?', checkpoint),
    };
  }

  /** The last finished change of a path. */
  newestEntry(path: string): { checkpoint: number; entry: RecordedEntry } | undefined {
    const row = this.#get(
      'SELECT f.* FROM checkpoint_files f JOIN checkpoints c ON c.id = f.checkpoint WHERE f.path = ? AND c.owner IS NULL ORDER BY f.checkpoint DESC LIMIT 1',
      path,
    );
    return row && { checkpoint: Number(row['checkpoint']), entry: entryOf(row) };
  }

  /** Finished checkpoints that changed a path after a given one, oldest first. */
  laterCheckpoints(path: string, than: number): number[] {
    const rows = this.#all(
      'SELECT f.checkpoint FROM checkpoint_files f JOIN checkpoints c ON c.id = f.checkpoint WHERE f.path = ? AND f.checkpoint > ? AND c.owner IS NULL ORDER BY f.checkpoint',
      path,
      than,
    );
    return rows.map((row) => Number(row['checkpoint']));
  }

  /** A finished checkpoint. */
  head(checkpoint: number): CheckpointHead | undefined {
    const row = this.#get('SELECT * FROM checkpoints WHERE id = ? AND owner IS NULL', checkpoint);
    return row && headOf(row);
  }

  /**
   * Finished checkpoints made by an instance that served one of the roots, or with a file below one, newest first.
   * @param before only those with a smaller id
   */
  heads(roots: readonly string[], before: number | undefined, limit: number): CheckpointHead[] {
    const below = roots.map(() => '(f.path >= ? AND f.path < ?)').join(' OR ');
    const marks = roots.map(() => '?').join(', ');
    return this.#all(
      `SELECT c.* FROM checkpoints c WHERE c.owner IS NULL AND c.id < ? AND (c.root IN (${marks}) OR EXISTS (
         SELECT 1 FROM checkpoint_files f WHERE f.checkpoint = c.id AND (${below}))) ORDER BY c.id DESC LIMIT ?`,
      before ?? Number.MAX_SAFE_INTEGER,
      ...roots,
      // Everything below /a begins with "/a/" (or "\"); "0" and "]" are the characters after these two.
      ...roots.flatMap((root) => prefixRange(root)),
      limit,
    ).map(headOf);
  }

  /** Finished checkpoints that changed a path, newest first. */
  headsOfPath(path: string, before: number | undefined, limit: number): CheckpointHead[] {
    return this.#all(
      `SELECT c.* FROM checkpoint_files f JOIN checkpoints c ON c.id = f.checkpoint
       WHERE f.path = ? AND f.checkpoint < ? AND c.owner IS NULL ORDER BY f.checkpoint DESC LIMIT ?`,
      path,
      before ?? Number.MAX_SAFE_INTEGER,
      limit,
    ).map(headOf);
  }

  /**
   * The newest finished change of the roots that no restore has taken back, restores themselves left out. A restore
   * takes back its checkpoint and what was changed in the same files between the two.
   */
  newestStanding(roots: readonly string[], limit: number): CheckpointHead[] {
    const below = roots.map(() => '(f.path >= ? AND f.path < ?)').join(' OR ');
    return this.#all(
      `SELECT c.* FROM checkpoints c WHERE c.owner IS NULL AND c.restores IS NULL AND EXISTS (
         SELECT 1 FROM checkpoint_files f WHERE f.checkpoint = c.id AND (${below}))
       AND NOT EXISTS (SELECT 1 FROM checkpoints r
         JOIN checkpoint_files x ON x.checkpoint = r.restores
         JOIN checkpoint_files y ON y.path = x.path AND y.checkpoint = c.id
         WHERE r.restores <= c.id AND r.id > c.id AND r.redone = 0 AND r.owner IS NULL)
       ORDER BY c.id DESC LIMIT ?`,
      ...roots.flatMap((root) => prefixRange(root)),
      limit,
    ).map(headOf);
  }

  /** Restores that were not taken back, newest first. */
  restores(limit: number): CheckpointHead[] {
    return this.#all(
      'SELECT * FROM checkpoints WHERE restores IS NOT NULL AND redone = 0 AND owner IS NULL ORDER BY id DESC LIMIT ?',
      limit,
    ).map(headOf);
  }

  markRedone(checkpoint: number): void {
    this.#run('UPDATE checkpoints SET redone = 1 WHERE id = ?', checkpoint);
  }

  unfinished(): { id: number; owner: string; atMs: number }[] {
    return this.#all('SELECT id, owner, at_ms FROM checkpoints WHERE owner IS NOT NULL ORDER BY id').map(
      (row) => ({
        id: Number(row['id']),
        owner: String(row['owner']),
        atMs: Number(row['at_ms']),
      }),
    );
  }

  /** Who else has a change of this path under way; an owner may be dead. */
  underWayByOthers(path: string, own: string): { owner: string; atMs: number } | undefined {
    const row = this.#get(
      // CROSS: from the few that are unfinished to their files, not from the many changes of one file.
      `SELECT c.owner, c.at_ms FROM checkpoints c CROSS JOIN checkpoint_files f ON f.checkpoint = c.id
       WHERE c.owner IS NOT NULL AND c.owner NOT IN (?, ?) AND f.path = ? LIMIT 1`,
      own,
      GONE,
      path,
    );
    return row && { owner: String(row['owner']), atMs: Number(row['at_ms']) };
  }

  usage(): { bytes: number; checkpoints: number; oldestMs: number | undefined } {
    const row = this.#get('SELECT COUNT(*) AS n, MIN(at_ms) AS oldest FROM checkpoints WHERE owner IS NULL');
    const oldest = row?.['oldest'];
    return {
      bytes: this.usedBytes(),
      checkpoints: Number(row?.['n'] ?? 0),
      oldestMs: oldest === null || oldest === undefined ? undefined : Number(oldest),
    };
  }

  /** What all blobs take on the disk. */
  usedBytes(): number {
    return this.#number('SELECT bytes AS n FROM blob_usage');
  }

  /**
   * The oldest checkpoint after `from` that may be removed for space: for none of its files is it the last one.
   * @param beforeMs only older ones; undefined: of any age
   * @param evenNewest also where it is a file's last one
   */
  removable(from: number, beforeMs: number | undefined, evenNewest: boolean): number | undefined {
    const newest = evenNewest
      ? ''
      : `AND NOT EXISTS (SELECT 1 FROM checkpoint_files f WHERE f.checkpoint = c.id AND NOT EXISTS (
           SELECT 1 FROM checkpoint_files g WHERE g.path = f.path AND g.checkpoint > f.checkpoint))`;
    const row = this.#get(
      `SELECT id FROM checkpoints c WHERE id > ? AND at_ms < ? AND owner IS NULL ${newest} ORDER BY id LIMIT 1`,
      from,
      beforeMs ?? Number.MAX_SAFE_INTEGER,
    );
    return row && Number(row['id']);
  }

  /** Removes a part of a checkpoint that was marked GONE, and in the end itself; true when it is gone. */
  removeSome(checkpoint: number): boolean {
    return this.transaction(() => {
      const { entries } = this.firstEntries(checkpoint, REMOVED_AT_ONCE);
      for (const { path } of entries) this.removeEntry(checkpoint, path);
      if (entries.length === REMOVED_AT_ONCE) return false;
      this.removeHead(checkpoint);
      return true;
    });
  }

  #hold({ sha256, storedBytes }: BlobRef): void {
    const bytes = Math.max(1, Math.ceil(storedBytes / BLOCK_BYTES)) * BLOCK_BYTES;
    const row = this.#get(
      'INSERT INTO blobs VALUES (?, ?, 1) ON CONFLICT (sha256) DO UPDATE SET refs = refs + 1 RETURNING refs',
      sha256,
      bytes,
    );
    if (Number(row?.['refs']) !== 1) return;
    this.#unheld = this.#unheld.filter((each) => each !== sha256);
    this.#run('UPDATE blob_usage SET bytes = bytes + ?', bytes);
  }

  #releaseContents({ before, after, afterStored }: RecordedEntry): void {
    if (before.type === 'file') this.#release(before.sha256);
    if (afterStored && after?.type === 'file') this.#release(after.sha256);
  }

  #release(sha256: string): void {
    const row = this.#get(
      'UPDATE blobs SET refs = refs - 1 WHERE sha256 = ? RETURNING refs, disk_bytes',
      sha256,
    );
    if (!row || Number(row['refs']) > 0) return;
    this.#run('DELETE FROM blobs WHERE sha256 = ?', sha256);
    this.#run('UPDATE blob_usage SET bytes = bytes - ?', row['disk_bytes'] as number);
    this.#unheld.push(sha256);
  }

  #run(sql: string, ...values: SQLInputValue[]) {
    return this.#statement(sql).run(...values);
  }

  #get(sql: string, ...values: SQLInputValue[]): Record<string, unknown> | undefined {
    return this.#statement(sql).get(...values);
  }

  #all(sql: string, ...values: SQLInputValue[]): Record<string, unknown>[] {
    return this.#statement(sql).all(...values);
  }

  #number(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#get(sql, ...values)?.['n'] ?? 0);
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
