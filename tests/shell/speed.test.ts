import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { findProgram, openShell, p50 } from './helpers.ts';

/** What a command is compared with: the same shell, started for it alone, its output in pipes. */
function raw(file: string, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.resume();
    child.stderr.resume();
    child.once('error', reject);
    child.once('close', () => resolve());
  });
}

/**
 * The bounds have room for a busy machine (other test files run at the same time); bench/ holds the exact comparison.
 * Each pair is measured in turns, and the best turn counts.
 */
describe('speed, in the same run', () => {
  for (const kind of ['bash', 'zsh', 'dash']) {
    test(`${kind}: true with state carried, against a bare start of the shell`, async (t) => {
      const file = findProgram(kind);
      assert.ok(file);
      const shell = await openShell({ shell: kind });
      await shell.run('export A=1; B=2; f() { echo f; }; alias x=y; cd /');
      await shell.out('true');
      let [best, rawMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
      for (let turn = 0; turn < 4; turn++) {
        rawMs = Math.min(rawMs, await p50(15, () => raw(file, 'true')));
        best = Math.min(best, await p50(15, () => shell.out('true')));
      }
      t.diagnostic(
        `${best.toFixed(2)} ms, bare ${rawMs.toFixed(2)} ms: ${(best - rawMs).toFixed(2)} ms more`,
      );
      assert.ok(best <= rawMs * 4 + 8, `${best} ms, bare ${rawMs} ms`);
      await shell.close();
    });
  }

  test('1.3 MB of output, against the shell writing it to a file', async (t) => {
    const file = findProgram('bash') ?? '';
    const shell = await openShell();
    const command = 'seq -w 0 185713';
    const result = await shell.run(command);
    assert.equal(result.totalBytes, 1_299_998);
    // A new file each time: the file system flushes one that is written over.
    let files = 0;
    let [best, rawMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let turn = 0; turn < 4; turn++) {
      rawMs = Math.min(
        rawMs,
        await p50(7, () => raw(file, `${command} > ${join(shell.root, `raw${++files}`)}`)),
      );
      best = Math.min(best, await p50(7, () => shell.run(command)));
    }
    t.diagnostic(`${best.toFixed(2)} ms, bare ${rawMs.toFixed(2)} ms: ${(best / rawMs).toFixed(2)} times`);
    assert.ok(best <= rawMs * 3 + 15, `${best} ms, bare ${rawMs} ms`);
    await shell.close();
  });
});
