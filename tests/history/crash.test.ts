import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { openDatabase } from '../../src/runtime/sqlite.ts';
import { diskBytes, ORIGIN, open, setUp } from './support/setup.ts';

const isFull = process.env['LOCAL_CODER_TEST_FULL'] === '1';
const KILLS = { writes: isFull ? 60 : 10, patch: isFull ? 60 : 5 };
const child = new URL('./support/storm-child.ts', import.meta.url).pathname;

/** Of one loop: how long 60 kills take says nothing of what they leave. */
const LOOP_LIMIT = { timeout: 300_000 };

/** Lets the child finish some rounds and kills it somewhere in the next one. */
async function runAndKill(root: string, stateDir: string, kind: string, round: number): Promise<void> {
  const running = spawn(process.execPath, [child, root, stateDir, kind], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for (let rounds = 0; rounds <= round % 3; ) rounds += String(await once(running.stdout, 'data')).length;
  await delay(((round * 53) % 17) * 9);
  running.kill('SIGKILL');
  await once(running, 'close');
}

async function leftOver(root: string): Promise<string[]> {
  return (await readdir(root)).filter((name) => name.startsWith('.'));
}

describe('kill -9', () => {
  it('during writes of 5 MB leaves every file whole, and a history that fits', LOOP_LIMIT, async (t) => {
    const { root, stateDir } = await setUp();
    const outcomes = { files: 0, checkpoints: 0 };
    for (let round = 0; round < KILLS.writes; round++) {
      await runAndKill(root, stateDir, 'writes', round);
      const { history } = open(root, stateDir, { budgetBytes: 300 * 1024 * 1024 });
      await history.recover();
      assert.deepEqual(await leftOver(root), [], `after kill ${round}`);
      for (const name of await readdir(root)) {
        const bytes = await readFile(join(root, name));
        const digest = createHash('sha256').update(bytes.subarray(32)).digest();
        assert.ok(bytes.subarray(0, 32).equals(digest), `${name} is torn after kill ${round}`);
        outcomes.files++;
      }
      const { checkpoints } = await history.list({ limit: 3 });
      for (const { id } of checkpoints.slice(0, 1)) {
        const { steps } = await history.preview(id);
        // What the last checkpoint left is what stands there.
        assert.deepEqual(
          steps.filter(({ action }) => action === 'conflict'),
          [],
        );
        await history.restore(id, ORIGIN);
        await history.redo(ORIGIN);
        outcomes.checkpoints++;
      }
      await history.close();
    }
    const database = await openDatabase(join(stateDir, 'state.db'));
    const unfinished = database
      .prepare('SELECT COUNT(*) AS n FROM checkpoints WHERE owner IS NOT NULL')
      .get();
    database.close();
    assert.equal(unfinished?.['n'], 0);
    assert.deepEqual(await readdir(join(stateDir, 'blobs/incoming')), []);
    t.diagnostic(`${KILLS.writes} kills, ${JSON.stringify(outcomes)}`);
  });

  it(
    'during a recorded patch of 200 files leaves it whole, and its checkpoint takes all of it back',
    LOOP_LIMIT,
    async (t) => {
      const { root, stateDir } = await setUp();
      let restored = 0;
      for (let round = 0; round < KILLS.patch; round++) {
        await runAndKill(root, stateDir, 'patch', round);
        const { history } = open(root, stateDir);
        await history.recover();
        assert.deepEqual(await leftOver(root), []);
        assert.ok((await marks(root)).size <= 1, `a mixture after kill ${round}`);
        const { checkpoints } = await history.list({ limit: 1 });
        const [last] = checkpoints;
        if (last && (await readdir(root)).length > 0) {
          assert.equal(last.fileCount, 200);
          const before = await marks(root);
          await history.restore(last.id, ORIGIN);
          assert.ok((await marks(root)).size <= 1);
          assert.notDeepEqual(await marks(root), before);
          await history.redo(ORIGIN);
          assert.deepEqual(await marks(root), before);
          restored++;
        }
        await history.close();
      }
      const disk = await diskBytes(join(stateDir, 'blobs'));
      const { history } = open(root, stateDir);
      assert.equal((await history.status()).usedBytes, disk);
      t.diagnostic(`${KILLS.patch} kills, ${restored} restored and redone`);
      assert.ok(restored > 0);
    },
  );
});

/** The first lines of all files: one, when all come from the same patch. */
async function marks(root: string): Promise<Set<string>> {
  const names = await readdir(root);
  const texts = await Promise.all(names.map((name) => readFile(join(root, name), 'utf8')));
  return new Set(texts.map((text) => text.split('\n')[0] ?? ''));
}
