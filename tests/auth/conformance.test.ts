import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { glob, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { consent, registerClient, startAuthServer } from './support/auth-server.ts';

interface Check {
  readonly id: string;
  readonly status: string;
  readonly errorMessage?: string;
}

test('the MCP conformance suite for authorization servers passes', { timeout: 60_000 }, async () => {
  const server = await startAuthServer();
  const output = await mkdtemp(join(tmpdir(), 'lc-conformance-'));
  try {
    const port = await freePort();
    const clientId = await registerClient(server, { redirect_uris: [`http://127.0.0.1:${port}/callback`] });
    const manifest = createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json');
    const suite = join(dirname(manifest), 'dist/index.js');
    const client = ['--client-id', clientId, '--resource', `${server.base}/mcp`, '--port', String(port)];
    const args = [suite, 'authorization', '--url', server.base, ...client, '-o', output];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    let visited: Promise<unknown> | undefined;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      // The suite prints the address that a person has to visit; the owner's browser is ours.
      const url = /^http\S+\/authorize\?\S+(?=\n)/m.exec(printed)?.[0];
      if (url !== undefined) visited ??= visit(url, `http://127.0.0.1:${port}/callback`);
    });
    const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
    await visited;
    const checks: Check[] = [];
    for await (const file of glob('**/checks.json', { cwd: output })) {
      checks.push(...(JSON.parse(await readFile(join(output, file), 'utf8')) as Check[]));
    }
    const summary = checks.map(({ id, status, errorMessage }) =>
      [id, status, errorMessage].filter(Boolean).join(' '),
    );
    assert.deepEqual(summary.sort(), [
      'authorization-code-grant SUCCESS',
      'authorization-server-metadata SUCCESS',
      'authorization-server-metadata-cimd SUCCESS',
    ]);
    assert.equal(exitCode, 0);
  } finally {
    await server.close();
    await rm(output, { recursive: true, force: true, maxRetries: 3 });
  }

  async function visit(url: string, callback: string): Promise<void> {
    const told = await consent(server, url);
    await (await fetch(`${callback}?${told}`)).arrayBuffer();
  }
});

async function freePort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  await new Promise((resolve) => listener.close(resolve));
  return port;
}
