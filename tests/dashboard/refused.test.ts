import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { openLinkTable } from '../../src/dashboard/link-table.ts';
import { hashOf, LoginLinks, newSecret } from '../../src/dashboard/login-links.ts';
import { json, type Page, type PageServer, proof, startPage } from './support/page-server.ts';

/** What anybody who reaches the listener may ask for: it is the same for all and holds no data. */
const OPEN = new Set(['GET /', 'GET /page/app.js', 'GET /page/app.css', 'POST /page/login']);

let server: PageServer;
let page: Page;
let routes: { method: string; path: string }[];

before(async () => {
  server = await startPage();
  page = await server.login();
  routes = server.dashboard.routes.map(({ method, path }) => ({
    method,
    path: path.replace(/:\w+/g, 'c1'),
  }));
});
after(() => server.close());

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

/** A request with exactly these headers, which fetch would not send. */
function raw(method: string, path: string, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const body = method === 'POST' ? '{}' : undefined;
    const sent = request(
      `${server.origin}${path}`,
      {
        method,
        headers: {
          accept: 'text/html',
          ...(body && { 'content-type': 'application/json', 'content-length': '2' }),
          ...headers,
        },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
          if (path === '/page/events') answer.destroy();
        });
        answer.on('close', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

function closedRoutes() {
  const closed = routes.filter(({ method, path }) => !OPEN.has(`${method} ${path}`));
  assert.ok(closed.length >= 20, 'the list is that of the real routes');
  return closed;
}

async function eachIsRefused(
  which: readonly { method: string; path: string }[],
  headers: (route: { method: string; path: string }) => Record<string, string>,
  statuses: readonly number[],
) {
  for (const route of which) {
    const answer = await raw(route.method, route.path, headers(route));
    assert.ok(
      statuses.includes(answer.status),
      `${route.method} ${route.path}: ${answer.status} ${answer.body}`,
    );
    assert.equal(JSON.parse(answer.body).ok ?? false, false);
  }
}

const changing = () => closedRoutes().filter(({ method }) => method !== 'GET');

describe('the page refuses', () => {
  test('every route without a login', () => eachIsRefused(closedRoutes(), () => ({}), [401]));

  test('every route with a session that never was', () =>
    eachIsRefused(closedRoutes(), () => proof({ session: newSecret(), csrf: newSecret() }), [401]));

  test('every route for a foreign Host', () =>
    eachIsRefused(routes, () => ({ ...proof(page), host: `evil.example:${server.port}` }), [403]));

  test('every route from a foreign Origin, the dev server on another port among them', async () => {
    await eachIsRefused(routes, () => ({ ...proof(page), origin: 'https://evil.example' }), [403]);
    await eachIsRefused(routes, () => ({ ...proof(page), origin: 'http://127.0.0.1:5173' }), [403]);
    await eachIsRefused(routes, () => ({ ...proof(page), origin: 'null' }), [403]);
  });

  test('every route from the same port under another name of this machine, which may be somebody else there', async () => {
    for (const name of ['localhost', '[::1]']) {
      await eachIsRefused(routes, () => ({ ...proof(page), origin: `http://${name}:${server.port}` }), [403]);
    }
    const own = { ...proof(page), origin: server.origin };
    assert.equal((await raw('GET', '/page/status', own)).status, 200);
    const byName = {
      ...proof(page),
      host: `localhost:${server.port}`,
      origin: `http://localhost:${server.port}`,
    };
    assert.equal((await raw('GET', '/page/status', byName)).status, 200);
  });

  test('every route that another site or port asks for without an Origin', async () => {
    for (const site of ['cross-site', 'same-site']) {
      const headers = () => ({ ...proof(page), 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors' });
      await eachIsRefused(routes, headers, [403]);
    }
  });

  test('following a link from elsewhere to anything but the page itself', async () => {
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    assert.equal((await raw('GET', '/', link)).status, 200);
    await eachIsRefused(
      routes.filter(({ path }) => path !== '/'),
      () => ({ ...proof(page), ...link }),
      [403],
    );
  });

  test('every change without the CSRF token, with a wrong one, and with that of another session', async () => {
    const other = await server.login();
    const { session } = page;
    await eachIsRefused(changing(), () => ({ 'x-local-coder-session': session }), [403]);
    await eachIsRefused(changing(), () => proof({ session, csrf: newSecret() }), [403]);
    await eachIsRefused(changing(), () => proof({ session, csrf: other.csrf }), [403]);
  });

  test('every change whose body is no JSON', () =>
    eachIsRefused(changing(), () => ({ ...proof(page), 'content-type': 'text/plain' }), [415]));

  test('a change whose body has no length, or is too large', async () => {
    const chunked = { ...proof(page), 'transfer-encoding': 'chunked', 'content-length': '' };
    const answer = await raw('POST', '/page/history/redo', chunked).catch(() => ({ status: 400 }));
    assert.ok([400, 413].includes(answer.status), String(answer.status));
    const large = await server.post(page, '/page/processes/p1/input', { text: 'x'.repeat(300_000) });
    assert.equal(large.status, 413, await large.text());
  });

  test('a cookie in the place of the header', () =>
    eachIsRefused(
      closedRoutes(),
      () => ({ cookie: `x-local-coder-session=${page.session}; session=${page.session}` }),
      [401],
    ));

  test('every route after the logout', async () => {
    const gone = await server.login();
    assert.equal((await server.get(gone, '/page/status')).status, 200);
    assert.equal((await server.post(gone, '/page/logout')).status, 200);
    await eachIsRefused(closedRoutes(), () => proof(gone), [401]);
  });

  test('what is not there, in the same way for who is logged in and who is not', async () => {
    assert.equal((await server.send('/page/nothing')).status, 401);
    assert.equal((await server.get(page, '/page/nothing')).status, 404);
  });
});

describe('the login', () => {
  test('uses a link once', async () => {
    const token = server.links.add(60_000);
    const logins = server.logins;
    assert.equal((await server.send('/page/login', json({ token }))).status, 200);
    assert.equal((await server.send('/page/login', json({ token }))).status, 401);
    assert.equal(server.logins, logins + 1);
  });

  test('of two at once lets one in', async () => {
    const token = server.links.add(60_000);
    const statuses = await Promise.all(
      [1, 2, 3].map(async () => (await server.send('/page/login', json({ token }))).status),
    );
    assert.deepEqual(statuses.sort(), [200, 401, 401]);
  });

  test('refuses a link that has expired', () => {
    let nowMs = 1_000;
    const links = new LoginLinks(() => nowMs);
    const hash = hashOf(links.add(500));
    nowMs = 1_501;
    assert.equal(links.take(hash), false);
  });

  test('takes links from the state database: of this server, once, in time', async () => {
    const table = await openLinkTable(server.stateDir);
    const [owner, other] = [await server.parts.owner(), { pid: 1, startTime: 'other' }];
    const [good, foreign, late] = [newSecret(), newSecret(), newSecret()];
    table.add(owner, hashOf(good), Date.now() + 60_000);
    table.add(other, hashOf(foreign), Date.now() + 60_000);
    table.add(owner, hashOf(late), Date.now() - 1);
    const status = async (token: string) => (await server.send('/page/login', json({ token }))).status;
    assert.deepEqual([await status(good), await status(good)], [200, 401]);
    assert.deepEqual([await status(foreign), await status(late)], [401, 401]);
    table.close();
  });

  test('tires of wrong links, and still knows a right one', async () => {
    let answer = 0;
    for (let attempt = 0; attempt < 60 && answer !== 429; attempt++) {
      answer = (await server.send('/page/login', json({ token: newSecret() }))).status;
    }
    assert.equal(answer, 429);
    assert.equal((await server.send('/page/login', json({ token: 7 }))).status, 429);
    assert.ok((await server.login()).session);
  });
});

describe('every answer of the page', () => {
  test('carries the headers that keep it to itself', async () => {
    for (const { method, path } of routes) {
      const answer = await raw(method, path, proof(page));
      const { headers } = answer;
      const name = `${method} ${path}`;
      assert.match(
        String(headers['content-security-policy']),
        /^default-src 'none'; .*frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types local-coder$/,
        name,
      );
      assert.doesNotMatch(String(headers['content-security-policy']), /unsafe/, name);
      assert.equal(headers['x-frame-options'], 'DENY', name);
      assert.equal(headers['x-content-type-options'], 'nosniff', name);
      assert.equal(headers['referrer-policy'], 'no-referrer', name);
      assert.equal(headers['cross-origin-opener-policy'], 'same-origin', name);
      assert.equal(headers['cross-origin-resource-policy'], 'same-origin', name);
      assert.match(String(headers['cache-control']), /no-store|no-cache/, name);
      assert.equal(headers['set-cookie'], undefined, name);
      if (path === '/page/logout') page = await server.login();
    }
  });

  test('that holds no data is told by its ETag', async () => {
    const first = await server.send('/page/app.js');
    const etag = first.headers.get('etag') ?? '';
    assert.match(etag, /^"[\w-]{22}"$/);
    const again = await server.send('/page/app.js', { headers: { 'if-none-match': etag } });
    assert.equal(again.status, 304);
  });
});

describe('at / are the page and MCP', () => {
  test('and Accept decides', async () => {
    const browser = await server.send('/', { headers: { accept: 'text/html,*/*;q=0.8' } });
    assert.match(browser.headers.get('content-type') ?? '', /^text\/html/);
    assert.equal((await server.send('/', { headers: { accept: 'text/event-stream' } })).status, 405);
    const mcp = await server.send('/', {
      ...json({ jsonrpc: '2.0', id: 1, method: 'ping' }),
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    });
    assert.deepEqual(await mcp.json(), { jsonrpc: '2.0', id: 1, result: {} });
  });

  test('HEAD is answered, and so is the icon that browsers ask for', async () => {
    const head = await server.send('/', { method: 'HEAD', headers: { accept: 'text/html' } });
    assert.deepEqual([head.status, await head.text()], [200, '']);
    assert.equal((await server.send('/favicon.ico')).status, 204);
  });
});
