import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, chown, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { isWindows } from '../../src/runtime/platform.ts';
import { setUp } from './support/setup.ts';

test('a file that cannot be read is neither deleted nor moved: it could not be brought back', async (t) => {
  if (isWindows) return t.skip('only on Linux and macOS');
  const { base, root, stateDir } = await setUp();
  const isRoot = process.getuid?.() === 0;
  const sizes = { small: 6, large: 9 * 1024 * 1024 };
  for (const [name, size] of Object.entries(sizes)) {
    await writeFile(join(root, name), Buffer.alloc(size, 'x'));
    await chmod(join(root, name), 0o200);
    if (isRoot) await chown(join(root, name), 1234, 1234);
  }
  // Root may read everything, so it is tried by a process that gave its rights away.
  if (isRoot) {
    await chmod(base, 0o755);
    for (const folder of [root, stateDir]) await chown(folder, 1234, 1234);
  }
  const module = (path: string) => JSON.stringify(import.meta.resolve(`../../src/${path}`));
  const source = `
    const { createHistory } = await import(${module('history/index.ts')});
    const { deleteFile, move, Workspace } = await import(${module('workspace/index.ts')});
    if (${isRoot}) { process.setgid(1234); process.setuid(1234); }
    const [root, stateDir] = ${JSON.stringify([root, stateDir])};
    const workspace = new Workspace({ roots: [root], accessMode: 'full', protectedPaths: [stateDir] });
    const history = createHistory({ stateDir, workspace });
    const ref = (name) => ({ path: root + '/' + name, shown: name });
    const refused = (promise) => promise.then(() => console.log('done'), (e) => console.log(e.code, e.message));
    for (const name of ['small', 'large']) {
      const recorder = history.recorder({ tool: 'test', conversation: undefined });
      await refused(deleteFile(ref(name), { recorder }));
      await refused(move(ref(name), ref('other'), { recorder }));
    }
    await history.close();`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', source]);
  const said = (name: string) =>
    `PERMISSION_DENIED "${name}" cannot be read by the user that local-coder runs as, so it could not be brought back. Nothing was changed.\n`;
  assert.equal(stdout, said('small').repeat(2) + said('large').repeat(2));
  assert.deepEqual((await readdir(root)).sort(), ['large', 'small']);
  assert.deepEqual(await readdir(join(stateDir, 'blobs/incoming')), []);
});
