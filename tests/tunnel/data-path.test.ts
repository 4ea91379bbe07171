/** The public listener and the proof that an address leads to it. */
import assert from 'node:assert/strict';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type Listener, listen } from '../../src/http/listener.ts';
import { createPublicApp } from '../../src/http/public-app.ts';
import type { RequestLine } from '../../src/http/request-log.ts';
import type { McpEndpoint } from '../../src/mcp/http.ts';
import { PlainAnswer } from '../../src/mcp/plain-answer.ts';
import { createHttpClient } from '../../src/runtime/http-client.ts';
import { createDataPath } from '../../src/tunnel/data-path.ts';
import { HealthKey } from '../../src/tunnel/health-key.ts';

describe('the public listener', () => {
  const health = new HealthKey();
  const client = createHttpClient({ env: {}, maxConnections: 4 });
  const path = createDataPath(health, client);
  const { signal } = new AbortController();
  const lines: RequestLine[] = [];
  const limits: (number | undefined)[] = [];
  let streams = true;
  let listener: Listener;
  let origin: string;
  const forwarders: Server[] = [];

  const mcp: McpEndpoint = {
    async fetch(_request, _summary, _onCall, bounds) {
      limits.push(bounds?.answerByMs);
      const events =
        ': open\n\nevent: message\ndata: {"jsonrpc":"2.0","method":"notifications/progress"}\n\nevent: message\ndata: {"jsonrpc":"2.0","id":1,"result":{"ä":1}}\n\n';
      const { Readable } = await import('node:stream');
      // One byte at a time: events are cut anywhere, characters too.
      const body = Readable.from([...Buffer.from(events)].map((byte) => Buffer.from([byte])));
      return new PlainAnswer(200, { 'content-type': 'text/event-stream' }, body);
    },
    close: async () => {},
  };
  before(async () => {
    const app = createPublicApp({
      auth: { kind: 'url', matches: async (secret) => secret === 'right' },
      mcp: () => mcp,
      health,
      streams: () => streams,
      served: () => [],
      onRequest: (line) => lines.push(line),
      onError: (error) => assert.fail(error),
    });
    listener = await listen(app.fetch, { host: '127.0.0.1', port: 0 }, { strangers: true });
    origin = `http://127.0.0.1:${listener.port}`;
  });
  after(async () => {
    client.close();
    for (const server of forwarders) server.close();
    await listener.close(0);
  });

  const forwarder = async (collects: boolean): Promise<string> => {
    const server = createServer((incoming, outgoing) => {
      const { method, url, headers } = incoming;
      const onward = request(
        { host: '127.0.0.1', port: listener.port, method, path: url, headers },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 0, answer.headers);
          outgoing.flushHeaders(); // headers may come early, and what counts is the body
          if (!collects) return answer.pipe(outgoing);
          const chunks: Buffer[] = [];
          answer.on('data', (chunk) => chunks.push(chunk));
          answer.on('end', () => outgoing.end(Buffer.concat(chunks)));
        },
      );
      incoming.pipe(onward);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    forwarders.push(server);
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  test('an address is proven by the answer of this very process', async () => {
    assert.deepEqual(await path.probe(origin, signal), { ok: true });
    const other = createDataPath(new HealthKey(), client);
    assert.deepEqual(await other.probe(origin, signal), {
      ok: false,
      offline: false,
      why: 'something else answers there',
    });
    const dead = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => dead.once('listening', resolve));
    const { port } = dead.address() as AddressInfo;
    await new Promise((resolve) => dead.close(resolve));
    const nobody = await path.probe(`http://127.0.0.1:${port}`, signal);
    assert.ok(!nobody.ok && !nobody.offline && /ECONNREFUSED/.test(nobody.why));
  });

  test('whether streams arrive piece by piece', async () => {
    assert.equal(await path.streams(await forwarder(false), signal), true);
    assert.equal(await path.streams(await forwarder(true), signal), false);
    assert.equal(await path.streams('http://127.0.0.1:9', signal), false);
  });

  test('nobody learns anything without proof', async () => {
    const probes: [string, RequestInit?][] = [
      ['/'],
      ['/health'],
      ['/health?nonce=x'],
      [`/health?nonce=${'a'.repeat(200)}`],
      ['/health?nonce=12345678', { method: 'POST' }],
      ['/mcp', { method: 'POST' }],
      ['/mcp/wrong', { method: 'POST' }],
      ['/mcp/right/more', { method: 'POST' }],
      ['/mcp/right', { method: 'PUT' }],
      ['/files/token/name'],
      ['/.well-known/oauth-authorization-server'],
    ];
    for (const [at, init] of probes) {
      const answer = await fetch(origin + at, init);
      assert.equal(answer.status, 404, at);
      assert.equal(await answer.text(), '{"error":"not_found"}', at);
    }
  });

  test('the body of a stranger is not read', async () => {
    const { connect } = await import('node:net');
    const answered = await new Promise<string>((resolve, reject) => {
      const socket = connect(listener.port, '127.0.0.1', () => {
        // Announced, begun, and never ended: whoever reads it first would wait for ever.
        socket.write(
          'POST /mcp/wrong HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 30000000\r\n\r\n{"jsonrpc"',
        );
      });
      socket.setTimeout(10_000, () => reject(new Error('no answer')));
      socket.once('data', (data) => {
        socket.destroy();
        resolve(String(data));
      });
      socket.once('error', reject);
    });
    assert.match(answered, /^HTTP\/1\.1 404/);
  });

  test('Host and Origin of strangers are let through: a tunnel delivers any', async () => {
    const answer = await client.send({
      method: 'POST',
      url: new URL('/mcp/right', origin),
      headers: {
        host: 'x.trycloudflare.com',
        origin: 'https://chatgpt.com',
        'content-type': 'application/json',
      },
      body: '{}',
      headersTimeoutMs: 5_000,
      bodyTimeoutMs: 5_000,
      maxBodyBytes: 10_000,
    });
    assert.equal(answer.status, 200);
    assert.match(String(answer.headers['content-type']), /event-stream/);
  });

  test('where streams are collected the answer is plain JSON, and has to be there sooner', async () => {
    streams = false;
    limits.length = 0;
    const answer = await fetch(`${origin}/mcp/right`, { method: 'POST', body: '{}' });
    streams = true;
    assert.equal(answer.headers.get('content-type'), 'application/json');
    assert.deepEqual(await answer.json(), { jsonrpc: '2.0', id: 1, result: { ä: 1 } });
    const [byMs = 0] = limits;
    assert.ok(byMs - performance.now() < 15_000 && byMs - performance.now() > 5_000);
  });

  test('no secret in the request lines', () => {
    assert.ok(lines.length > 5);
    for (const { path: shown } of lines) assert.doesNotMatch(shown, /right|wrong|token/);
  });
});
