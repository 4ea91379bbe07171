import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { startTestServer, type TestServer } from '../support/test-server.ts';

describe('the guard of the private listener', { timeout: 30_000 }, () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.close());

  // fetch would not let a test choose its Host.
  const send = (path: string, method: string, headers: Record<string, string>, body = '') =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const request = httpRequest(
        { host: '127.0.0.1', port: server.port, path, method, headers },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
  const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

  test('a loopback Host with our port is served', async () => {
    for (const name of ['127.0.0.1', 'localhost', 'LOCALHOST', '[::1]']) {
      const answer = await send('/mcp', 'POST', { ...json, host: `${name}:${server.port}` }, ping);
      assert.equal(answer.status, 200, name);
    }
  });

  test('any other Host is refused, on every route', async () => {
    const hosts = [
      'evil.example',
      `evil.example:${server.port}`,
      `127.0.0.1:${server.port + 1}`,
      '127.0.0.1',
      `127.0.0.1.evil.example:${server.port}`,
      `localhost.:${server.port}`,
      `0.0.0.0:${server.port}`,
      `127.0.0.1:${server.port}@evil.example`,
      `127.0.0.1:0${server.port}x`,
    ];
    for (const host of hosts) {
      for (const [path, method] of [
        ['/mcp', 'POST'],
        ['/', 'POST'],
        ['/health', 'GET'],
        ['/mcp', 'GET'],
        ['/nothing', 'GET'],
      ]) {
        const answer = await send(path!, method!, { ...json, host }, method === 'POST' ? ping : '');
        // A Host that is no host at all is refused by the HTTP layer itself.
        assert.ok([400, 403].includes(answer.status), `${host} ${method} ${path} → ${answer.status}`);
      }
    }
  });

  test('an Origin other than ours is refused, the port included', async () => {
    const host = `127.0.0.1:${server.port}`;
    const refused = [
      'https://evil.example',
      `http://localhost:${server.port + 1}`,
      `https://127.0.0.1:${server.port}`,
      'null',
      'file://',
      'http://localhost',
    ];
    for (const origin of refused) {
      assert.equal((await send('/mcp', 'POST', { ...json, host, origin }, ping)).status, 403, origin);
      assert.equal((await send('/health', 'GET', { host, origin })).status, 403, origin);
    }
    assert.equal(
      (await send('/mcp', 'POST', { ...json, host, origin: `http://localhost:${server.port}` }, ping)).status,
      200,
    );
  });

  test('a POST that a form or a simple request could send is refused', async () => {
    const host = `127.0.0.1:${server.port}`;
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/jsonp',
      'text/plain; application/json',
    ]) {
      assert.equal((await send('/mcp', 'POST', { host, 'content-type': type }, ping)).status, 415, type);
    }
    assert.equal((await send('/mcp', 'POST', { host }, ping)).status, 415, 'no content type');
    assert.equal(
      (await send('/mcp', 'POST', { ...json, 'content-type': 'application/json; charset=utf-8', host }, ping))
        .status,
      200,
    );
  });

  test('a preflight is answered without any permission', async () => {
    const answer = await send('/mcp', 'OPTIONS', {
      host: `127.0.0.1:${server.port}`,
      origin: 'https://evil.example',
    });
    assert.equal(answer.status, 403);
    const own = await send('/mcp', 'OPTIONS', { host: `127.0.0.1:${server.port}` });
    assert.equal(own.status, 404);
  });
});
