/** Strangers at the public port of the real program, while the owner's client works on the private one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isLinux } from '../../src/runtime/platform.ts';
import { freePort } from '../../src/tunnel/free-port.ts';
import { startServer } from '../support/programs.ts';

const STRANGERS = 300;
const MALFORMED = [
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
  'POST /mcp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n',
  'POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx',
  `POST /mcp HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`,
  'POST /mcp HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\nContent-Length: 99999999999\r\n\r\n',
  'CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n',
  `GET http://127.0.0.1/mcp HTTP/1.1\r\nHost: x\r\n\r\n`,
];

test('slow, many, oversized and malformed requests leave a well-behaved client in peace', {
  timeout: 60_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lc-hostile-'));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const server = await startServer({
    cwd: folder,
    args: ['--state-dir', join(folder, 'state'), '--public-url', origin, '--public-port', String(port)],
  });
  const sockets: Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    return server.stop();
  });
  while (!server.stdout.includes('Server URL')) await new Promise((resolve) => setTimeout(resolve, 25));

  const call = async () => {
    const started = performance.now();
    const answer = await fetch(server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_allowed_directories","arguments":{}}}',
    });
    assert.match(await answer.text(), /"ok\\":true/);
    return performance.now() - started;
  };
  const medianMs = async () => {
    const times: number[] = [];
    for (let count = 0; count < 100; count++) times.push(await call());
    return times.sort((a, b) => a - b)[50] ?? 0;
  };
  const residentKiB = () =>
    isLinux ? Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1]) : 0;

  await medianMs(); // everything is loaded
  await fetch(`${origin}/mcp`);
  const [quietMs, quietKiB] = [await medianMs(), residentKiB()];

  const dial = async (text: string) => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(text);
    return socket;
  };
  for (const text of MALFORMED) {
    const socket = await dial(text);
    // Answered or dropped; never as if it were a request of ours.
    const [answer = ''] = await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => [''])]);
    assert.match(String(answer), /^(HTTP\/1\.1 4\d\d |$|false$)/, text.slice(0, 60));
  }
  const half = 'Host: x\r\nContent-Type: application/json\r\nContent-Length: 262144\r\n\r\n{"a":"';
  for (let count = 0; count < STRANGERS; count++) {
    const kind = count % 3;
    await dial(
      kind === 0
        ? 'POST /mcp HTTP/1.1\r\nHost: x\r\nX-Slow: '
        : `POST /${kind === 1 ? 'mcp' : 'register'} HTTP/1.1\r\n${half}${'x'.repeat(100_000)}`,
    );
  }
  const [hostileMs, hostileKiB] = [await medianMs(), residentKiB()];
  // A shared machine's own hiccups are a few milliseconds.
  assert.ok(hostileMs < 2 * quietMs + 5, `${hostileMs} ms, quiet ${quietMs} ms`);
  assert.ok(hostileKiB <= 2 * quietKiB, `${hostileKiB} KiB, quiet ${quietKiB} KiB`);
});
