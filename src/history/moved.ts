import { lstat } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { movedPath, portableFolder, separatorOf } from '../runtime/portable.ts';
import { prefixRange } from './rows.ts';

const TABLE =
  'CREATE TABLE IF NOT EXISTS portable_place (id INTEGER PRIMARY KEY CHECK (id = 1), path TEXT NOT NULL) STRICT';

/**
 * A stick comes back under another drive letter or mount point, and checkpoints name files by absolute paths. What lay
 * beside the data folder then, and lies there now and not in the old place any more, is entered under its new path.
 * Costs one look at a row where nothing moved.
 */
export async function followMove(database: DatabaseSync, stateDir: string): Promise<void> {
  if (portableFolder() !== stateDir) return;
  const now = dirname(stateDir);
  database.exec(TABLE);
  const then = database.prepare('SELECT path FROM portable_place').get()?.['path'];
  if (then === now) return;
  const moved = typeof then === 'string' ? await movedEntries(database, then, now) : [];
  const isGone = typeof then === 'string' && !(await isThere(join(then, basename(stateDir))));
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const entry of moved) rename(database, entry, join(now, entry.name));
    if (isGone) database.prepare('UPDATE checkpoints SET root = ? WHERE root = ?').run(now, then);
    database.prepare('INSERT OR REPLACE INTO portable_place VALUES (1, ?)').run(now);
    database.exec('COMMIT');
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

interface Moved {
  readonly name: string;
  readonly from: string;
}

/** The folders and files beside the data folder that checkpoints speak of and that moved along with it. */
async function movedEntries(database: DatabaseSync, then: string, now: string): Promise<Moved[]> {
  const separator = separatorOf(then);
  const prefix = prefixRange(then)[0];
  const names = new Set<string>();
  for (const [table, column] of [
    ['checkpoint_files', 'path'],
    ['checkpoints', 'root'],
  ]) {
    const rows = database
      .prepare(`SELECT DISTINCT ${column} AS path FROM ${table} WHERE ${column} >= ? AND ${column} < ?`)
      .iterate(...prefixRange(then));
    for (const row of rows) names.add(String(row['path']).slice(prefix.length).split(separator, 1)[0] ?? '');
  }
  const moved: Moved[] = [];
  for (const name of names) {
    const from = prefix + name;
    const to = movedPath(from, then, now);
    if (to !== undefined && name !== '' && !(await isThere(from)) && (await isThere(to)))
      moved.push({ name, from });
  }
  return moved;
}

function rename(database: DatabaseSync, { from }: Moved, to: string): void {
  const separator = separatorOf(from);
  for (const [table, column] of [
    ['checkpoint_files', 'path'],
    ['checkpoints', 'root'],
  ]) {
    database
      .prepare(
        `UPDATE OR IGNORE ${table} SET ${column} = ?1 || replace(substr(${column}, length(?2) + 1), ?3, ?4)
         WHERE ${column} = ?2 OR (${column} >= ?5 AND ${column} < ?6)`,
      )
      .run(to, from, separator, sep, ...prefixRange(from));
  }
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
