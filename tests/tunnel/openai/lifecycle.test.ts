import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createLog } from '../../../src/runtime/log.ts';
import { checkCredentials, readCredentials } from '../../../src/tunnel/openai/index.ts';
import { openAiProvider } from '../../../src/tunnel/openai/provider.ts';
import { loadCredentials, storeCredentials } from '../../../src/tunnel/openai/stored-credentials.ts';
import { TunnelError } from '../../../src/tunnel/types.ts';
import { selfSigned } from '../../support/certificate.ts';
import { startProxy } from '../../support/connect-proxy.ts';
import { TestControlPlane } from './support/control-plane.ts';
import { tunnelBench, until } from './support/setup.ts';

const ID = `tunnel_${'a1'.repeat(16)}`;
const KEY = 'sk-secret-0123456789';

async function tunnelError(work: Promise<unknown>): Promise<TunnelError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof TunnelError, String(error));
  return error;
}

describe('openai tunnel: start and end', { timeout: 60_000 }, () => {
  const refusals: [object & { status: number; code?: string }, RegExp, RegExp][] = [
    [{ status: 401 }, /does not accept the API key/, /OPENAI_TUNNEL_API_KEY/],
    [
      { status: 403, code: 'tunnel_use_forbidden' },
      /may not use the tunnel tunnel_/,
      /permission Tunnels: Use/,
    ],
    [{ status: 401, code: 'tunnel_missing_principals' }, /no organization/, /OPENAI_TUNNEL_API_KEY/],
    [
      { status: 403, code: 'tunnel_active_organization_required' },
      /named none/,
      /CONTROL_PLANE_ORGANIZATION_ID/,
    ],
  ];
  for (const [fault, message, hint] of refusals) {
    for (const kind of ['metadata', 'poll'] as const) {
      test(`refused at the ${kind} (${fault.code ?? fault.status}): no start, and what to mend`, async (t) => {
        const { service, start, log } = await tunnelBench(t);
        service.fault = (asked) => (asked === kind ? fault : undefined);
        const error = await tunnelError(start());
        assert.equal(error.reason, 'refused');
        assert.match(error.message, message);
        assert.match(error.hint, hint);
        const { poll } = service.attempts;
        assert.equal(poll, kind === 'poll' ? 1 : 0);
        assert.ok(![...log, error.message, error.hint, error.logTail].join('').includes(service.apiKey));
      });
    }
  }

  test('an unknown tunnel is a setting to correct', async (t) => {
    const { service, start } = await tunnelBench(t);
    service.fault = (kind) => (kind === 'metadata' ? { status: 404 } : undefined);
    const error = await tunnelError(start());
    assert.equal(error.reason, 'not-configured');
    assert.match(error.message + error.hint, /knows no tunnel.*OPENAI_TUNNEL_ID/s);
  });

  test('refused later, by a poll or by an answer: the tunnel ends by itself and asks no more', async (t) => {
    for (const kind of ['poll', 'final'] as const) {
      const { service, start } = await tunnelBench(t);
      const tunnel = await start();
      await service.call('echo', { text: 'x' }, 1);
      service.fault = (asked) => (asked === kind ? { status: 403, code: 'tunnel_use_forbidden' } : undefined);
      void service.call('echo', { text: 'x' }, 2);
      const end = await tunnel.ended;
      assert.ok(end.reason === 'error' && end.error.reason === 'refused');
      assert.equal(tunnel.status().state, 'ended');
      assert.match(tunnel.status().message ?? '', /may not use the tunnel/);
      const polls = service.attempts.poll;
      await tunnel.stop(); // harmless
      assert.equal(service.attempts.poll, polls);
    }
  });

  test('a mismatch of one command is not a refusal of the tunnel', async (t) => {
    const { service, start } = await tunnelBench(t);
    const tunnel = await start();
    service.fault = (kind, attempt) =>
      kind === 'final' && attempt === 1 ? { status: 401, code: 'tunnel_request_mismatch' } : undefined;
    void service.call('echo', { text: 'x' }, 1);
    await until(() => service.attempts.final === 1);
    await service.call('echo', { text: 'x' }, 2);
    assert.equal(tunnel.status().state, 'connected');
  });

  test('a service that cannot be reached at the start is tried until it can', async (t) => {
    const { service, start, log } = await tunnelBench(t);
    service.fault = (_kind, attempt) => (attempt < 4 ? 'drop-before' : undefined);
    const tunnel = await start();
    assert.notEqual(tunnel.status().state, 'ended');
    assert.equal(tunnel.address.kind === 'tunnel-id' && tunnel.address.name, undefined);
    await service.call('echo', { text: 'x' }, 1);
    assert.equal(tunnel.status().state, 'connected');
    assert.match(log.join(''), /cannot be reached/);
  });

  test('a service that answers "nothing" without waiting is not asked all the time', async (t) => {
    const { service, start } = await tunnelBench(t);
    service.holdMs = 0;
    await start();
    const before = performance.now();
    await until(() => service.attempts.poll >= 6);
    assert.ok(performance.now() - before > 100, 'pauses grow');
  });

  test('behind a proxy: polls and answers go through it, and NO_PROXY is minded', async (t) => {
    const tls = await selfSigned(['control-plane.test']);
    const [proxy, service, { start }] = [await startProxy(), new TestControlPlane(tls), await tunnelBench(t)];
    await service.start();
    t.after(() => Promise.all([proxy.stop(), service.stop()]));
    const credentials = readCredentials({
      env: { OPENAI_TUNNEL_ID: service.tunnelId, OPENAI_TUNNEL_API_KEY: service.apiKey },
      baseUrl: `https://control-plane.test:${service.port}`,
    });
    const env = { HTTPS_PROXY: proxy.url };
    const tunnel = await start({ credentials, env, ca: tls.cert });
    await Promise.all([1, 2, 3].map((id) => service.call('echo', { text: 'x' }, id)));
    assert.ok(
      proxy.requests.length >= 2 &&
        proxy.requests.every(({ line }) => line === `CONNECT control-plane.test:${service.port}`),
    );
    assert.deepEqual(service.breaches, []);
    await tunnel.stop();
    const direct = await start({ credentials, env: { ...env, NO_PROXY: '.test' }, ca: tls.cert });
    assert.match(
      direct.status().message ?? '',
      /control-plane\.test.* cannot be reached: .*(ENOTFOUND|EAI_AGAIN)/,
    );
    const wrong = await tunnelError(start({ credentials, env: { HTTPS_PROXY: 'socks5://proxy' } }));
    assert.match(wrong.message, /SOCKS proxies cannot be used/);
    assert.equal(wrong.reason, 'not-configured');
  });

  test('a start that is given up leaves nothing', async (t) => {
    const { service, start } = await tunnelBench(t);
    service.fault = (kind) => (kind === 'metadata' ? 'hang' : undefined);
    const abort = new AbortController();
    const starting = start({ signal: abort.signal });
    await until(() => service.attempts.metadata === 1);
    abort.abort(new Error('given up'));
    await assert.rejects(starting, /given up/);
    assert.equal(service.attempts.poll, 0);
  });

  test('at the end running commands finish within the grace and are answered', async (t) => {
    const { service, start, contexts } = await tunnelBench(t);
    const tunnel = await start();
    const pending = service.call('wait', { ms: 300 }, 1);
    await until(() => contexts.length === 1);
    await tunnel.stop();
    assert.match((await pending).text, /Waited/);
    assert.deepEqual(await tunnel.ended, { reason: 'stopped' });
    assert.equal(tunnel.status().runningCommands, 0);
  });

  test('what is not done within the grace is let go', async (t) => {
    const { service, start, contexts } = await tunnelBench(t);
    const tunnel = await start({ graceMs: 100 });
    void service.send({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'wait', arguments: { ms: 30_000 } },
    });
    await until(() => contexts.length === 1);
    const before = performance.now();
    await tunnel.stop();
    assert.ok(performance.now() - before < 2_000);
    assert.equal(contexts[0]?.abandoned.aborted, true);
    assert.equal(service.attempts.final, 0);
  });
});

