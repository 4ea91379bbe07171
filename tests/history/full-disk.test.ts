import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { systemCode } from '../../src/runtime/errors.ts';
import { isLinux } from '../../src/runtime/platform.ts';
import { commitFiles, deleteFile } from '../../src/workspace/index.ts';
import { failure } from '../support/tool-context.ts';
import { treeOf } from '../workspace/transaction-support/example.ts';
import { ORIGIN, open, setUp } from './support/setup.ts';

const NO_DISK = 'only on Linux, where a small disk can be mounted';

/** Runs `act` with a small disk mounted at a folder; false where that is not allowed. */
async function withSmallDisk(folder: string, kib: number, act: () => Promise<void>): Promise<boolean> {
  if (!isLinux) return false;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k,mode=700`, 'none', folder], {
      stdio: 'ignore',
    });
  } catch {
    return false;
  }
  try {
    await act();
  } finally {
    execFileSync('umount', ['-l', folder]);
  }
  return true;
}

/** Writes until nothing more fits. */
async function fill(path: string): Promise<void> {
  for (const bytes of [65_536, 4_096, 1]) {
    for (;;) {
      try {
        await appendFile(path, Buffer.alloc(bytes));
      } catch (error) {
        assert.equal(systemCode(error), 'ENOSPC');
        break;
      }
    }
  }
}

describe('a full disk', () => {
  it('under the state folder refuses every change, and nothing is changed', async (t) => {
    const { base, root } = await setUp();
    const stateDir = join(base, 'small');
    await mkdir(stateDir);
    const isDone = await withSmallDisk(stateDir, 1024, async () => {
      const { history, write } = open(root, stateDir);
      await write('a.txt', 'old\n');
      await write('random', randomBytes(100_000));
      await fill(join(stateDir, 'filler'));
      const before = await treeOf(root);
      const recorder = () => history.recorder({ tool: 'test', conversation: undefined });
      const ref = (name: string) => ({ path: join(root, name), shown: name });
      const create = (name: string) => ({
        file: ref(name),
        before: undefined,
        after: { type: 'file' as const, content: randomBytes(10_000) },
      });
      const attempts = {
        write: () => write('a.txt', randomBytes(50_000)),
        delete: () => deleteFile(ref('random'), { recorder: recorder() }),
        patch: () => commitFiles([create('d/n'), create('e/m')], { stateDir, recorder: recorder() }),
        journal: () => commitFiles([create('d/n'), create('e/m')], { stateDir }),
        restore: () => history.restore('c1', ORIGIN),
      };
      for (const [what, attempt] of Object.entries(attempts)) {
        const error = await failure(attempt(), 'DISK_FULL');
        assert.match(error.message, /no space is left in the state folder\. Nothing was changed/, what);
        assert.match(error.hint, /Free some space on the disk of the state folder.*--state-dir/, what);
        assert.deepEqual(await treeOf(root), before, what);
      }
      assert.deepEqual(await readdir(join(stateDir, 'journal')).catch(() => []), []);
      await history.close();
    });
    if (!isDone) t.skip(NO_DISK);
  });

  it('under the files names them as they are shown', async (t) => {
    const { root, stateDir } = await setUp();
    const isDone = await withSmallDisk(root, 512, async () => {
      const { history, write } = open(root, stateDir);
      await mkdir(join(root, 'sub'));
      await writeFile(join(root, 'sub/f'), randomBytes(50_000));
      const { checkpointId } = await write('sub/f', '');
      await fill(join(root, 'filler'));
      const error = await failure(history.restore(checkpointId ?? '', ORIGIN), 'DISK_FULL');
      assert.match(error.message, /^"sub\/f" could not be written/);
      assert.deepEqual((await readdir(join(root, 'sub'))).sort(), ['f']);
      await history.close();
    });
    if (!isDone) t.skip(NO_DISK);
  });
});
