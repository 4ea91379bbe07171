import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createDashboard } from '../../src/dashboard/dashboard.ts';
import { runToEnd, shapesUnderTest, startServer } from '../support/programs.ts';
import { linksIn, onTerminal } from './support/on-terminal.ts';
import { json, type Page, proof, startPage, until } from './support/page-server.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lc-page-program-'));
});
after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));

const stateArgs = (name: string) => ['--state-dir', join(folder, name)];

async function logIn(url: string, token: string): Promise<{ status: number; page: Page }> {
  const answer = await fetch(`${url}/page/login`, json({ token }));
  return { status: answer.status, page: (await answer.json()) as Page };
}

/** Every address of the page, from its own list of routes. */
async function pageRoutes(): Promise<{ method: string; path: string }[]> {
  const server = await startPage();
  try {
    return createDashboard(server.parts).routes.map(({ method, path }) => ({
      method,
      path: path.replace(/:\w+/g, 'c1'),
    }));
  } finally {
    await server.close();
  }
}

async function knowsNothingOfThePage(origin: string): Promise<void> {
  for (const { method, path } of [...(await pageRoutes()), { method: 'GET', path: '/favicon.ico' }]) {
    const answer = await fetch(`${origin}${path}`, {
      method,
      headers: { accept: 'text/html', 'content-type': 'application/json' },
      ...(method === 'POST' ? { body: '{}' } : {}),
    });
    assert.equal(answer.status, 404, `${method} ${path}`);
    assert.deepEqual(await answer.json(), { error: 'not_found' }, `${method} ${path}`);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('where others reach the server there is no page', () => {
  test('on the public listener, to which tunnels lead', async () => {
    const port = await freePort();
    const server = await startServer({
      cwd: folder,
      args: ['--public-url', 'https://page.example', '--public-port', String(port), ...stateArgs('public')],
    });
    try {
      const origin = `http://127.0.0.1:${port}`;
      await until(
        () =>
          fetch(origin).then(
            () => true,
            () => false,
          ),
        'the public listener is open',
      );
      await knowsNothingOfThePage(origin);
      const own = await fetch(`http://127.0.0.1:${server.port}/`, { headers: { accept: 'text/html' } });
      assert.equal(own.status, 200, 'beside it the private listener has the page');
    } finally {
      await server.stop();
    }
  });

  test('on a --host that others reach', async (t) => {
    if (process.platform !== 'linux') return t.skip('only on Linux is all of 127.0.0.0/8 there');
    const args = ['--host', '127.0.0.2', ...stateArgs('host')];
    const server = await startServer({ cwd: folder, args });
    try {
      await knowsNothingOfThePage(`http://127.0.0.2:${server.port}`);
      assert.doesNotMatch(server.stdout, /Page|#login=/);
    } finally {
      await server.stop();
    }
  });
});

for (const shape of shapesUnderTest()) {
  describe(`the link to the page: ${shape}`, { timeout: 60_000 }, () => {
    test('is not shown where standard output is no terminal, and neither is that of the command', async () => {
      const server = await startServer({ shape, cwd: folder, args: stateArgs('quiet') });
      try {
        assert.doesNotMatch(server.stdout + server.stderr, /#login=/);
        const command = await runToEnd({
          shape,
          cwd: folder,
          args: ['page', '--port', String(server.port), ...stateArgs('quiet')],
        });
        assert.equal(command.exitCode, 1);
        assert.match(command.stderr, /on a terminal only/);
        assert.doesNotMatch(command.stdout, /#login=/);
      } finally {
        await server.stop();
      }
    });

    test('stands on the terminal; a used one is followed by the next; no log holds a token', async (t) => {
      if (process.platform === 'win32')
        return t.skip('only on Linux and macOS: there is no pseudo-terminal for the test');
      const state = stateArgs(`terminal-${shape}`);
      const server = await onTerminal({ shape, cwd: folder, args: ['--port', '0', ...state] });
      try {
        await until(() => linksIn(server.text).length === 1, 'the card shows a link');
        const [first] = linksIn(server.text);
        const { url, token } = first!;
        const { status, page } = await logIn(url, token);
        assert.equal(status, 200);
        await until(() => linksIn(server.text).length === 2, 'the next link is shown');
        assert.equal((await logIn(url, token)).status, 401);
        const shown = await fetch(`${url}/page/status`, { headers: proof(page) });
        assert.equal(shown.status, 200);

        const port = new URL(url).port;
        const command = await onTerminal({ shape, cwd: folder, args: ['page', '--port', port, ...state] });
        assert.equal(await command.exited, 0, command.text);
        const [fresh] = linksIn(command.text);
        assert.equal((await logIn(url, fresh!.token)).status, 200);
        assert.equal((await logIn(url, fresh!.token)).status, 401);

        const byTool = await onTerminal({
          shape,
          cwd: folder,
          args: ['page', '--port', port, ...state],
          env: { LOCAL_CODER_PROCESS: 'x.p1' },
        });
        assert.equal(await byTool.exited, 1);
        assert.equal(linksIn(byTool.text).length, 0, 'no link for what a tool started');

        const stream = await fetch(`${url}/page/events`, { headers: proof(page) });
        assert.equal(stream.status, 200);
        const stopping = performance.now();
        await server.stop();
        assert.ok(performance.now() - stopping < 4_000, 'an open page does not hold up the end');
        for (const { token: used } of [first!, fresh!]) {
          assert.equal(server.text.split(used).length - 1, used === token ? 1 : 0, 'only the card has it');
        }
      } finally {
        await server.stop().catch(() => {});
      }
    });
  });
}

describe('with --host localhost', () => {
  test('the links name the address that is listened on: under the name somebody else may listen on the other one', async (t) => {
    if (process.platform === 'win32')
      return t.skip('only on Linux and macOS: there is no pseudo-terminal for the test');
    const state = stateArgs('localhost');
    const server = await onTerminal({ cwd: folder, args: ['--host', 'localhost', '--port', '0', ...state] });
    try {
      await until(() => linksIn(server.text).length === 1, 'the card shows a link');
      const { url, token } = linksIn(server.text)[0]!;
      assert.match(url, /^http:\/\/(127\.0\.0\.1|\[::1\]):\d+$/);
      assert.equal((await logIn(url, token)).status, 200);
      const args = ['page', '--port', new URL(url).port, ...state];
      const command = await onTerminal({ cwd: folder, args });
      assert.equal(await command.exited, 0, command.text);
      assert.equal(linksIn(command.text)[0]?.url, url);
    } finally {
      await server.stop();
    }
  });
});

describe('with --auth oauth on the private listener, and no terminal', () => {
  test('the page is there behind its own login, MCP behind a token, and the log says where to approve', async () => {
    const server = await startServer({
      cwd: folder,
      args: ['--auth', 'oauth', '--approve', 'all', ...stateArgs('oauth')],
    });
    try {
      const origin = `http://127.0.0.1:${server.port}`;
      const shown = await fetch(origin, { headers: { accept: 'text/html' } });
      assert.match(shown.headers.get('content-security-policy') ?? '', /default-src 'none'/);
      assert.equal((await fetch(`${origin}/page/access`)).status, 401);
      const mcp = await fetch(server.url, json({ jsonrpc: '2.0', id: 1, method: 'ping' }));
      assert.equal(mcp.status, 401);
      assert.match(server.stderr, /--approve all: there is no terminal.* local page.*local-coder page/);
    } finally {
      await server.stop();
    }
  });
});

describe('status', () => {
  test('shows how the tunnel is', async () => {
    const args = ['--public-url', 'https://page.invalid', ...stateArgs('tunnel')];
    const server = await startServer({ cwd: folder, args });
    try {
      const own = ['--port', String(server.port), ...stateArgs('tunnel')];
      let shown = '';
      await until(async () => {
        shown = (await runToEnd({ cwd: folder, args: ['status', ...own] })).stdout;
        return /Tunnel {4}public-url is starting/.test(shown);
      }, 'status has the tunnel');
      assert.match(shown, /checking that https:\/\/page\.invalid leads here/);
    } finally {
      await server.stop();
    }
  });
});
