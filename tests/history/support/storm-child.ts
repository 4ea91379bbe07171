/**
 * Changes files with their record, as the tools do, until it is killed; prints a dot after each round. Arguments: root, state folder, `writes` (5 MB
 * each) or `patch` (200 files at once).
 */
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createHistory } from '../../../src/history/index.ts';
import { changeFile, commitFiles, takeSnapshot, Workspace } from '../../../src/workspace/index.ts';

const [root = '', stateDir = '', kind] = process.argv.slice(2);
const workspace = new Workspace({ roots: [root], accessMode: 'full', protectedPaths: [stateDir] });
const history = createHistory({ stateDir, workspace });
await history.recover();
for (let round = 0; ; round++) {
  const recorder = history.recorder({ tool: 'storm', conversation: undefined });
  if (kind === 'writes') {
    await Promise.all(
      ['a.bin', 'b.bin', 'c.bin'].map((name) =>
        changeFile({ path: join(root, name), shown: name }, { recorder }, async () => ({
          bytes: signed(5 * 1024 * 1024),
          outcome: undefined,
        })),
      ),
    );
  } else {
    const mark = `${process.pid} ${round}\n`;
    const commits = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const name = `${index}.txt`;
        const file = { path: join(root, name), shown: name };
        const before = await takeSnapshot(file, 1 << 20);
        return { file, before, after: { type: 'file' as const, content: Buffer.from(`${mark}${name}\n`) } };
      }),
    );
    await commitFiles(commits, { stateDir, recorder });
  }
  process.stdout.write('.');
}

/** Random bytes behind their own SHA-256, so that a torn file shows itself. */
function signed(length: number): Buffer {
  const body = randomBytes(length);
  return Buffer.concat([createHash('sha256').update(body).digest(), body]);
}
