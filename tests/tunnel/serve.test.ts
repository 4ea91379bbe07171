/** The real program with a tunnel: cloudflared's stand-in, the card, death, Ctrl-C, exit codes, secrets. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { openAuthStore, SecretUrl } from '../../src/auth/index.ts';
import { createHttpClient, type HttpClient } from '../../src/runtime/http-client.ts';
import { programCommand, programEnvironment, shapesUnderTest } from '../support/programs.ts';
import { type Internet, openInternet } from './support/internet.ts';
import { processesWith, until } from './support/processes.ts';

const TOKEN = (hostname: string, port: number) =>
  Buffer.from(
    JSON.stringify({ a: 'account', t: 'tunnel', s: 'a secret of the tunnel', hostname, port }),
  ).toString('base64');
const CARD_URL = /Server URL {6}(https?:\/\/\S+)/g;

for (const shape of shapesUnderTest()) {
  describe(`a tunnel to the program (${shape})`, {
    skip: process.platform !== 'linux' && 'only on Linux: looks into /proc',
  }, () => {
    let internet: Internet;
    let client: HttpClient;
    const running: { kill(): void }[] = [];
    before(async () => {
      internet = await openInternet();
      await internet.install('cloudflared');
      client = createHttpClient({ env: internet.env, maxConnections: 4, ca: internet.ca });
    });
    afterEach(() => {
      for (const program of running.splice(0)) program.kill();
    });
    after(async () => {
      client.close();
      await internet.close();
    });

    const start = async (args: string[], env: Record<string, string> = {}) => {
      const stateDir = mkdtempSync(join(internet.folder, 'state-'));
      const folder = mkdtempSync(join(internet.folder, 'project-'));
      const { command, args: all } = await programCommand(shape, [
        '--port',
        '0',
        '--state-dir',
        stateDir,
        ...args,
      ]);
      const child = spawn(command, all, {
        cwd: folder,
        env: programEnvironment({ ...internet.env, ...env }),
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      running.push({ kill: () => child.kill('SIGKILL') });
      const output = { stdout: '', stderr: '' };
      child.stdout.on('data', (chunk) => (output.stdout += chunk));
      child.stderr.on('data', (chunk) => (output.stderr += chunk));
      const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
      const cards = () => [...output.stdout.matchAll(CARD_URL)].map(([, url]) => url ?? '');
      return {
        child,
        output,
        exited,
        stateDir,
        cards,
        card: (count: number) =>
          until(
            () => `card ${count} in\n${output.stdout}\n${output.stderr}`,
            () => cards()[count - 1] ?? (child.exitCode !== null && Promise.reject(new Error(output.stderr))),
          ),
        /** Every file that the program keeps, as text, but for its databases. */
        files: () =>
          readdirSync(stateDir, { recursive: true, withFileTypes: true })
            .filter((entry) => entry.isFile() && !entry.name.startsWith('state.db'))
            .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
            .join('\n'),
      };
    };
    const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
      client.send({
        method: 'POST',
        url: new URL(url),
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...headers,
        },
        body: JSON.stringify(body),
        headersTimeoutMs: 30_000,
        bodyTimeoutMs: 30_000,
        maxBodyBytes: 1_000_000,
      });
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };

    // Deno's TLS over a proxy's connection trusts no certificate of a test; the way over loopback is tested below.
    const throughTls = shape === 'deno' ? () => {} : test;

    throughTls(
      'quick tunnel: card, proof, authentication, killed and back with a new address, nothing left behind',
      async () => {
        const program = await start(['--tunnel', 'cloudflare', '--auth', 'oauth']);
        const first = await program.card(1);
        assert.match(first, /^https:\/\/[a-z0-9-]+\.trycloudflare\.com\/mcp$/);
        assert.match(program.output.stdout, /Authentication {2}OAuth/);
        const refused = await post(first, list);
        assert.equal(refused.status, 401);
        const origin = new URL(first).origin;
        assert.equal(
          refused.headers['www-authenticate'],
          `Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`,
        );
        for (const path of ['/', '/health', '/health?nonce=', '/page', '/mcp/x']) {
          const answer = await client.send({
            method: 'GET',
            url: new URL(path, origin),
            headers: {},
            headersTimeoutMs: 9_000,
            bodyTimeoutMs: 9_000,
            maxBodyBytes: 10_000,
          });
          assert.equal(answer.status, 404, path);
          assert.equal(answer.body, '{"error":"not_found"}');
        }

        const [stand, ...more] = processesWith('trycloudflare').concat(cloudflareds(internet));
        assert.equal(more.length, 0);
        process.kill(stand!.pid, 'SIGKILL');
        const second = await program.card(2);
        assert.notEqual(second, first);
        assert.equal((await post(second, list)).status, 401);
        assert.match(program.output.stderr, /the program was killed.*Trying again in/);
        assert.equal(cloudflareds(internet).length, 1);

        program.child.kill('SIGINT');
        assert.equal(await program.exited, 0);
        assert.deepEqual(cloudflareds(internet), []);
        assert.deepEqual(
          readdirSync(join(program.stateDir, 'tunnel')).filter((name) => /token|running/.test(name)),
          [],
        );
      },
    );

    throughTls(
      'secret address: MCP works through it, also where streams are collected; the secret is in no log',
      async () => {
        const program = await start(['--tunnel', 'cloudflare', '--auth', 'url', '--tools', 'slim'], {
          STAND_IN_MODE: 'buffer',
        });
        const shown = await program.card(1);
        assert.match(program.output.stdout, /collects streamed answers/);
        assert.doesNotMatch(
          program.output.stdout,
          /\/mcp\/[A-Za-z0-9_-]{20}/,
          'standard output is no terminal',
        );
        const store = await openAuthStore(program.stateDir);
        const path = await new SecretUrl(store).path();
        store.close();
        const url = new URL(path, shown).href;
        assert.equal((await post(`${new URL(shown).origin}/mcp`, list)).status, 404);
        assert.equal((await post(`${url}x`, list)).status, 404);
        const tools = await post(url, list);
        assert.equal(tools.status, 200);
        assert.match(tools.body, /"run_command"/);
        // Longer than an answer waits before it becomes a stream.
        const call = { name: 'run_command', arguments: { command: 'sleep 1.2; echo through the tunnel' } };
        const ran = await post(url, { jsonrpc: '2.0', id: 2, method: 'tools/call', params: call });
        assert.equal(ran.headers['content-type'], 'application/json');
        assert.match(JSON.parse(ran.body).result.content[0].text, /through the tunnel/);
        program.child.kill('SIGTERM');
        assert.equal(await program.exited, 0);
        const secret = path.split('/').at(-1)!;
        assert.match(program.output.stderr, /POST \/mcp\/…/);
        for (const text of [program.output.stdout, program.output.stderr, program.files()])
          assert.ok(!text.includes(secret));
      },
    );

    throughTls('named tunnel: the token reaches the program by file alone', async () => {
      const { createServer } = await import('node:net');
      const holder = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => holder.once('listening', resolve));
      const { port } = holder.address() as { port: number };
      await new Promise((resolve) => holder.close(resolve));
      const token = TOKEN('code.example.org', port);
      const named = [
        '--tunnel',
        'cloudflare',
        '--tunnel-hostname',
        'code.example.org',
        '--public-port',
        String(port),
      ];
      const program = await start(named, { TUNNEL_TOKEN: token });
      assert.equal(await program.card(1), 'https://code.example.org/mcp');
      const seen = processesWith(token).filter(({ pid }) => pid !== program.child.pid);
      assert.deepEqual(seen, [], 'no other process shows the token');
      for (const { commandLine } of processesWith(program.stateDir)) assert.ok(!commandLine.includes(token));
      assert.ok(!program.files().includes(token), 'the file with the token is gone once it was read');
      program.child.kill('SIGINT');
      assert.equal(await program.exited, 0);
      assert.ok(!program.output.stderr.includes(token) && !program.files().includes(token));
    });

    test('a command of one’s own: card, proof, authentication, nothing left behind', async () => {
      const command = 'echo at http://127.0.0.1:{port}/; sleep 1000';
      const args = ['--tunnel', 'custom', '--tunnel-command', command, '--tunnel-url-pattern', 'http://\\S+'];
      const program = await start(args);
      const url = await program.card(1);
      assert.equal((await post(url, list)).status, 401);
      const made = () =>
        processesWith(internet.folder).filter(({ commandLine }) => commandLine.startsWith('sleep 1000'));
      assert.equal(made().length, 1);
      program.child.kill('SIGINT');
      assert.equal(await program.exited, 0);
      assert.deepEqual(made(), []);
    });

    const failures: Record<
      string,
      { args: string[]; env?: Record<string, string>; code: number; says: RegExp; servesFirst?: false }
    > = {
      'a named tunnel without a fixed port': {
        args: ['--tunnel', 'cloudflare', '--tunnel-hostname', 'x.example.org', '--public-port', '0'],
        env: { TUNNEL_TOKEN: TOKEN('x.example.org', 1), STAND_IN_MODE: 'badtoken' },
        code: 2,
        says: /--public-port/,
      },
      'a program that is not there': {
        args: ['--tunnel', 'ngrok'],
        code: 1,
        says: /ngrok is not installed\. Install it from/,
      },
      'no authentication in public': {
        args: ['--tunnel', 'cloudflare', '--auth', 'none'],
        code: 2,
        says: /--auth none is not possible/,
        servesFirst: false,
      },
      'a bad pattern': {
        args: ['--tunnel', 'custom', '--tunnel-command', 'true {port}', '--tunnel-url-pattern', '('],
        code: 2,
        says: /--tunnel-url-pattern is no regular expression/,
      },
    };
    for (const [name, { args, env, code, says, servesFirst }] of Object.entries(failures)) {
      test(`ends with the right exit code: ${name}`, async () => {
        const program = await start(args, env);
        assert.equal(await program.exited, code, program.output.stderr);
        assert.match(program.output.stderr, says);
        if (servesFirst === false) assert.equal(program.output.stdout, '', 'no address that is gone again');
        assert.deepEqual(processesWith(program.stateDir), []);
      });
    }

    test('credentials refused at the start end the program with 5, and are not shown', async () => {
      const token = TOKEN('x.example.org', 1);
      const args = ['--tunnel', 'cloudflare', '--tunnel-hostname', 'x.example.org', '--public-port', '18999'];
      const program = await start(args, { TUNNEL_TOKEN: token, STAND_IN_MODE: 'badtoken' });
      assert.equal(await program.exited, 5, program.output.stderr);
      assert.match(
        program.output.stderr,
        /Cloudflare does not accept the tunnel token\. Copy the whole token/,
      );
      assert.ok(!program.output.stderr.includes(token));
      assert.ok(!program.files().includes(token));
      assert.deepEqual(processesWith(program.stateDir), []);
    });

    throughTls('killed without a chance to clean up: the next start ends what was left', async () => {
      const program = await start(['--tunnel', 'cloudflare']);
      await program.card(1);
      program.child.kill('SIGKILL');
      await program.exited;
      const [orphan] = cloudflareds(internet);
      assert.ok(orphan, 'the stand-in outlives its parent');
      const { command, args } = await programCommand(shape, [
        '--port',
        '0',
        '--state-dir',
        program.stateDir,
        '--tunnel',
        'cloudflare',
      ]);
      const next = spawn(command, args, {
        env: programEnvironment(internet.env),
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      running.push({ kill: () => next.kill('SIGKILL') });
      let stdout = '';
      next.stdout.on('data', (chunk) => (stdout += chunk));
      await until('the next card', () => /Server URL {6}https/.test(stdout));
      assert.ok(!cloudflareds(internet).some(({ pid }) => pid === orphan.pid));
      next.kill('SIGINT');
      await new Promise((resolve) => next.once('close', resolve));
      assert.deepEqual(cloudflareds(internet), []);
    });
  });
}

/** The stand-ins that run in this internet. */
function cloudflareds(internet: Internet) {
  return processesWith(internet.folder).filter(({ commandLine }) =>
    commandLine.includes('stand-in.mjs cloudflared'),
  );
}
