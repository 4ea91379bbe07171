import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openDatabase } from '../../src/runtime/sqlite.ts';
import { treeOf } from '../workspace/transaction-support/example.ts';
import { diskBytes, ORIGIN, open, setUp } from './support/setup.ts';

const MIB = 1024 * 1024;

function git(cwd: string, ...args: string[]): void {
  execFileSync('git', args, { cwd, stdio: 'ignore' });
}

describe('recording changes', () => {
  it('lists them newest first, with what happened to which file', async () => {
    const { history, root, write } = await setUp();
    await writeFile(join(root, 'a.txt'), 'one\n');
    await write('a.txt', 'two\n', 'somebody');
    await write('b.txt', 'new\n');
    const { checkpoints, hasMore } = await history.list({ limit: 1 });
    assert.equal(hasMore, true);
    assert.deepEqual(
      checkpoints.map(({ id, tool, files, fileCount }) => ({ id, tool, files, fileCount })),
      [
        {
          id: 'c2',
          tool: 'write_file',
          files: [{ path: join(root, 'b.txt'), change: 'created' }],
          fileCount: 1,
        },
      ],
    );
    const rest = await history.list({ limit: 5, before: 'c2' });
    assert.deepEqual(
      rest.checkpoints.map(({ id, conversation }) => [id, conversation]),
      [['c1', 'somebody']],
    );
    assert.equal(rest.hasMore, false);
  });

  it('does not record what git ignores and says so; a tracked file is recorded all the same', async () => {
    const { history, root, write } = await setUp();
    git(root, 'init', '-q');
    await mkdir(join(root, 'sub/build'), { recursive: true });
    await writeFile(join(root, '.gitignore'), '*.log\nbuild/\n!keep.log\n/only-here\n');
    await writeFile(join(root, 'sub/.gitignore'), 'local\n!again.log\n');
    await writeFile(join(root, 'tracked.log'), 'x\n');
    git(root, 'add', '-f', 'tracked.log');
    const ignored = ['a.log', 'sub/build/out.js', 'sub/local', 'only-here', 'sub/build/again.log'];
    const recorded = ['a.txt', 'keep.log', 'local', 'sub/only-here', 'sub/again.log', 'tracked.log'];
    for (const name of ignored) {
      const { checkpointId, notRecorded } = await write(name, 'text\n');
      assert.equal(checkpointId, undefined, name);
      assert.deepEqual(notRecorded, [{ path: join(root, name), reason: 'git ignores it' }]);
    }
    for (const name of recorded) assert.ok((await write(name, 'text\n')).checkpointId, name);
    // A rule that a tool changes counts at once.
    await write('.gitignore', `${await readFile(join(root, '.gitignore'), 'utf8')}*.txt\n`);
    assert.equal((await write('b.txt', 'text\n')).checkpointId, undefined);
    // What git said is remembered only until its index changes.
    git(root, 'add', '-f', 'a.log');
    assert.ok((await write('a.log', 'tracked by now\n')).checkpointId);
    git(root, 'rm', '-q', '-f', '--cached', 'a.log');
    assert.equal((await write('a.log', 'no longer\n')).checkpointId, undefined);
    assert.equal((await history.list({ limit: 50 })).checkpoints.length, recorded.length + 2);
  });

  it('agrees with git check-ignore on many names and rules', async () => {
    const { history, root } = await setUp();
    git(root, 'init', '-q');
    await mkdir(join(root, 'a/b/c'), { recursive: true });
    await writeFile(
      join(root, '.gitignore'),
      'node_modules\n*.tmp\n/a/x*\n!a/xkeep\ndoc/**/draft\n\\#odd\n b\n*.[oa]\n',
    );
    await writeFile(join(root, 'a/.gitignore'), '!*.tmp\nb/c/*\n!b/c/stay\n');
    await writeFile(join(root, 'a/b/.gitignore'), '*.tmp\n');
    const folders = ['', 'a/', 'a/b/', 'a/b/c/', 'a/node_modules/p/', 'doc/', 'doc/q/r/', 'x/'];
    const names = [
      'f.txt',
      'f.tmp',
      'xone',
      'xkeep',
      'draft',
      '#odd',
      'b.o',
      'stay',
      'node_modules',
      'é.tmp',
      '.hidden',
    ];
    const paths = folders.flatMap((folder) => names.map((name) => folder + name));
    const output = execFileSync('git', ['check-ignore', '--stdin', '-z'], {
      cwd: root,
      input: paths.join('\0'),
    });
    const expected = new Set(output.toString().split('\0').filter(Boolean));
    const { GitIgnored } = await import('../../src/history/git-ignored.ts');
    const ignored = new GitIgnored();
    for (const path of paths) {
      const [reason] = await ignored.reasons([join(root, path)]);
      assert.equal(reason !== undefined, expected.has(path), path);
    }
    const together = await ignored.reasons(paths.map((path) => join(root, path)));
    assert.deepEqual(
      paths.filter((_, index) => together[index] !== undefined),
      paths.filter((path) => expected.has(path)),
    );
    await history.status();
  });

  it('refuses a change that cannot be recorded, with the way to raise the budget', async () => {
    const { history, root, write } = await setUp({ budgetBytes: MIB });
    const big = randomBytes(2 * MIB);
    await writeFile(join(root, 'big.bin'), big);
    const before = await treeOf(root);
    await assert.rejects(write('big.bin', 'small\n'), (error: Error & { code?: string; hint?: string }) => {
      assert.equal(error.code, 'TOO_LARGE');
      assert.match(error.message, /Nothing was changed/);
      assert.match(error.hint ?? '', /--history-size/);
      return true;
    });
    assert.deepEqual(await treeOf(root), before);
    assert.deepEqual((await history.list({ limit: 5 })).checkpoints, []);
    assert.equal((await history.status()).usedBytes, 0);
  });

  it('removes the oldest checkpoints for space, but never the last one of a file', async () => {
    const { history, root, stateDir, write, checkpoint } = await setUp({ budgetBytes: 2 * MIB });
    const only = await checkpoint('untouched.bin', randomBytes(100 * 1024));
    for (let round = 0; round < 40; round++) await write('busy.bin', randomBytes(200 * 1024));
    const { checkpoints } = await history.list({ limit: 100 });
    assert.ok(checkpoints.length < 15, `${checkpoints.length} are left`);
    assert.equal(checkpoints[0]?.id, 'c41');
    assert.equal(checkpoints.at(-1)?.id, only);
    const used = await diskBytes(join(stateDir, 'blobs'));
    assert.ok(used <= 2 * MIB, `${used} bytes on the disk`);
    assert.equal((await history.status()).usedBytes, used);
    // What is left still works.
    const last = await readFile(join(root, 'busy.bin'));
    await history.restore(checkpoints.at(-2)?.id ?? '', ORIGIN);
    assert.notDeepEqual(await readFile(join(root, 'busy.bin')), last);
    await history.redo(ORIGIN);
    assert.deepEqual(await readFile(join(root, 'busy.bin')), last);
  });

  it('removes what is older than the age limit, but for the last checkpoint of a file', async () => {
    const { history, root, stateDir, checkpoint } = await setUp();
    for (const text of ['1', '2', '3']) await checkpoint('a.txt', text);
    await checkpoint('b.txt', '1');
    await history.close();
    const database = await openDatabase(join(stateDir, 'state.db'));
    database.exec('UPDATE checkpoints SET at_ms = at_ms - 31 * 24 * 3600 * 1000');
    database.close();
    const { history: later } = open(root, stateDir);
    await later.recover();
    await later.close();
    const { history: after } = open(root, stateDir);
    const { checkpoints } = await after.list({ limit: 10 });
    assert.deepEqual(
      checkpoints.map(({ id }) => id),
      ['c4', 'c3'],
    );
  });

  it('says nothing was changed when the recorded content is damaged', async () => {
    const { history, root, stateDir, checkpoint } = await setUp();
    await writeFile(join(root, 'a.txt'), 'one\n');
    const id = await checkpoint('a.txt', 'two\n');
    for (const entry of await readdir(join(stateDir, 'blobs'), { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) await writeFile(join(entry.parentPath, entry.name), 'damaged');
    }
    await assert.rejects(history.restore(id, ORIGIN), { code: 'NOT_AVAILABLE' });
    assert.equal(await readFile(join(root, 'a.txt'), 'utf8'), 'two\n');
  });

  it('forgets a change that did not happen', async () => {
    const { history, root, stateDir } = await setUp();
    await writeFile(join(root, 'a.txt'), 'one\n');
    const recorder = history.recorder({ tool: 'edit_file', conversation: undefined });
    const change = {
      path: join(root, 'a.txt'),
      before: undefined,
      after: Buffer.from('two'),
      kind: 'replace' as const,
    };
    const record = await recorder.prepare([change], undefined);
    await record.abandoned();
    assert.equal(recorder.outcome().checkpointId, undefined);
    assert.deepEqual((await history.list({ limit: 5 })).checkpoints, []);
    assert.equal(await diskBytes(join(stateDir, 'blobs')), 0);
  });

  it('keeps what a call that failed had changed by then', async () => {
    const { history, root } = await setUp();
    for (const name of ['a.txt', 'b.txt', 'c.txt']) await writeFile(join(root, name), `${name}\n`);
    const recorder = history.recorder({ tool: 'delete_directory', conversation: undefined });
    const changes = ['a.txt', 'b.txt', 'c.txt'].map((name) => ({
      path: join(root, name),
      before: undefined,
      after: undefined,
      kind: 'delete' as const,
    }));
    const record = await recorder.prepare(changes, undefined);
    await rm(join(root, 'a.txt'));
    await writeFile(join(root, 'b.txt'), 'somebody else\n');
    await record.abandoned();
    const { checkpoints } = await history.list({ limit: 5 });
    assert.deepEqual(checkpoints[0]?.files, [{ path: join(root, 'a.txt'), change: 'deleted' }]);
    await history.restore('c1', ORIGIN);
    assert.equal(await readFile(join(root, 'a.txt'), 'utf8'), 'a.txt\n');
    assert.equal(await readFile(join(root, 'b.txt'), 'utf8'), 'somebody else\n');
  });

  it('makes one checkpoint of all changes of one call, however many steps they take', async () => {
    const { history, root, stateDir } = await setUp();
    await writeFile(join(root, 'a.txt'), 'one\n');
    const recorder = history.recorder({ tool: 'batch', conversation: undefined });
    const step = async (name: string, text: string) => {
      const change = {
        path: join(root, name),
        before: undefined,
        after: Buffer.from(text),
        kind: 'replace' as const,
      };
      const record = await recorder.prepare([change], undefined);
      await writeFile(join(root, name), text);
      await record.committed();
    };
    await step('a.txt', 'two\n');
    await Promise.all([step('b.txt', 'b\n'), step('c.txt', 'c\n')]);
    await step('a.txt', 'three\n');
    const { checkpoints } = await history.list({ limit: 5 });
    assert.equal(checkpoints.length, 1);
    assert.equal(checkpoints[0]?.fileCount, 3);
    await history.restore(recorder.outcome().checkpointId ?? '', ORIGIN);
    assert.equal(await readFile(join(root, 'a.txt'), 'utf8'), 'one\n');
    assert.deepEqual(await readdir(root), ['a.txt']);
    // The intermediate text of a.txt is not kept.
    const blobs = await readdir(join(stateDir, 'blobs'), { recursive: true, withFileTypes: true });
    assert.equal(blobs.filter((entry) => entry.isFile()).length, 4);
  });

  it('keeps files of many megabytes without copying them, and empty and odd ones', async () => {
    const { history, root, stateDir, write, checkpoint } = await setUp();
    const big = randomBytes(20 * MIB);
    await writeFile(join(root, 'big.bin'), big);
    await write('big.bin', 'small\n');
    assert.deepEqual(await readdir(join(stateDir, 'blobs/incoming')), []);
    const odd = 'ünï "c0de" \u2028.txt';
    await writeFile(join(root, odd), '');
    const id = await checkpoint(odd, 'x');
    await history.restore(id, ORIGIN);
    assert.equal(await readFile(join(root, odd), 'utf8'), '');
    await history.restore('c1', ORIGIN);
    assert.deepEqual(await readFile(join(root, 'big.bin')), big);
    await rm(join(root, 'big.bin'));
  });
});
