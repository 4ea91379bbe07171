import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { openInstances } from '../../src/cli/instances.ts';
import { createHistory, type History } from '../../src/history/index.ts';
import { changeConfiguration, readConfiguration } from '../../src/relay/agent/configuration.ts';
import { runPortable } from '../../src/runtime/portable.ts';
import { processStartTime } from '../../src/runtime/process-identity.ts';
import { openDatabase } from '../../src/runtime/sqlite.ts';
import { createShell } from '../../src/shell/index.ts';
import { createInstanceFolder } from '../../src/shell/instance-folder.ts';
import { changeFile, recoverTransactions, Workspace } from '../../src/workspace/index.ts';
import { links } from '../shell/helpers.ts';

const run = promisify(execFile);
const unixOnly = process.platform === 'win32' ? 'only on Linux or macOS' : false;

/** What is kept must stay true on another computer, and under another drive letter or mount point. */
describe('state that is carried around', () => {
  let base: string;
  let stick: string;
  before(async () => {
    base = await realpath(await mkdtemp(join(tmpdir(), 'local-coder-carried-')));
  });
  after(() => rm(base, { recursive: true, force: true }));
  beforeEach(async () => {
    stick = await mkdtemp(join(base, 'stick-'));
    await mkdir(join(stick, 'local-coder-data'));
    await mkdir(join(stick, 'app'));
    runPortable(join(stick, 'local-coder-data'));
  });

  const historyOf = (root: string): History =>
    createHistory({
      stateDir: join(stick, 'local-coder-data'),
      workspace: new Workspace({ roots: [root], accessMode: 'full', protectedPaths: [] }),
    });
  const write = async (history: History, path: string, text: string) => {
    const recorder = history.recorder({ tool: 'write_file', conversation: undefined });
    const change = async () => ({ bytes: Buffer.from(text), outcome: undefined });
    await changeFile({ path, shown: path }, { recorder }, change);
  };
  const move = async () => {
    const now = join(base, `moved ${Math.random()}`);
    await rename(stick, now);
    stick = now;
    runPortable(join(stick, 'local-coder-data'));
  };

  describe('history', () => {
    test('of a folder on the stick is found under its new path, of one on the computer under the old', async () => {
      const onComputer = await mkdtemp(join(base, 'computer-'));
      const first = historyOf(join(stick, 'app'));
      await write(first, join(stick, 'app', 'a.txt'), 'one\n');
      await write(first, join(onComputer, 'b.txt'), 'one\n');
      await first.close();
      await move();
      const moved = historyOf(join(stick, 'app'));
      const { checkpoints } = await moved.list({ limit: 10 });
      const onStick = checkpoints.at(-1)!;
      const restored = await moved.restore(onStick.id, { tool: 'rewind', conversation: undefined });
      assert.deepEqual(
        restored.steps.map(({ path }) => path),
        [join(stick, 'app', 'a.txt')],
      );
      assert.deepEqual(await readdir(join(stick, 'app')), []);
      await moved.close();
      const computer = historyOf(onComputer);
      assert.equal((await computer.list({ limit: 10 })).checkpoints.length, 1);
      await computer.close();
    });

    test('a copy does not take it away from what is still there', async () => {
      const first = historyOf(join(stick, 'app'));
      const original = join(stick, 'app');
      await write(first, join(original, 'a.txt'), 'one\n');
      await first.close();
      const copy = await mkdtemp(join(base, 'copy-'));
      await rename(join(stick, 'local-coder-data'), join(copy, 'local-coder-data'));
      await mkdir(join(copy, 'app'));
      stick = copy;
      runPortable(join(stick, 'local-coder-data'));
      const history = historyOf(original);
      assert.equal((await history.list({ limit: 10 })).checkpoints.length, 1);
      await history.close();
    });

    test('from a drive of Windows', { skip: unixOnly }, async () => {
      const first = historyOf(join(stick, 'app'));
      await write(first, join(stick, 'app', 'sub', 'ä.txt'), 'one\n');
      await first.close();
      const database = await openDatabase(join(stick, 'local-coder-data', 'state.db'));
      const toWindows = (column: string) =>
        `'E:' || replace(substr(${column}, length('${stick}') + 1), '/', char(92))`;
      database.exec(`UPDATE checkpoint_files SET path = ${toWindows('path')};
        UPDATE checkpoints SET root = ${toWindows('root')}; UPDATE portable_place SET path = 'E:' || char(92)`);
      assert.equal(database.prepare('SELECT root FROM checkpoints').get()?.['root'], 'E:\\app');
      database.close();
      const history = historyOf(join(stick, 'app'));
      const { checkpoints } = await history.list({ limit: 10 });
      const { steps } = await history.preview(checkpoints[0]!.id);
      assert.ok(steps.some(({ path }) => path === join(stick, 'app', 'sub', 'ä.txt')));
      await history.close();
    });
  });

  test('a multi-file change that was cut off when the stick was pulled out is finished where it is now', async () => {
    const journal = join(stick, 'local-coder-data', 'journal');
    await mkdir(journal);
    const old = join(stick, 'app', 'a.txt');
    const staged = join(stick, 'app', '.staged');
    await writeFile(staged, 'new\n');
    const id = (text: string) => ({
      type: 'file',
      sha256: hash('sha256', text, 'hex'),
      sizeBytes: text.length,
    });
    const content = {
      version: 1,
      createdAtMs: Date.now(),
      files: [{ path: old, old: null, new: id('new\n'), staged, backup: null, inPlace: false }],
      madeFolders: [],
      emptiedFolders: [],
      beside: stick,
    };
    const dead = `${hash('sha256', hostname(), 'hex').slice(0, 12)}-999999999-${'0'.repeat(12)}`;
    const name = `${Date.now().toString(36)}${'0'.repeat(10)}~${dead}.commit`;
    await writeFile(join(journal, name), JSON.stringify(content));
    await move();
    const recovered = await recoverTransactions(join(stick, 'local-coder-data'));
    assert.deepEqual(
      recovered.map(({ outcome, paths }) => [outcome, paths]),
      [['finished', [join(stick, 'app', 'a.txt')]]],
    );
    assert.equal(await readFile(join(stick, 'app', 'a.txt'), 'utf8'), 'new\n');
    assert.deepEqual(await readdir(join(stick, 'app')), ['a.txt']);
    assert.deepEqual(await readdir(join(stick, 'local-coder-data', 'journal')), []);
  });

  describe('a named shell', { skip: unixOnly }, () => {
    const inShell = async (root: string, command: string): Promise<string> => {
      const shell = createShell({
        stateDir: join(stick, 'local-coder-data'),
        defaultShell: 'bash',
        yieldMs: 20_000,
        env: { PATH: process.env['PATH'], HOME: base },
        startFiles: false,
      });
      try {
        return (await shell.runCommand({ command, root, shell: 'work' }, links())).stdout;
      } finally {
        await shell.close({ graceMs: 200 });
      }
    };

    test('of a folder on the stick stands where it stood, and its variables name the new place', async () => {
      await mkdir(join(stick, 'app', 'inner'));
      const set = 'cd inner; export PATH="$PWD/bin:$PATH" HERE="$PWD" OTHER=/elsewhere; alias hi="echo hi"';
      await inShell(join(stick, 'app'), set);
      await move();
      const root = join(stick, 'app');
      const now = await inShell(root, 'pwd; echo "$HERE"; echo "$PATH" | cut -d: -f1; echo "$OTHER"; hi');
      const inner = join(root, 'inner');
      assert.equal(now, `${inner}\n${inner}\n${join(inner, 'bin')}\n/elsewhere\nhi\n`);
    });

    test('of a folder on the computer is as it was', async () => {
      const onComputer = await mkdtemp(join(base, 'computer-'));
      await mkdir(join(onComputer, 'inner'));
      await inShell(onComputer, 'cd inner');
      await move();
      assert.equal(await inShell(onComputer, 'pwd'), `${join(onComputer, 'inner')}\n`);
    });
  });

  test('a workspace of a relay on the stick is found under its new path, one on the computer under the old', async () => {
    const state = () => join(stick, 'local-coder-data');
    const one = { accessMode: 'read_only' as const, displayName: 'one' };
    await changeConfiguration(state(), () => ({
      workspaces: [
        { ...one, workspaceId: 'stick', rootPath: stick },
        { ...one, workspaceId: 'app', rootPath: join(stick, 'app') },
        { ...one, workspaceId: 'beside', rootPath: `${stick}2` },
      ],
    }));
    const beside = `${stick}2`;
    await move();
    const { workspaces } = await readConfiguration(state());
    assert.deepEqual(
      workspaces.map(({ rootPath }) => rootPath),
      [stick, join(stick, 'app'), beside],
    );
  });

  describe('processes of another computer', () => {
    test('an instance is not taken for one of this, be its pid and start the same, and is not forgotten', async () => {
      const folder = join(stick, 'local-coder-data');
      const instances = await openInstances(folder);
      const startTime = (await processStartTime(process.pid)) ?? '';
      const about = {
        host: '127.0.0.1',
        port: 1,
        roots: [base],
        access: 'full',
        version: '1',
        startedAtMs: Date.now(),
      };
      instances.add({ ...about, pid: process.pid, startTime });
      assert.equal((await instances.running()).length, 1);
      const database = await openDatabase(join(folder, 'state.db'));
      database.exec("UPDATE instances SET machine = 'another'");
      assert.deepEqual(await instances.running(), []);
      assert.equal(database.prepare('SELECT count(*) AS n FROM instances').get()?.['n'], 1);
      database.exec('UPDATE instances SET started_at_ms = 1');
      assert.deepEqual(await instances.running(), []);
      assert.equal(database.prepare('SELECT count(*) AS n FROM instances').get()?.['n'], 0);
      database.close();
      instances.close();
    });

    test('a register of an older version is taken over', async () => {
      const folder = join(stick, 'local-coder-data');
      const database = await openDatabase(join(folder, 'state.db'));
      database.exec(`CREATE TABLE instances (pid INTEGER NOT NULL, start_time TEXT NOT NULL, host TEXT NOT NULL,
        port INTEGER NOT NULL, roots TEXT NOT NULL, access TEXT NOT NULL, version TEXT NOT NULL,
        started_at_ms INTEGER NOT NULL, PRIMARY KEY (pid, start_time)) STRICT`);
      const startTime = (await processStartTime(process.pid)) ?? '';
      database
        .prepare("INSERT INTO instances VALUES (?, ?, 'h', 1, '[]', 'full', '1', 1)")
        .run(process.pid, startTime);
      const [one, two] = await Promise.all([openInstances(folder), openInstances(folder)]);
      assert.equal((await one.running()).length, 1);
      assert.equal((await two.running()).length, 1);
      for (const each of [database, one, two]) each.close();
    });

    test('its output folder stays for a day', async () => {
      const parent = join(stick, 'local-coder-data', 'processes');
      const names = [`1-1-${'a'.repeat(12)}-${'b'.repeat(12)}`, `2-1-${'a'.repeat(12)}-${'b'.repeat(12)}`];
      const dead = `999999999-1-${'a'.repeat(12)}-${hash('sha256', hostname(), 'hex').slice(0, 12)}`;
      for (const name of [...names, dead]) await mkdir(join(parent, name), { recursive: true });
      const twoDaysAgo = Date.now() / 1000 - 2 * 24 * 3600;
      await utimes(join(parent, names[1]!), twoDaysAgo, twoDaysAgo);
      const { path } = await createInstanceFolder(join(stick, 'local-coder-data'));
      const untilMs = Date.now() + 5_000;
      const wanted = [names[0]!, path.slice(parent.length + 1)].sort();
      let left: string[] = [];
      do {
        left = (await readdir(parent)).sort();
      } while (left.length > 2 && Date.now() < untilMs);
      assert.deepEqual(left, wanted);
    });
  });

  // A pipe in the place of the file that the write-ahead log maps: it opens, and has no size to map.
  describe('a file system that cannot map a file for several', { skip: unixOnly }, () => {
    test('a database falls back to the older journal, and two instances share it', async () => {
      const file = join(stick, 'a.db');
      await run('mkfifo', [`${file}-shm`]);
      const [one, two] = [await openDatabase(file), await openDatabase(file)];
      assert.equal(one.prepare('PRAGMA journal_mode').get()?.['journal_mode'], 'delete');
      one.exec('CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1)');
      two.exec('INSERT INTO t VALUES (2)');
      assert.equal(one.prepare('SELECT count(*) AS n FROM t').get()?.['n'], 2);
      one.close();
      two.close();
    });

    test('one with a write-ahead log from elsewhere is read', async () => {
      const file = join(stick, 'b.db');
      const before = await openDatabase(file);
      before.exec('CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1)');
      before.close();
      await run('mkfifo', [`${file}-shm`]);
      const after = await openDatabase(file);
      assert.equal(after.prepare('SELECT n FROM t').get()?.['n'], 1);
      after.close();
    });

    test('what cannot be opened at all says why', async () => {
      await assert.rejects(openDatabase(join(stick, 'missing', 'c.db')), /unable to open/);
    });
  });
});
