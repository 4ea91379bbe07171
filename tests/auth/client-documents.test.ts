import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { ClientDocuments, type FetchDocument } from '../../src/auth/client-document.ts';
import { fetchDocument, guardedFetchDocument } from '../../src/auth/fetch-document.ts';
import { authorizeUrl, pkce, startAuthServer } from './support/auth-server.ts';

const ID = 'https://client.example/oauth/client.json';
const DOCUMENT = {
  client_id: ID,
  client_name: 'Client',
  redirect_uris: ['https://client.example/callback'],
  token_endpoint_auth_method: 'none',
};

/** Documents that one answer stands for, and how often it was asked for. */
function documents(answer: Partial<Awaited<ReturnType<FetchDocument>>> | (() => Promise<never>)) {
  let nowMs = 1_000_000;
  const fetched: string[] = [];
  const found = new ClientDocuments(
    async (url) => {
      fetched.push(url.href);
      if (typeof answer === 'function') return answer();
      return {
        status: 200,
        contentType: 'application/json',
        cacheControl: '',
        text: JSON.stringify(DOCUMENT),
        ...answer,
      };
    },
    () => nowMs,
  );
  return { found, fetched, pass: (ms: number) => (nowMs += ms) };
}

describe('client ID metadata documents', { timeout: 60_000 }, () => {
  test('a right one is read, its unusable redirect URIs left out', async () => {
    const text = JSON.stringify({
      ...DOCUMENT,
      redirect_uris: ['cursor://callback', 'http://localhost/callback', 'https://client.example/callback', 7],
      jwks_uri: 'https://client.example/keys',
    });
    const { found } = documents({ text, contentType: 'application/json; charset=utf-8' });
    assert.deepEqual(await found.get(ID), {
      name: 'Client',
      redirectUris: ['http://localhost/callback', 'https://client.example/callback'],
    });
  });

  const broken: Record<string, Parameters<typeof documents>[0]> = {
    'of another client': { text: JSON.stringify({ ...DOCUMENT, client_id: `${ID}?` }) },
    'without client_id': { text: JSON.stringify({ ...DOCUMENT, client_id: undefined }) },
    'without redirect URIs': { text: JSON.stringify({ ...DOCUMENT, redirect_uris: [] }) },
    'with a script as redirect URI alone': {
      text: JSON.stringify({ ...DOCUMENT, redirect_uris: ['javascript:alert(1)'] }),
    },
    'with a secret': { text: JSON.stringify({ ...DOCUMENT, client_secret: 'x' }) },
    'of a client that has to prove itself': {
      text: JSON.stringify({ ...DOCUMENT, token_endpoint_auth_method: 'private_key_jwt' }),
    },
    'that is no JSON': { text: '<html>' },
    'that is null': { text: 'null' },
    'that is an array': { text: '[]' },
    'with another media type': { contentType: 'text/html' },
    'with another status': { status: 404 },
    'behind a redirect': { status: 302, text: '' },
    'that cannot be fetched': async () => {
      throw new Error('connect ECONNREFUSED 10.0.0.1:443');
    },
  };
  for (const [name, answer] of Object.entries(broken)) {
    test(`one ${name} is none`, async () => {
      assert.equal(await documents(answer).found.get(ID), undefined);
    });
  }

  test('one that offers none among other methods will do', async () => {
    const text = JSON.stringify({
      ...DOCUMENT,
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
    });
    assert.ok(await documents({ text }).found.get(ID));
  });

  test('it is fetched once and remembered as long as it says, within bounds', async () => {
    for (const [cacheControl, keptMs] of [
      ['', 60 * 60_000],
      ['max-age=600', 600_000],
      ['public, max-age=1', 60_000],
      ['max-age=999999999', 24 * 60 * 60_000],
      ['no-store', 60_000],
    ] as const) {
      const { found, fetched, pass } = documents({ cacheControl });
      await Promise.all([found.get(ID), found.get(ID), found.get(ID)]);
      pass(keptMs - 1);
      await found.get(ID);
      assert.equal(fetched.length, 1, cacheControl);
      pass(2);
      await found.get(ID);
      assert.equal(fetched.length, 2, cacheControl);
    }
  });

  test('a failure is remembered for half a minute, a host asked ten times a minute', async () => {
    const { found, fetched, pass } = documents({ status: 500 });
    await found.get(ID);
    await found.get(ID);
    assert.equal(fetched.length, 1);
    pass(30_001);
    await found.get(ID);
    assert.equal(fetched.length, 2);
    for (let n = 0; n < 50; n++) await found.get(`${ID}?${n}`);
    assert.equal(fetched.length, 10);
    pass(60_001);
    await found.get(`${ID}?new`);
    assert.equal(fetched.length, 11);
  });

  test('no more than eight are fetched at once', async () => {
    const waiting: (() => void)[] = [];
    const found = new ClientDocuments(
      (url) =>
        new Promise((resolve) => {
          const text = JSON.stringify({ ...DOCUMENT, client_id: url.href });
          waiting.push(() =>
            resolve({ status: 200, contentType: 'application/json', cacheControl: '', text }),
          );
        }),
      () => 0,
    );
    const asked = Array.from({ length: 20 }, (_, n) => found.get(`https://c${n}.example/id`));
    assert.equal(waiting.length, 8);
    const usual = found.get('https://chatgpt.com/oauth/client.json');
    assert.equal(waiting.length, 9, 'strangers do not keep the usual clients out');
    for (const answer of waiting) answer();
    assert.ok(await usual);
    assert.equal((await Promise.all(asked)).filter(Boolean).length, 8);
  });

  test('an id that leads inward or has two spellings is not fetched, and says nothing of what is there', async () => {
    const server = await startAuthServer({ fetchDocument });
    try {
      const texts = new Set<string>();
      for (const client_id of [
        'https://127.0.0.1/client.json',
        'https://localhost/client.json',
        `https://localhost:${new URL(server.base).port}/client.json`,
        'https://[::1]/client.json',
        'https://[::ffff:127.0.0.1]/client.json',
        'https://169.254.169.254/latest/meta-data/',
        'https://10.0.0.1/client.json',
        'https://2130706433/client.json',
        'https://0x7f.1/client.json',
        'https://client.example/../client.json',
        'https://client.example/a/%2e%2e/client.json',
        'https://CLIENT.example/client.json',
        'https://client.example:443/client.json',
        'https://client.example',
        'https://client.example/',
        'https://user@client.example/client.json',
        'https://client.example/client.json#x',
        'https://client.example/client json',
      ]) {
        const response = await fetch(authorizeUrl(server, client_id, pkce().challenge), {
          redirect: 'manual',
        });
        assert.equal(response.status, 400, client_id);
        texts.add(await response.text());
      }
      assert.equal(texts.size, 1, 'one answer for all of them');
    } finally {
      await server.close();
    }
  });
});

