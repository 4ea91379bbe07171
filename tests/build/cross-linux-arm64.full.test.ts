import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { VERSION } from '../../src/runtime/version.ts';
import { runToEnd, startServer } from '../support/programs.ts';
import { BUILD_LIMIT_MS, crossBuilt, FUSE_SET, FUSE_UNSET, occurrences } from './support/cross-built.ts';
import { foreignLibraries, missing } from './support/debian.ts';
import { everydayWork } from './support/everyday-work.ts';

const EM_AARCH64 = 183;
/** The stripped base has 103 MB. */
const MAX_BYTES = 110_000_000;
const QEMU = 'qemu-aarch64-static';
const skip =
  process.platform === 'linux' ? missing(QEMU, 'apt-get', 'dpkg') : 'only on Linux does qemu emulate one';

describe('the executable for linux-arm64', { timeout: BUILD_LIMIT_MS }, () => {
  let executable: string;
  let folder: string;
  before(async () => {
    executable = (await crossBuilt('linux-arm64')).file;
    folder = await mkdtemp(join(tmpdir(), 'local-coder-arm64-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('is for that machine, stripped and small, and has the mark of a blob', async () => {
    const file = await readFile(executable);
    assert.equal(file.readUInt16LE(18), EM_AARCH64);
    assert.ok(file.length <= MAX_BYTES, `${file.length} bytes`);
    assert.deepEqual([occurrences(file, FUSE_SET), occurrences(file, FUSE_UNSET)], [1, 0]);
  });

  test('works under an emulator', { skip, timeout: BUILD_LIMIT_MS }, async () => {
    const libraries = await foreignLibraries('arm64');
    const program = { command: QEMU, args: ['-L', libraries, executable] };
    const { exitCode, stdout } = await runToEnd({ program, args: ['--version'] });
    assert.deepEqual({ exitCode, stdout }, { exitCode: 0, stdout: `${VERSION}\n` });
    const server = await startServer({ program, args: ['--workspace', folder] });
    try {
      assert.equal(await everydayWork(server.url, folder, 'cat made.txt'), 'made inside\n');
    } finally {
      assert.equal(await server.stop(), 0, server.stderr);
    }
  });
});
