import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { post, startTestServer, type TestServer } from '../support/test-server.ts';

const JSON_HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

// That they load no Web API is tested on the bundle (tests/build): an `import` of node:http loads it, `require` does not.
describe('everyday requests', { timeout: 60_000 }, () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.close());

  test('what is not one of them is answered by the other way, with its body', async () => {
    const parseError = await send('POST', '/mcp', JSON_HEADERS, '{"jsonrpc":');
    assert.equal(parseError.status, 400);
    assert.match(parseError.text, /-32700/);
    const unknown = await post(server.url, { jsonrpc: '2.0', id: 7, method: 'nothing/known' });
    assert.match(JSON.stringify(unknown), /-32601/);
    const chunked = await send('POST', '/mcp', { ...JSON_HEADERS, 'transfer-encoding': 'chunked' }, PING);
    assert.deepEqual(
      [chunked.status, JSON.parse(chunked.text)],
      [200, { jsonrpc: '2.0', id: 1, result: {} }],
    );
    const long = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'ping',
      params: { pad: 'x'.repeat(300_000) },
    });
    assert.equal((await send('POST', '/mcp', JSON_HEADERS, long)).status, 200);
    const head = await send('HEAD', '/health', {}, '');
    assert.deepEqual([head.status, head.text], [200, '']);
  });

  test('a stranger’s large body is refused before it is read', async () => {
    const headers = { ...JSON_HEADERS, host: 'evil.example', 'content-length': '20000000' };
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest(
        { port: server.port, method: 'POST', path: '/mcp', headers },
        (response) => {
          resolve(response.statusCode);
          request.destroy();
        },
      );
      request.on('error', reject);
      request.flushHeaders(); // and nothing of the body
    });
    assert.equal(status, 403);
  });

  test('a client that goes away while it sends its body leaves the server well', async () => {
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    const head = [
      'POST /mcp HTTP/1.1',
      `Host: 127.0.0.1:${server.port}`,
      'Content-Type: application/json',
      'Content-Length: 1000',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n{"jsonrpc"`);
    socket.destroy();
    await once(socket, 'close');
    assert.equal((await send('POST', '/mcp', JSON_HEADERS, PING)).status, 200);
    assert.deepEqual(server.defects, []);
  });

  test('many strangers made the server keep many bodies before it had looked at any request', async (t) => {
    const sockets = await Promise.all(
      Array.from({ length: 32 }, async () => {
        const socket = connect(server.port, '127.0.0.1');
        await once(socket, 'connect');
        socket.on('error', () => {});
        socket.write(
          'POST /mcp HTTP/1.1\r\nHost: evil.example\r\nContent-Type: application/json\r\nContent-Length: 262144\r\n\r\n{',
        );
        return socket;
      }),
    );
    t.after(() => {
      for (const socket of sockets) socket.destroy();
    });
    const next = connect(server.port, '127.0.0.1');
    t.after(() => next.destroy());
    next.write('POST /mcp HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 9\r\n\r\n');
    const [answer] = await once(next, 'data'); // though nothing of its body was sent
    assert.match(String(answer), /^HTTP\/1\.1 403/);
    assert.equal((await send('POST', '/mcp', JSON_HEADERS, PING)).status, 200);
  });

  const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
  function send(method: string, path: string, headers: Record<string, string>, body: string) {
    return new Promise<{ status: number; text: string }>((resolve, reject) => {
      const request = httpRequest({ port: server.port, method, path, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      request.on('error', reject);
      request.end(body === '' ? undefined : body);
    });
  }
});
