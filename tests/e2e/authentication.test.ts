/** The real program with authentication: on the public port, and on the private one where --auth was given. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openAuthStore, SecretUrl } from '../../src/auth/index.ts';
import { isLinux } from '../../src/runtime/platform.ts';
import { freePort } from '../../src/tunnel/free-port.ts';
import { type RunningServer, runToEnd, shapesUnderTest, startServer } from '../support/programs.ts';

const CALLBACK = 'https://client.example/callback';
const LIST = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });

for (const shape of shapesUnderTest()) {
  describe(`authentication of the real program (${shape})`, () => {
    let base: string;
    let folder: string;
    before(() => {
      base = realpathSync(mkdtempSync(join(tmpdir(), 'lc-auth-e2e-')));
      folder = mkdtempSync(join(base, 'project-'));
    });
    after(() => rmSync(base, { recursive: true, force: true, maxRetries: 3 }));

    const newState = () => mkdtempSync(join(base, 'state-'));
    const start = (state: string, args: string[]) =>
      startServer({ shape, cwd: folder, args: ['--state-dir', state, ...args] });
    const list = (url: string, token?: string) =>
      fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        body: LIST,
      });
    const until = async (text: () => string, words: RegExp) => {
      const deadline = performance.now() + 20_000;
      for (;;) {
        const found = words.exec(text());
        if (found) return found;
        if (performance.now() > deadline) throw new Error(`${words} is not in\n${text()}`);
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    };

    /** The way of a client: metadata, registration, consent (allowed on this machine), token. */
    const signIn = async (origin: string, state: string, server: RunningServer, access: string) => {
      const metadata = (await (
        await fetch(`${origin}/.well-known/oauth-authorization-server`)
      ).json()) as Record<string, string>;
      assert.equal(metadata['issuer'], origin);
      const registered = await fetch(metadata['registration_endpoint']!, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          client_name: 'A test',
          redirect_uris: [CALLBACK],
          token_endpoint_auth_method: 'none',
        }),
      });
      const { client_id } = (await registered.json()) as { client_id: string };
      const verifier = randomBytes(32).toString('base64url');
      const query = new URLSearchParams({
        response_type: 'code',
        client_id,
        redirect_uri: CALLBACK,
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
        scope: 'mcp offline_access',
        resource: `${origin}/mcp`,
      });
      const page = await fetch(`${metadata['authorization_endpoint']}?${query}`, {
        headers: { accept: 'text/html' },
      });
      const html = await page.text();
      const cookie = page.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
      const announced = await until(
        () => server.stderr,
        /request (\d+) of "A test" at client\.example waits for you: local-coder token approve (\S+)/,
      );
      assert.ok(html.includes(announced[1]!), 'page and log name the same request');
      assert.doesNotMatch(
        server.stdout + server.stderr,
        /One-time code/,
        'no code where there is no terminal',
      );
      const approved = await runToEnd({
        shape,
        cwd: folder,
        args: ['token', 'approve', announced[2]!, access, '--state-dir', state],
      });
      assert.equal(approved.exitCode, 0, approved.stderr);
      const fields = [...html.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map(
        ([, name = '', value = '']) => [name, value],
      );
      const answer = await fetch(`${origin}/authorize`, {
        method: 'POST',
        redirect: 'manual',
        headers: { cookie, origin, 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams([...fields, ['decision', 'allow']] as [string, string][]).toString(),
      });
      const leadsTo =
        answer.headers.get('location') ?? /url=(\S+)/.exec(answer.headers.get('refresh') ?? '')?.[1] ?? '';
      const code = new URL(leadsTo).searchParams.get('code') ?? '';
      const token = await fetch(metadata['token_endpoint']!, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({
          grant_type: 'authorization_code',
          code,
          redirect_uri: CALLBACK,
          client_id,
          code_verifier: verifier,
          resource: `${origin}/mcp`,
        }).toString(),
      });
      return ((await token.json()) as { access_token: string }).access_token;
    };

    test('public port: OAuth, with the access that the owner granted; the private port stays open', async () => {
      const state = newState();
      const port = await freePort();
      const origin = `http://127.0.0.1:${port}`;
      const server = await start(state, ['--public-url', origin, '--public-port', String(port)]);
      await until(() => server.stdout, /Server URL/);
      assert.equal((await list(server.url)).status, 200);
      assert.equal((await list(`${origin}/mcp`)).status, 401);
      const full = await signIn(origin, state, server, 'full');
      const tools = await (await list(`${origin}/mcp`, full)).text();
      assert.match(tools, /"run_command"/);
      assert.equal((await list(server.url, full)).status, 200);
      await server.stop();
    });

    test('a client that was granted less gets less', async () => {
      const state = newState();
      const port = await freePort();
      const origin = `http://127.0.0.1:${port}`;
      const server = await start(state, ['--public-url', origin, '--public-port', String(port)]);
      await until(() => server.stdout, /Server URL/);
      const token = await signIn(origin, state, server, 'read-only');
      const tools = await (await list(`${origin}/mcp`, token)).text();
      assert.match(tools, /"read_text_file"/);
      assert.doesNotMatch(tools, /"run_command"|"write_file"/);
      const revoked = await runToEnd({ shape, cwd: folder, args: ['token', 'list', '--state-dir', state] });
      const id = /^([A-Z0-9-]+) +A test/m.exec(revoked.stdout)?.[1] ?? '';
      await runToEnd({ shape, cwd: folder, args: ['token', 'revoke', id, '--state-dir', state] });
      assert.equal((await list(`${origin}/mcp`, token)).status, 401);
      await server.stop();
    });

    test('a confined command of a client that was granted less was served by the open private port', async (t) => {
      const state = newState();
      const port = await freePort();
      const origin = `http://127.0.0.1:${port}`;
      const server = await start(state, ['--public-url', origin, '--public-port', String(port)]);
      t.after(() => server.stop());
      await until(() => server.stdout, /Server URL/);
      const token = await signIn(origin, state, server, 'workspace');
      const run = async (command: string) => {
        const params = { name: 'run_command', arguments: { command, yield_ms: 20_000 } };
        const answer = await fetch(`${origin}/mcp`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
            authorization: `Bearer ${token}`,
          },
          body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
        });
        return answer.text();
      };
      const said = await run('echo "confined $(pwd)"');
      if (said.includes('NOT_AVAILABLE')) return t.skip(`no sandbox here: ${said}`);
      assert.match(said, /confined \//);
      const reached = await run(
        `bash -c 'exec 3<>/dev/tcp/127.0.0.1/${server.port} && echo REACHED-$((40 + 2))'`,
      );
      assert.doesNotMatch(reached, /REACHED-42/);
    });

    test('500 calls, allowed, denied, failed and cancelled: each once in the audit log, no token anywhere', async (t) => {
      const state = newState();
      const port = await freePort();
      const origin = `http://127.0.0.1:${port}`;
      const args = ['--public-url', origin, '--public-port', String(port), '--access', 'workspace'];
      const server = await start(state, [...args, '--log-level', 'debug']);
      t.after(() => server.stop());
      await until(() => server.stdout, /Server URL/);
      const token = await signIn(origin, state, server, 'workspace');
      const send = async (message: object) => {
        const answer = await fetch(`${origin}/mcp`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
            'mcp-session-id': 'one',
            authorization: `Bearer ${token}`,
          },
          body: JSON.stringify({ jsonrpc: '2.0', ...message }),
        });
        return answer.text();
      };
      const call = (id: number, name: string, given: object) =>
        send({ id, method: 'tools/call', params: { name, arguments: given } });
      const cancelled = async (id: number) => {
        let answered = false;
        const answer = call(id, 'run_command', { command: `sleep 20; : number-${id}-` }).finally(() => {
          answered = true;
        });
        while (!answered) {
          await send({ method: 'notifications/cancelled', params: { requestId: id } });
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        return answer;
      };
      const kinds: ((id: number) => Promise<unknown>)[] = [
        (id) => call(id, 'list_directory', { path: `number-${id}-` }),
        (id) => call(id, 'write_file', { path: `number-${id}-`, content: token }),
        (id) => call(id, 'read_text_file', { path: `/etc/number-${id}-` }),
        (id) => call(id, 'delete_file', { path: `number-${id}-\n{"forged":true}` }),
        (id) => call(id, 'no_such_tool', { path: `number-${id}-` }),
        (id) => call(id, 'run_command', { wrong: 1, command: `number-${id}-` }),
        (id) => call(id, 'grep', { path: '.', pattern: `number-${id}-`, head_limit: 1 }),
        (id) => call(id, 'glob', { path: '.', pattern: `number-${id}-` }),
        (id) => call(id, 'outline', { path: `number-${id}-` }),
        cancelled,
      ];
      for (let first = 0; first < 500; first += 50) {
        await Promise.all(Array.from({ length: 50 }, (_, index) => kinds[index % 10]!(first + index)));
      }
      const environment = isLinux ? readFileSync(`/proc/${server.pid}/environ`, 'latin1') : '';
      const commandLine = isLinux ? readFileSync(`/proc/${server.pid}/cmdline`, 'latin1') : '';
      await server.stop();
      const lines = readFileSync(join(state, 'audit', 'audit.jsonl'), 'utf8')
        .trimEnd()
        .split('\n');
      assert.equal(lines.length, 500);
      const entries = lines.map((line) => JSON.parse(line) as Record<'target' | 'outcome' | 'code', string>);
      const numbers = entries.map(({ target }) => Number(/number-(\d+)-/.exec(target)?.[1]));
      assert.deepEqual(
        numbers.sort((a, b) => a - b),
        Array.from({ length: 500 }, (_, index) => index),
      );
      const runs = entries.every(({ code }) => code !== 'NOT_AVAILABLE'); // there is a sandbox
      for (const outcome of ['ok', 'denied', 'failed', ...(runs ? ['cancelled'] : [])]) {
        assert.ok(entries.filter((entry) => entry.outcome === outcome).length >= 50, outcome);
      }
      // The history keeps what a tool wrote into a file; everything else is searched.
      const files = readdirSync(state, { recursive: true, withFileTypes: true }).filter(
        (entry) => entry.isFile() && !entry.parentPath.includes('blobs'),
      );
      assert.ok(files.some(({ name }) => name === 'state.db'));
      const texts = files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
      for (const text of [...texts, environment, commandLine, server.stdout, server.stderr]) {
        assert.ok(!text.includes(token));
        assert.doesNotMatch(text, /lc_(?!client_)[a-z]+_[\w-]{43}/);
      }
    });

    test('--auth oauth holds on the private port too', async () => {
      const state = newState();
      const server = await start(state, ['--auth', 'oauth']);
      const { origin } = new URL(server.url);
      const refused = await list(server.url);
      assert.equal(refused.status, 401);
      assert.match(
        refused.headers.get('www-authenticate') ?? '',
        new RegExp(`resource_metadata="${origin}/`),
      );
      assert.equal((await list(`${origin}/`)).status, 404, 'no other way in');
      const token = await signIn(origin, state, server, 'full');
      assert.equal((await list(server.url, token)).status, 200);
      const form = await fetch(server.url, {
        method: 'POST',
        body: 'a=b',
        headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: `Bearer ${token}` },
      });
      assert.equal(form.status, 415);
      await server.stop();
    });

    test('--auth url holds on the private port too', async () => {
      const state = newState();
      const server = await start(state, ['--auth', 'url']);
      const { origin } = new URL(server.url);
      assert.equal((await list(`${origin}/mcp`)).status, 404);
      const store = await openAuthStore(state);
      const path = await new SecretUrl(store).path();
      assert.equal((await list(`${origin}${path}`)).status, 200);
      await new SecretUrl(store).rotate();
      assert.equal((await list(`${origin}${path}`)).status, 404, 'rotated while it runs');
      store.close();
      assert.ok(!`${server.stdout}${server.stderr}`.includes(path));
      await server.stop();
    });

    test('the secret of --auth url stood in the request log where a client looked for metadata', async () => {
      const state = newState();
      const server = await start(state, ['--auth', 'url']);
      const { origin } = new URL(server.url);
      const store = await openAuthStore(state);
      const path = await new SecretUrl(store).path();
      store.close();
      const secret = path.slice('/mcp/'.length);
      const asked = [
        path,
        `/.well-known/oauth-protected-resource${path}`,
        `/.well-known/oauth-authorization-server${path}`,
        `${path}/.well-known/openid-configuration`,
        `/prefix${path}`,
        `/mcp%2F${secret}`,
        `/sse/${secret}`,
        `/${secret.slice(0, 20)}%${secret.charCodeAt(20).toString(16)}${secret.slice(21)}`,
        '/the-last-one',
      ];
      for (const each of asked) await fetch(origin + each);
      await until(() => server.stderr, /GET \/the-last-one/);
      assert.match(server.stderr, /GET \/\.well-known\/oauth-protected-resource\/mcp\/… → 404/);
      assert.ok(!server.stderr.includes(secret.slice(0, 20)), server.stderr);
      assert.ok(!server.stderr.includes(secret.slice(-20)), server.stderr);
      await server.stop();
    });

    test('a taken public port', async () => {
      const port = await freePort();
      const first = await start(newState(), [
        '--public-url',
        `http://127.0.0.1:${port}`,
        '--public-port',
        String(port),
      ]);
      const second = await runToEnd({
        shape,
        cwd: folder,
        args: [
          '--port',
          '0',
          '--state-dir',
          newState(),
          '--public-url',
          'https://x.example',
          '--public-port',
          String(port),
        ],
      });
      assert.equal(second.exitCode, 3);
      assert.match(second.stderr, new RegExp(`public port ${port} is taken.*--public-port`));
      await first.stop();
    });
  });
}
