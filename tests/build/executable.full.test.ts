import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, copyFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Script } from 'node:vm';
import { VERSION } from '../../src/runtime/version.ts';
import { BUNDLE, EXECUTABLE, ensureBuilt, ROOT } from '../support/built.ts';
import { runToEnd, type Shape, startServer } from '../support/programs.ts';

const MAX_EXECUTABLE_BYTES = 115_000_000;
const isWindows = process.platform === 'win32';
const isLinux = process.platform === 'linux';

describe('dist', () => {
  let folder: string;
  before(async () => {
    await ensureBuilt();
    folder = await mkdtemp(join(tmpdir(), 'local-coder-executable-'));
  });
  after(async () => {
    await chmod(folder, 0o755);
    await rm(folder, { recursive: true, force: true });
  });

  test('every shape says the version of package.json', async () => {
    for (const shape of ['source', 'bundle', 'executable', 'deno'] satisfies Shape[]) {
      assert.deepEqual(
        await runToEnd({ shape, args: ['--version'], cwd: folder }),
        { exitCode: 0, stdout: `${VERSION}\n`, stderr: '' },
        shape,
      );
    }
  });

  test('every shape serves and ends politely', async () => {
    for (const shape of ['source', 'bundle', 'executable', 'deno'] satisfies Shape[]) {
      const server = await startServer({ shape, cwd: folder });
      try {
        const health = await fetch(new URL('/health', server.url));
        assert.equal(((await health.json()) as { version: string }).version, VERSION, shape);
      } finally {
        assert.equal(await server.stop(), 0, `${shape}: ${server.stderr}`);
      }
    }
  });

  test('the executable runs under another name, from a read-only folder, without Node and environment', async () => {
    const copy = join(folder, isWindows ? 'another name.exe' : 'another name');
    await copyFile(EXECUTABLE, copy);
    await chmod(copy, 0o555);
    await chmod(folder, 0o555);
    const { status, stdout, stderr } = spawnSync(copy, ['--version'], {
      env: {},
      cwd: folder,
      encoding: 'utf8',
    });
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: `${VERSION}\n`, stderr: '' });
  });

  test('NODE_OPTIONS of the caller do not reach the executable', async () => {
    const env = { NODE_OPTIONS: '--require /no/such/file.cjs' };
    const { exitCode, stdout } = await runToEnd({ shape: 'executable', args: ['--version'], env });
    assert.deepEqual({ exitCode, stdout }, { exitCode: 0, stdout: `${VERSION}\n` });
  });

  test('the executable is stripped and small', { skip: isLinux ? false : 'only on Linux' }, async () => {
    const { size } = await stat(EXECUTABLE);
    assert.ok(size <= MAX_EXECUTABLE_BYTES, `${size} bytes`);
  });

  test('its code cache is one that this Node accepts', async () => {
    const work = join(ROOT, 'dist/build');
    const script = new Script(await readFile(join(work, 'main.cjs'), 'latin1'), {
      filename: 'local-coder.cjs',
      cachedData: await readFile(join(work, 'main.cache')),
    });
    assert.equal(script.cachedDataRejected, false);
  });

  test('the bundle holds no translations of zod and nothing of the build', async () => {
    const metafile = JSON.parse(await readFile(join(ROOT, 'dist/build/metafile.json'), 'utf8')) as {
      outputs: Record<string, { inputs: Record<string, unknown> }>;
    };
    const inputs = Object.values(metafile.outputs).flatMap((output) => Object.keys(output.inputs));
    const locales = inputs.filter((file) => file.includes('zod/v4/locales/'));
    assert.deepEqual(
      locales.map((file) => file.split('/').at(-1)),
      ['en.js'],
    );
    const bundle = await readFile(BUNDLE, 'utf8');
    assert.ok(!bundle.includes('devDependencies'));
    assert.ok(!bundle.includes(ROOT), 'a path of the machine that built it');
  });
});
