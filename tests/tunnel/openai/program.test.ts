/** The real program behind the openai tunnel, with its real tools. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { type RunningServer, runToEnd, shapesUnderTest, startServer } from '../../support/programs.ts';
import { modern } from '../../support/test-server.ts';
import { type Answered, TestControlPlane } from './support/control-plane.ts';
import { until } from './support/setup.ts';

const isWindows = process.platform === 'win32';
/** Prints three lines over more than a second. */
const TICKING = isWindows
  ? '1..3 | ForEach-Object { "line $_"; Start-Sleep -Milliseconds 600 }'
  : 'for i in 1 2 3; do echo "line $i"; sleep 0.6; done';
const SLEEPING = isWindows ? 'Start-Sleep 30' : 'sleep 30';

const text = ({ final }: Answered) => {
  const content = final.resp_json?.result?.['content'] as { text: string }[] | undefined;
  return content?.[0]?.text ?? JSON.stringify(final.resp_json);
};

for (const shape of shapesUnderTest()) {
  describe(`the program behind the openai tunnel: ${shape}`, { timeout: 120_000 }, () => {
    let folder: string;
    let service: TestControlPlane;
    let server: RunningServer;
    const args = () => ['--tunnel', 'openai', '--tunnel-base-url', service.baseUrl, '--state-dir', folder];
    const env = () => ({ OPENAI_TUNNEL_ID: service.tunnelId, OPENAI_TUNNEL_API_KEY: service.apiKey });
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'lc-openai-program-'));
      service = new TestControlPlane();
      await service.start();
      server = await startServer({ shape, args: args(), env: env(), cwd: folder });
      await until(() => service.polls.length > 1);
    });
    afterEach(() => {
      service.fault = () => undefined;
      service.overfill = false;
      assert.deepEqual(service.breaches.splice(0), []);
    });
    after(async () => {
      assert.equal(await server.stop(), 0, server.stderr);
      await service.stop();
      await rm(folder, { recursive: true, force: true });
    });

    test('the card names the tunnel', async () => {
      await until(() => server.stdout.includes(service.tunnelId));
      assert.match(server.stdout, /Tunnel/);
    });

    test('tools/list', async () => {
      const listed = await service.send({ jsonrpc: '2.0', id: 'a', method: 'tools/list' });
      const tools = listed.final.resp_json?.result?.['tools'] as { name: string }[];
      assert.ok(tools.some(({ name }) => name === 'run_command'));
    });

    test('a long command with progress, in both eras', async () => {
      const params = {
        name: 'run_command',
        arguments: { command: TICKING },
        _meta: { progressToken: 'token' },
      };
      const old = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
      for (const message of [old, modern('tools/call', params, 1).message]) {
        const answered = await service.send(message);
        assert.match(text(answered), /line 1\r?\nline 2\r?\nline 3/);
        assert.ok(answered.notifications.length >= 2, `${answered.notifications.length} notifications`);
        const first = JSON.stringify(answered.notifications[0]);
        assert.match(first, /notifications\/progress.*"progressToken":"token".*line 1/);
      }
    });

    test('25 commands at once are answered out of order', async () => {
      const order: number[] = [];
      const all = Array.from({ length: 25 }, async (_, id) => {
        const slow = id === 0;
        const answered = slow
          ? await service.call('run_command', { command: TICKING }, id)
          : await service.call('list_directory', { path: '.' }, id);
        assert.equal(answered.final.resp_json?.['id'], id);
        order.push(id);
      });
      await Promise.all(all);
      assert.equal(order.at(-1), 0, 'the first asked is the last answered');
    });

    test('a command that outlives its response_timeout yields in time with its process id', async () => {
      for (const seconds of [3, 6]) {
        const started = performance.now();
        const answered = await service.call('run_command', { command: SLEEPING }, seconds, {
          responseTimeout: `${seconds}s`,
        });
        const tookMs = performance.now() - started;
        assert.ok(tookMs < seconds * 1000, `${tookMs} ms`);
        assert.ok(tookMs > seconds * 1000 - 2_500, 'it uses the time that it has');
        const id = /"process_id":"([^"]+)"/.exec(text(answered))?.[1];
        assert.ok(id, text(answered));
        await service.call('process_stop', { process_id: id }, 'stop');
      }
    });

    test('429 with Retry-After, 5xx storms, connections that break: every call is answered', async () => {
      const faults = [
        { status: 429, retryAfter: '1' },
        { status: 500 },
        { status: 503 },
        'drop-before',
        'drop-after',
        'cut',
      ] as const;
      let count = 0;
      // Every other request fails, each kind of fault in its turn; 500 ends an answer by the contract.
      service.fault = (kind) => {
        const fault = count++ % 2 === 0 ? faults[(count >> 1) % faults.length] : undefined;
        return kind === 'final' && typeof fault === 'object' && fault.status === 500
          ? { status: 502 }
          : fault;
      };
      const all = Array.from({ length: 20 }, (_, id) => service.call('list_directory', { path: '.' }, id));
      for (const [id, answered] of (await Promise.all(all)).entries()) {
        assert.equal(answered.final.resp_json?.['id'], id);
      }
    });

    test('unknown command types are skipped, sessions end, more commands than asked for are done', async () => {
      void service.sendCommand({ command_type: 'oauth_discovery' });
      const ended = await service.sendCommand(
        { command_type: 'session_termination' },
        { headers: { 'Mcp-Session-Id': ['s'] } },
      );
      assert.equal(ended.final.resp_type, 'session_termination_response');
      service.overfill = true;
      const all = Array.from({ length: 40 }, (_, id) => service.call('list_directory', { path: '.' }, id));
      assert.equal((await Promise.all(all)).length, 40);
      assert.match(server.stderr, /unknown type "oauth_discovery" is skipped/);
    });

    test('each request shows in the log, and the key nowhere', async () => {
      assert.match(server.stderr, /TUNNEL openai tools\/call run_command → ok in \d+ ms/);
      const kept = await readdir(folder, { recursive: true, withFileTypes: true });
      const texts = [server.stdout, server.stderr];
      for (const entry of kept) {
        if (entry.isFile()) texts.push(await readFile(join(entry.parentPath, entry.name), 'latin1'));
      }
      if (process.platform === 'linux' && shape !== 'deno') {
        texts.push(await readFile(`/proc/${server.pid}/environ`, 'latin1'));
        texts.push(await readFile(`/proc/${server.pid}/cmdline`, 'latin1'));
      }
      for (const kind of texts) assert.ok(!kind.includes(service.apiKey));
      const command = isWindows ? 'Get-ChildItem env:' : 'env';
      assert.ok(!text(await service.call('run_command', { command }, 'env')).includes(service.apiKey));
    });

    test('refused at the start: exit 5 and the permission', async () => {
      const refusing = new TestControlPlane();
      await refusing.start();
      refusing.fault = (kind) =>
        kind === 'poll' ? { status: 403, code: 'tunnel_use_forbidden' } : undefined;
      const ended = await runToEnd({
        shape,
        args: [
          '--port',
          '0',
          '--tunnel',
          'openai',
          '--tunnel-base-url',
          refusing.baseUrl,
          '--state-dir',
          folder,
        ],
        env: { OPENAI_TUNNEL_ID: refusing.tunnelId, OPENAI_TUNNEL_API_KEY: refusing.apiKey },
        cwd: folder,
      });
      await refusing.stop();
      assert.equal(ended.exitCode, 5, ended.stderr);
      assert.match(ended.stderr, /may not use the tunnel.*Tunnels: Use/s);
    });

    test('refused later: the tunnel stops asking, the server on this machine goes on', async () => {
      service.fault = (kind) => (kind === 'poll' ? { status: 401 } : undefined);
      await until(() => /no tunnel any more/.test(server.stderr));
      const { poll } = service.attempts;
      const listed = await fetch(server.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
      });
      assert.equal(listed.status, 200);
      assert.equal(service.attempts.poll, poll);
    });
  });
}
