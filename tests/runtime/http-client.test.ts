import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { createHttpClient, HttpFailure, type HttpRequest } from '../../src/runtime/http-client.ts';
import { selfSigned } from '../support/certificate.ts';
import { startProxy, type TestProxy } from '../support/connect-proxy.ts';

const BOUNDS = { headersTimeoutMs: 5_000, bodyTimeoutMs: 5_000, maxBodyBytes: 10_000 };

describe('HTTP client', { timeout: 30_000 }, () => {
  let plain: Server;
  let secure: Server;
  let tls: { key: string; cert: string };
  let proxy: TestProxy;
  let connections = 0;
  const aborted: string[] = [];
  const handle: RequestListener = async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    switch (request.url) {
      case '/hang':
        return response.once('close', () => aborted.push('/hang'));
      case '/slow-body':
        return response.writeHead(200, { 'content-length': '100' }).write('x');
      case '/late-body':
        response.writeHead(200).write('first ');
        return setTimeout(() => response.end('last'), 100);
      case '/cut':
        return response.writeHead(200, { 'content-length': '100' }).write('x', () => response.destroy());
      case '/cut-chunked':
        return response.writeHead(200).write('x', () => response.destroy());
      case '/large':
        return response.end('x'.repeat(10_001));
      case '/redirect':
        return response.writeHead(302, { location: '/' }).end();
      default:
        return response.end(`${request.method} ${request.headers.host} ${body}`);
    }
  };
  before(async () => {
    tls = await selfSigned(['service.test', 'localhost']);
    plain = createServer(handle);
    secure = createSecureServer(tls, handle);
    for (const server of [plain, secure]) {
      server.on('connection', () => connections++);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
    proxy = await startProxy();
  });
  after(async () => {
    await proxy.stop();
    for (const server of [plain, secure]) {
      server.close();
      server.closeAllConnections();
    }
  });
  const port = (server: Server) => (server.address() as AddressInfo).port;
  const bench = (
    t: { after: (work: () => void) => void },
    env: Record<string, string> = {},
    connects = 4,
  ) => {
    const client = createHttpClient({ env, maxConnections: connects, ca: tls.cert });
    t.after(() => client.close());
    return (url: string, request: Partial<HttpRequest> = {}) =>
      client.send({ method: 'GET', url: new URL(url), headers: {}, ...BOUNDS, ...request });
  };
  const failure = async (work: Promise<unknown>): Promise<HttpFailure> => {
    const error = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof HttpFailure, String(error));
    return error;
  };

  test('keeps its connection, over http and https', async (t) => {
    const send = bench(t);
    for (const base of [`http://localhost:${port(plain)}`, `https://localhost:${port(secure)}`]) {
      const before = connections;
      for (let round = 0; round < 3; round++) {
        const answer = await send(`${base}/x`, { method: 'POST', body: 'größer' });
        assert.equal(answer.body, `POST ${new URL(base).host} größer`);
      }
      assert.equal(connections, before + 1);
    }
  });

  test('redirects are not followed', async (t) => {
    const { status } = await bench(t)(`http://localhost:${port(plain)}/redirect`);
    assert.equal(status, 302);
  });

  test('what was certainly not sent is told apart from what may have arrived', async (t) => {
    const send = bench(t);
    const base = `http://localhost:${port(plain)}`;
    assert.equal((await failure(send('http://127.0.0.1:1/'))).unsent, true);
    assert.equal((await failure(send('https://no-such-host.invalid/'))).unsent, true);
    assert.equal((await failure(send(`${base}/hang`, { headersTimeoutMs: 50 }))).unsent, false);
    for (const path of ['/cut', '/cut-chunked']) {
      assert.equal((await failure(send(base + path))).unsent, false, path);
    }
    assert.match((await failure(send(`${base}/slow-body`, { bodyTimeoutMs: 50 }))).message, /did not end/);
    const large = await failure(send(`${base}/large`));
    assert.deepEqual([large.tooLarge, large.unsent], [true, false]);
  });

  test('an unknown certificate is refused before anything is sent', async (t) => {
    const client = createHttpClient({ env: {}, maxConnections: 1 });
    t.after(() => client.close());
    const url = new URL(`https://localhost:${port(secure)}/`);
    const error = await failure(client.send({ method: 'GET', url, headers: {}, ...BOUNDS }));
    assert.match(error.message, /certificate/);
    assert.equal(error.unsent, true);
  });

  test('an abort ends a request without an answer, and lets one that has begun come to its end', async (t) => {
    const send = bench(t);
    const abort = new AbortController();
    const hanging = send(`http://localhost:${port(plain)}/hang`, { signal: abort.signal });
    const before = aborted.length;
    setTimeout(() => abort.abort(new Error('enough')), 30);
    await assert.rejects(hanging, /enough/);
    while (aborted.length === before) await new Promise((resolve) => setImmediate(resolve));
    await assert.rejects(send(`http://localhost:${port(plain)}/`, { signal: abort.signal }), /enough/);
    const later = new AbortController();
    const arriving = send(`http://localhost:${port(plain)}/late-body`, { signal: later.signal });
    setTimeout(() => later.abort(new Error('enough')), 60);
    assert.equal((await arriving).body, 'first last');
  });

  test('close ends requests under way', async () => {
    const client = createHttpClient({ env: {}, maxConnections: 1 });
    const url = new URL(`http://localhost:${port(plain)}/hang`);
    const hanging = failure(client.send({ method: 'GET', url, headers: {}, ...BOUNDS }));
    setTimeout(() => client.close(), 30);
    assert.equal((await hanging).unsent, false);
  });

  test('https goes through the proxy by a tunnel that is kept, with its credentials', async (t) => {
    const proxyUrl = proxy.url.replace('//', '//us%40er:pa%3Ass@');
    const send = bench(t, { HTTPS_PROXY: proxyUrl });
    proxy.requests.length = 0;
    const url = `https://service.test:${port(secure)}/x`;
    for (let round = 0; round < 3; round++) {
      const answer = await send(url, { method: 'POST', body: 'b' });
      assert.equal(answer.body, `POST service.test:${port(secure)} b`);
    }
    const authorization = `Basic ${Buffer.from('us@er:pa:ss').toString('base64')}`;
    assert.deepEqual(proxy.requests, [{ line: `CONNECT service.test:${port(secure)}`, authorization }]);
    await Promise.all([1, 2, 3].map(() => send(url)));
    assert.ok(proxy.requests.length <= 4);
  });

  test('http goes through the proxy by its whole URL', async (t) => {
    const send = bench(t, { HTTP_PROXY: proxy.url });
    proxy.requests.length = 0;
    const url = `http://service.test:${port(plain)}/x`;
    assert.equal((await send(url, { method: 'POST', body: 'b' })).status, 200);
    assert.deepEqual(proxy.requests, [{ line: `POST ${url}`, authorization: undefined }]);
  });

  test('the proxy itself may speak TLS', async (t) => {
    const secureProxy = await startProxy(tls);
    t.after(() => secureProxy.stop());
    const send = bench(t, { ALL_PROXY: secureProxy.url });
    for (const url of [`https://service.test:${port(secure)}/x`, `http://service.test:${port(plain)}/x`]) {
      assert.equal((await send(url)).status, 200, url);
    }
    assert.equal(secureProxy.requests.length, 2);
  });

  test('a proxy that refuses or is not there: nothing was sent, and the error names the proxy', async (t) => {
    const url = `https://service.test:${port(secure)}/`;
    proxy.refuseWith = 407;
    const refused = await failure(bench(t, { HTTPS_PROXY: proxy.url })(url)).finally(() => {
      proxy.refuseWith = undefined;
    });
    assert.equal(refused.unsent, true);
    assert.match(refused.message, /the proxy 127\.0\.0\.1:\d+ refused the connection with status 407/);
    const absent = await failure(bench(t, { HTTPS_PROXY: 'http://user:secret@127.0.0.1:1' })(url));
    assert.equal(absent.unsent, true);
    assert.match(absent.message, /the proxy 127\.0\.0\.1:1 cannot be used: .*ECONNREFUSED/);
    assert.doesNotMatch(absent.message, /secret/);
  });

  test('a certificate that is not for the name is refused through the proxy too', async (t) => {
    const send = bench(t, { HTTPS_PROXY: proxy.url });
    const error = await failure(send(`https://other.test:${port(secure)}/`));
    assert.match(error.message, /altnames|certificate/i);
    assert.equal(error.unsent, true);
  });
});