describe('openai tunnel: credentials', { timeout: 30_000 }, () => {
  test('come from OPENAI_TUNNEL_*, else CONTROL_PLANE_*, else the stored ones', () => {
    const stored = { tunnelId: `tunnel_${'c'.repeat(32)}`, apiKey: 'sk-stored-key' };
    const env = {
      OPENAI_TUNNEL_ID: ` ${ID}\n`,
      CONTROL_PLANE_TUNNEL_ID: `tunnel_${'b'.repeat(32)}`,
      CONTROL_PLANE_API_KEY: KEY,
      CONTROL_PLANE_ORGANIZATION_ID: 'org-1',
      CONTROL_PLANE_BASE_URL: 'https://gateway.example/openai/',
    };
    const read = readCredentials({ env, stored });
    assert.deepEqual(
      [read.tunnelId, read.apiKey, read.organizationId, read.baseUrl.href],
      [ID, KEY, 'org-1', 'https://gateway.example/openai/'],
    );
    const other = readCredentials({ env, stored, baseUrl: 'http://localhost:1' });
    assert.equal(other.baseUrl.host, 'localhost:1');
    assert.deepEqual(
      [readCredentials({ env: {}, stored }).apiKey, readCredentials({ env: {}, stored }).baseUrl.href],
      ['sk-stored-key', 'https://api.openai.com/'],
    );
  });

  test('a project has its say only where the user has none', () => {
    const project = { OPENAI_TUNNEL_ID: `tunnel_${'d'.repeat(32)}`, OPENAI_TUNNEL_API_KEY: 'sk-of-project' };
    const stored = { tunnelId: ID, apiKey: KEY };
    assert.equal(readCredentials({ env: {}, project }).apiKey, 'sk-of-project');
    const own = readCredentials({ env: {}, stored, project });
    assert.deepEqual([own.tunnelId, own.apiKey], [ID, KEY]);
  });

  const bad: [string, Record<string, string>, RegExp][] = [
    ['nothing', {}, /needs OPENAI_TUNNEL_ID and OPENAI_TUNNEL_API_KEY/],
    ['no key', { OPENAI_TUNNEL_ID: ID }, /needs OPENAI_TUNNEL_API_KEY\b/],
    ['a bad id', { OPENAI_TUNNEL_ID: 'tunnel_1', OPENAI_TUNNEL_API_KEY: KEY }, /not of the form/],
    ['a path as id', { OPENAI_TUNNEL_ID: '../../x', OPENAI_TUNNEL_API_KEY: KEY }, /not of the form/],
    ['a quoted key', { OPENAI_TUNNEL_ID: ID, OPENAI_TUNNEL_API_KEY: `"${KEY}"` }, /characters that no key/],
    ['a key of two lines', { OPENAI_TUNNEL_ID: ID, OPENAI_TUNNEL_API_KEY: `${KEY}\nx: y` }, /characters/],
    ...['http://example.com', 'ftp://localhost', 'https://user:pw@example.com', 'nonsense'].map(
      (url): [string, Record<string, string>, RegExp] => [
        url,
        { OPENAI_TUNNEL_ID: ID, OPENAI_TUNNEL_API_KEY: KEY, CONTROL_PLANE_BASE_URL: url },
        /must be an https/,
      ],
    ),
  ];
  for (const [what, env, message] of bad) {
    test(`${what} is refused, and the key is not repeated`, () => {
      assert.throws(
        () => readCredentials({ env }),
        (error) =>
          error instanceof TunnelError &&
          error.reason === 'not-configured' &&
          message.test(error.message) &&
          error.hint !== '' &&
          !`${error.message}${error.hint}`.includes(KEY),
      );
    });
  }

  test('are stored for their owner alone, replaced whole, and found by the provider', async (t) => {
    const stateDir = await mkdtemp(join(tmpdir(), 'lc-openai-'));
    t.after(() => rm(stateDir, { recursive: true, force: true }));
    const { mcp } = await tunnelBench(t);
    const provider = openAiProvider({ env: {}, stateDir, baseUrl: undefined, mcp, log: createLog('error') });
    const before = await provider.inspect();
    assert.equal(before.ready, false);
    assert.match(before.fix ?? '', /tunnel init openai/);
    assert.equal(await loadCredentials(stateDir), undefined);
    await storeCredentials(stateDir, { tunnelId: ID, apiKey: 'sk-first-one' });
    await storeCredentials(stateDir, { tunnelId: ID, apiKey: KEY, organizationId: 'org-2' });
    assert.deepEqual(await loadCredentials(stateDir), {
      tunnelId: ID,
      apiKey: KEY,
      organizationId: 'org-2',
    });
    const file = join(stateDir, 'openai-tunnel.json');
    if (process.platform !== 'win32') assert.equal((await stat(file)).mode & 0o777, 0o600);
    const after = await provider.inspect();
    assert.equal(after.ready, true);
    assert.ok(!JSON.stringify(after).includes(KEY));
    await writeFile(file, '{"tunnel_id": 1');
    const error = await tunnelError(loadCredentials(stateDir));
    assert.match(error.message + error.hint, /cannot be used.*tunnel init openai again/s);
    assert.equal((await readFile(file, 'utf8')).length, 15, 'what is there stays there');
  });

  test('are checked with the metadata call', async (t) => {
    const service = new TestControlPlane();
    await service.start();
    t.after(() => service.stop());
    const credentials = readCredentials({
      env: { OPENAI_TUNNEL_ID: service.tunnelId, OPENAI_TUNNEL_API_KEY: service.apiKey },
      baseUrl: service.baseUrl,
    });
    const signal = new AbortController().signal;
    assert.deepEqual(await checkCredentials(credentials, { env: {}, signal }), { name: 'Test tunnel' });
    service.fault = () => ({ status: 500 });
    const error = await tunnelError(checkCredentials(credentials, { env: {}, signal }));
    assert.equal(error.reason, 'failed');
    const closed = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => closed.once('listening', resolve));
    const { port } = closed.address() as { port: number };
    await new Promise((resolve) => closed.close(resolve));
    const nowhere = { ...credentials, baseUrl: new URL(`http://127.0.0.1:${port}`) };
    assert.match(
      (await tunnelError(checkCredentials(nowhere, { env: {}, signal }))).message,
      /cannot be reached: .*ECONNREFUSED/,
    );
  });
});
