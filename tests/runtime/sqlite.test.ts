import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { openDatabase } from '../../src/runtime/sqlite.ts';

const isWindows = process.platform === 'win32';
const run = promisify(execFile);
const SOURCE = new URL('../../src/runtime/sqlite.ts', import.meta.url).href;
const PROCESSES = 3;
const FILES = 60;

/** Opens every file at the moment at which the others open it, and puts its row into it. */
const OPENER = `
  import { openDatabase } from ${JSON.stringify(SOURCE)};
  const [folder, startMs] = process.argv.slice(1);
  for (let file = 0; file < ${FILES}; file++) {
    while (Date.now() < Number(startMs) + file * 20);
    const database = await openDatabase(folder + '/' + file + '.db');
    database.exec('CREATE TABLE IF NOT EXISTS openers (pid INTEGER)');
    database.prepare('INSERT INTO openers VALUES (?)').run(process.pid);
    database.close();
  }
`;

test('processes that open a new database at once all get it', { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lc-sqlite-'));
  try {
    const args = ['--input-type=module', '--eval', OPENER, folder, String(Date.now() + 700)];
    await Promise.all(Array.from({ length: PROCESSES }, () => run(process.execPath, args)));
    for (let file = 0; file < FILES; file++) {
      const database = await openDatabase(join(folder, `${file}.db`));
      assert.equal(database.prepare('SELECT count(*) AS count FROM openers').get()?.['count'], PROCESSES);
      assert.equal(database.prepare('PRAGMA journal_mode').get()?.['journal_mode'], 'wal');
      database.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('nobody else can read a new database, nor the log and the shared memory beside it', {
  skip: isWindows && 'no modes',
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lc-sqlite-'));
  const old = join(folder, 'old.db');
  try {
    await chmod(folder, 0o755);
    await writeFile(old, '');
    await chmod(old, 0o644);
    const databases = [await openDatabase(join(folder, 'new.db')), await openDatabase(old)];
    for (const database of databases) database.exec('CREATE TABLE t (a)');
    const names = await readdir(folder);
    assert.deepEqual(names.sort(), [
      'new.db',
      'new.db-shm',
      'new.db-wal',
      'old.db',
      'old.db-shm',
      'old.db-wal',
    ]);
    for (const name of names) assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600, name);
    for (const database of databases) database.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
