import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Script } from 'node:vm';
import { VERSION } from '../../src/runtime/version.ts';
import { BUNDLE, EXECUTABLE, ensureBuilt, ROOT } from '../support/built.ts';
import { runToEnd, type Shape, startServer } from '../support/programs.ts';

/** The stripped base has 108.5 MB; what comes on top is ours to keep small. */
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
    const { status, stdout, stderr } = spawnSync(copy, ['--help'], {
      env: {},
      cwd: folder,
      encoding: 'utf8',
    });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    assert.ok(stdout.startsWith(`local-coder ${VERSION}: `), stdout);
  });

  test('the bundle and the executable find their assets, the latter without the repository', async () => {
    await writeFile(join(folder, 'sample.ts'), 'export function needle(): void {}\n');
    for (const shape of ['bundle', 'executable'] satisfies Shape[]) {
      const server = await startServer({ shape, cwd: folder });
      try {
        const found = await callTool(server.url, 'grep', { pattern: 'needle' });
        assert.match(found, /^1:export function needle/m, shape);
        const outline = await callTool(server.url, 'outline', { path: 'sample.ts' });
        assert.match(outline, /needle/, shape);
        assert.match(outline, /"ok":true/, shape);
      } finally {
        await server.stop();
      }
    }
  });

  test('the executable lists the tools as the sources do', async () => {
    const listed: string[] = [];
    for (const shape of ['source', 'executable'] satisfies Shape[]) {
      const server = await startServer({ shape, cwd: folder });
      try {
        listed.push(await post(server.url, 'tools/list', {}));
      } finally {
        await server.stop();
      }
    }
    assert.equal(listed[1], listed[0]);
  });

  test('everyday requests load neither the Web API nor HTTP/2, which cost 17 ms and 17 MB', async () => {
    const [preload, loadedFile] = [join(folder, 'preload.cjs'), join(folder, 'loaded.json')];
    const write = `require('node:fs').writeFileSync(${JSON.stringify(loadedFile)}, JSON.stringify(process.moduleLoadList))`;
    await writeFile(preload, `process.on('exit', () => ${write});`);
    const env = { NODE_OPTIONS: `--require ${JSON.stringify(preload)}` };
    const server = await startServer({ shape: 'bundle', cwd: folder, env });
    try {
      const clientInfo = { name: 'test', version: '1' };
      await post(server.url, 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
      await post(server.url, 'tools/list', {});
      assert.match(await callTool(server.url, 'list_directory', { path: '.' }), /"ok":true/);
      assert.equal((await fetch(server.url)).status, 405);
      assert.equal((await fetch(new URL('/health', server.url))).status, 200);
    } finally {
      await server.stop();
    }
    const loaded = JSON.parse(await readFile(loadedFile, 'utf8')) as string[];
    assert.ok(loaded.some((name) => name.endsWith(' http')));
    assert.deepEqual(
      loaded.filter((name) => /undici|http2/.test(name)),
      [],
    );
  });

  test('NODE_OPTIONS of the caller do not reach the executable', async () => {
    const env = { NODE_OPTIONS: '--require /no/such/file.cjs' };
    const { exitCode, stdout } = await runToEnd({ shape: 'executable', args: ['--help'], env });
    assert.equal(exitCode, 0);
    assert.ok(stdout.startsWith(`local-coder ${VERSION}: `), stdout);
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

/** The text of a tool's result. */
async function callTool(url: string, name: string, args: Record<string, unknown>): Promise<string> {
  // Plain JSON or one event; either way the result is the JSON from the first brace on.
  const text = await post(url, 'tools/call', { name, arguments: args });
  const message = JSON.parse(text.slice(text.indexOf('{'))) as { result: { content: { text: string }[] } };
  return message.result.content.map((block) => block.text).join('\n');
}

async function post(url: string, method: string, params: Record<string, unknown>): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  return response.text();
}
