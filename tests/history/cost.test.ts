import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openDatabase } from '../../src/runtime/sqlite.ts';
import { changeFile } from '../../src/workspace/index.ts';
import { ORIGIN, setUp } from './support/setup.ts';

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

describe('what the history costs', () => {
  it('lists from 10,000 checkpoints in at most 20 ms', async (t) => {
    const { history, root, stateDir, checkpoint } = await setUp();
    await checkpoint('a.txt', 'x');
    const database = await openDatabase(join(stateDir, 'state.db'));
    database.exec('BEGIN');
    const head = database.prepare('INSERT INTO checkpoints (tool, at_ms, root) VALUES (?, ?, ?)');
    const file = database.prepare(
      "INSERT INTO checkpoint_files VALUES (?, ?, 'none', NULL, NULL, NULL, 'none', NULL, NULL, NULL, 0)",
    );
    for (let n = 0; n < 10_000; n++) {
      // Half of them made by an instance that served a folder above.
      const { lastInsertRowid } = head.run('write_file', Date.now(), n % 2 ? root : join(root, '..'));
      for (const name of ['x', 'y', 'z']) file.run(lastInsertRowid, join(root, `${n % 700}/${name}.txt`));
    }
    database.exec('COMMIT');
    database.close();
    await history.list({ limit: 20 });
    const times: number[] = [];
    for (let n = 0; n < 21; n++) {
      const started = performance.now();
      const { checkpoints } = await history.list({ limit: 20 });
      times.push(performance.now() - started);
      assert.equal(checkpoints.length, 20);
    }
    t.diagnostic(`list of 20 from 10,000: ${median(times).toFixed(1)} ms`);
    assert.ok(median(times) <= 20);
  });

  it('restores a file of 20 MB in at most a second', async (t) => {
    for (const [kind, bytes] of [
      ['random', randomBytes(20_000_000)],
      ['text', Buffer.alloc(20_000_000, 'const answer = compute(40, 2); // some line\n')],
    ] as const) {
      const { history, root, checkpoint } = await setUp();
      await writeFile(join(root, 'big'), bytes);
      let started = performance.now();
      const id = await checkpoint('big', Buffer.concat([bytes, Buffer.from('one line more\n')]));
      const wroteMs = performance.now() - started;
      started = performance.now();
      await history.restore(id, ORIGIN);
      const tookMs = performance.now() - started;
      started = performance.now();
      await history.redo(ORIGIN);
      const redoMs = performance.now() - started;
      t.diagnostic(
        `20 MB of ${kind}: write ${Math.round(wroteMs)} ms, restore ${Math.round(tookMs)} ms, redo ${Math.round(redoMs)} ms`,
      );
      assert.ok(tookMs <= 1_000);
      assert.equal((await readFile(join(root, 'big'))).length, bytes.length + 14);
    }
  });

  it('costs little at the write of a small file', async (t) => {
    const { history, root } = await setUp();
    await mkdir(join(root, '.git'));
    await mkdir(join(root, 'src/deep/er'), { recursive: true });
    await writeFile(join(root, '.gitignore'), 'node_modules\n*.log\n');
    const path = join(root, 'src/deep/er/a.ts');
    const times = { recorded: [] as number[], bare: [] as number[] };
    for (let n = 0; n < 400; n++) {
      const recorder = n % 2 ? history.recorder({ tool: 'write_file', conversation: 'c' }) : undefined;
      const bytes = Buffer.from(`// ${n}\n${'export const value = 42; // a line of code\n'.repeat(100)}`);
      const started = performance.now();
      await changeFile({ path, shown: 'a.ts' }, { recorder }, async () => ({ bytes, outcome: undefined }));
      if (n > 40) times[recorder ? 'recorded' : 'bare'].push(performance.now() - started);
    }
    const [bare, recorded] = [median(times.bare), median(times.recorded)];
    t.diagnostic(`write of 4 kB: ${bare.toFixed(2)} ms, recorded ${recorded.toFixed(2)} ms (p50)`);
    // As a ratio, because other work may hold up both.
    assert.ok(recorded < 6 * bare + 1, `${recorded} ms instead of ${bare} ms`);
  });
});
