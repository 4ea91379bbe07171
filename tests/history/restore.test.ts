import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, rename, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { recordAround } from '../../src/history/index.ts';
import { recorded } from '../../src/workspace/index.ts';
import { treeOf } from '../workspace/transaction-support/example.ts';
import { ORIGIN, open, setUp } from './support/setup.ts';

describe('restoring a checkpoint', () => {
  it('brings a file to what it was before, later recorded changes included, and back again', async () => {
    const { history, root, checkpoint } = await setUp();
    await writeFile(join(root, 'a.txt'), 'one\n');
    const second = await checkpoint('a.txt', 'two\n');
    const third = await checkpoint('a.txt', 'three\n');
    const { steps } = await history.preview(second);
    assert.deepEqual(
      steps.map(({ action, later }) => ({ action, later })),
      [{ action: 'restore', later: [third] }],
    );

    const result = await history.restore(second, ORIGIN);
    assert.equal(await readFile(join(root, 'a.txt'), 'utf8'), 'one\n');
    assert.match(result.checkpointId ?? '', /^c\d+$/);

    await history.redo(ORIGIN);
    assert.equal(await readFile(join(root, 'a.txt'), 'utf8'), 'three\n');
    await assert.rejects(history.redo(ORIGIN), { code: 'NOT_AVAILABLE' });
  });

  it('takes a new file and its new folders away again, and redo brings them back exactly', async () => {
    const { history, root, checkpoint } = await setUp();
    await mkdir(join(root, 'kept'));
    const empty = await treeOf(root);
    const made = await checkpoint('kept/new/deep/run.sh', '#!/bin/sh\n');
    await chmod(join(root, 'kept/new/deep/run.sh'), 0o755);
    const full = await treeOf(root);
    await history.restore(made, ORIGIN);
    assert.deepEqual(await treeOf(root), empty);
    await history.redo(ORIGIN);
    assert.deepEqual(await treeOf(root), full);
  });

  it('restores several files, links and folders all or nothing', async () => {
    const { history, root } = await setUp();
    await mkdir(join(root, 'folder/empty'), { recursive: true });
    await writeFile(join(root, 'folder/a.txt'), 'a\n');
    await writeFile(join(root, 'folder/b.bin'), Buffer.from([0, 255, 1]));
    await symlink('a.txt', join(root, 'folder/link'));
    const before = await treeOf(root);
    const recorder = history.recorder({ tool: 'delete_directory', conversation: 'x' });
    const names = ['folder/empty', 'folder/a.txt', 'folder/b.bin', 'folder/link', 'folder'];
    const changes = names.map((name) => ({
      path: join(root, name),
      before: undefined,
      after: undefined,
      kind: 'delete' as const,
    }));
    await recorded(
      recorder,
      () => changes,
      undefined,
      () => rm(join(root, 'folder'), { recursive: true }),
    );
    const { checkpointId } = recorder.outcome();
    await history.restore(checkpointId ?? '', ORIGIN);
    assert.deepEqual(await treeOf(root), before);
    await history.redo(ORIGIN);
    assert.deepEqual(await treeOf(root), {});
    await history.restore(checkpointId ?? '', ORIGIN);

    // One conflict: nothing of it changes.
    await history.redo(ORIGIN);
    await mkdir(join(root, 'folder'));
    await writeFile(join(root, 'folder/b.bin'), 'somebody else');
    const meanwhile = await treeOf(root);
    await assert.rejects(
      history.restore(checkpointId ?? '', ORIGIN),
      (error: Error & { details?: unknown }) => {
        assert.deepEqual(error.details, { conflicts: ['folder/b.bin'], conflict_count: 1 });
        return /Nothing was restored: folder\/b\.bin was changed since/.test(error.message);
      },
    );
    assert.deepEqual(await treeOf(root), meanwhile);
  });

  it('never overwrites what somebody else changed since', async () => {
    const { history, root, checkpoint } = await setUp();
    await writeFile(join(root, 'a.txt'), 'one\n');
    const id = await checkpoint('a.txt', 'two\n');
    await writeFile(join(root, 'a.txt'), 'mine\n');
    assert.equal((await history.preview(id)).steps[0]?.action, 'conflict');
    await assert.rejects(history.restore(id, ORIGIN), { code: 'CONFLICT' });
    assert.equal(await readFile(join(root, 'a.txt'), 'utf8'), 'mine\n');
    // Once the recorded text stands there again, it works.
    await writeFile(join(root, 'a.txt'), 'two\n');
    await history.restore(id, ORIGIN);
    assert.equal(await readFile(join(root, 'a.txt'), 'utf8'), 'one\n');
  });

  it('does not redo over changes that were made after the restore, recorded or not', async () => {
    const { history, root, checkpoint } = await setUp();
    await writeFile(join(root, 'a.txt'), 'one\n');
    const id = await checkpoint('a.txt', 'two\n');
    await history.restore(id, ORIGIN);
    await checkpoint('a.txt', 'three\n');
    await assert.rejects(history.redo(ORIGIN), { code: 'CONFLICT' });
    assert.equal(await readFile(join(root, 'a.txt'), 'utf8'), 'three\n');
  });

  it('takes back several restores, the last one first', async () => {
    const { history, root, checkpoint } = await setUp();
    await writeFile(join(root, 'a.txt'), 'one\n');
    const second = await checkpoint('a.txt', 'two\n');
    const third = await checkpoint('a.txt', 'three\n');
    await history.restore(third, ORIGIN);
    await history.restore(second, ORIGIN);
    await history.redo(ORIGIN);
    assert.equal(await readFile(join(root, 'a.txt'), 'utf8'), 'two\n');
    await history.redo(ORIGIN);
    assert.equal(await readFile(join(root, 'a.txt'), 'utf8'), 'three\n');
  });

  it('keeps a mode that was set meanwhile, and restores one that the change changed', async () => {
    const { history, root, checkpoint } = await setUp();
    await writeFile(join(root, 'a.sh'), 'one\n', { mode: 0o644 });
    const id = await checkpoint('a.sh', 'two\n');
    await chmod(join(root, 'a.sh'), 0o755);
    await history.restore(id, ORIGIN);
    assert.equal((await stat(join(root, 'a.sh'))).mode & 0o777, 0o755);

    const recorder = history.recorder({ tool: 'apply_patch', conversation: undefined });
    await recordAround(recorder, [join(root, 'a.sh')], undefined, () => chmod(join(root, 'a.sh'), 0o600));
    await history.restore(recorder.outcome().checkpointId ?? '', ORIGIN);
    assert.equal((await stat(join(root, 'a.sh'))).mode & 0o777, 0o755);
  });

  it('does not write through a folder that became a link to another place', async () => {
    const { base, history, root, checkpoint } = await setUp();
    await mkdir(join(root, 'sub'));
    await writeFile(join(root, 'sub/a.txt'), 'one\n');
    const id = await checkpoint('sub/a.txt', 'two\n');
    await mkdir(join(base, 'elsewhere'));
    await writeFile(join(base, 'elsewhere/a.txt'), 'two\n');
    await rename(join(root, 'sub'), join(root, 'moved'));
    await symlink(join(base, 'elsewhere'), join(root, 'sub'));
    await assert.rejects(history.restore(id, ORIGIN), { code: 'DENIED' });
    assert.equal(await readFile(join(base, 'elsewhere/a.txt'), 'utf8'), 'two\n');
  });

  it('records what git-like programs do to files, and only what really changed', async () => {
    const { history, root } = await setUp();
    for (const name of ['a.txt', 'b.txt', 'c.txt']) await writeFile(join(root, name), `${name} dirty\n`);
    const recorder = history.recorder({ tool: 'git_restore', conversation: undefined });
    const paths = ['a.txt', 'b.txt', 'c.txt', 'd.txt'].map((name) => join(root, name));
    await assert.rejects(
      recordAround(recorder, paths, undefined, async () => {
        await writeFile(join(root, 'a.txt'), 'clean\n');
        await unlink(join(root, 'b.txt'));
        await writeFile(join(root, 'd.txt'), 'new\n');
        throw new Error('failed at the end');
      }),
      /failed at the end/,
    );
    const { checkpoints } = await history.list({ limit: 5 });
    assert.deepEqual(
      checkpoints[0]?.files.map(({ path, change }) => [path.slice(root.length + 1), change]),
      [
        ['a.txt', 'changed'],
        ['b.txt', 'deleted'],
        ['d.txt', 'created'],
      ],
    );
    await history.restore(recorder.outcome().checkpointId ?? '', ORIGIN);
    assert.deepEqual(Object.keys(await treeOf(root)), ['a.txt', 'b.txt', 'c.txt']);
    assert.equal(await readFile(join(root, 'a.txt'), 'utf8'), 'a.txt dirty\n');
  });

  it('shows and restores only what the present roots and mode allow', async () => {
    const { base, history, root, stateDir, checkpoint } = await setUp();
    await writeFile(join(root, 'a.txt'), 'one\n');
    const id = await checkpoint('a.txt', 'two\n');
    await mkdir(join(base, 'other'));
    const other = open(join(base, 'other'), stateDir, { mode: 'workspace' });
    assert.deepEqual((await other.history.list({ limit: 5 })).checkpoints, []);
    await assert.rejects(other.history.preview(id), { code: 'NOT_AVAILABLE' });
    await assert.rejects(other.history.restore(id, ORIGIN), { code: 'NOT_AVAILABLE' });

    const reader = open(root, stateDir, { mode: 'read-only' });
    assert.equal((await reader.history.list({ limit: 5 })).checkpoints.length, 1);
    await assert.rejects(reader.history.restore(id, ORIGIN), { code: 'DENIED' });

    // Two instances see each other's changes at once.
    const twin = open(root, stateDir);
    await twin.checkpoint('a.txt', 'three\n');
    assert.equal((await history.list({ limit: 5 })).checkpoints.length, 2);
    await twin.history.restore(id, ORIGIN);
    assert.equal(await readFile(join(root, 'a.txt'), 'utf8'), 'one\n');
  });
});