describe('fetching a document over https', { timeout: 30_000 }, () => {
  let folder: string;
  let server: Server;
  let base: string;
  let ca: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lc-cimd-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    await promisify(execFile)('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', cert]);
    ca = await readFile(cert, 'utf8');
    server = createServer({ key: await readFile(key), cert: ca }, (request, response) => {
      const json = { 'content-type': 'application/json', 'cache-control': 'max-age=60' };
      if (request.url === '/client.json') return response.writeHead(200, json).end('{"client_id":"x"}');
      if (request.url === '/redirect') return response.writeHead(302, { location: '/client.json' }).end('{}');
      if (request.url === '/large') return response.writeHead(200, json).end('x'.repeat(17 * 1024));
      if (request.url === '/slow') return response.writeHead(200, json).write('{'); // and never ends
      return response.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    base = `https://localhost:${(server.address() as AddressInfo).port}`;
  });
  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true, force: true });
  });

  const get = (path: string, timeoutMs = 5_000) =>
    guardedFetchDocument({ ca, allowAddress: () => true })(
      new URL(path, base),
      AbortSignal.timeout(timeoutMs),
    );

  test('it comes with what caching needs; a redirect is not followed', async () => {
    assert.deepEqual(await get('/client.json'), {
      status: 200,
      contentType: 'application/json',
      cacheControl: 'max-age=60',
      text: '{"client_id":"x"}',
    });
    assert.equal((await get('/redirect')).status, 302);
  });

  test('too large, too slow, broken off and private ones are errors', async () => {
    await assert.rejects(get('/large'), /more than 16384 bytes/);
    await assert.rejects(get('/slow', 200), { name: 'TimeoutError' });
    await assert.rejects(get('/broken'));
    await assert.rejects(fetchDocument(new URL('/client.json', base), AbortSignal.timeout(5_000)), {
      name: 'PrivateAddressError',
    });
  });
});
