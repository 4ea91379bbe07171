import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { modern } from '../../support/test-server.ts';
import { checkAgainst } from './support/contract.ts';
import type { Answered } from './support/control-plane.ts';
import { tunnelBench, until } from './support/setup.ts';

const text = (answered: Answered) => JSON.stringify(answered.final.resp_json);
const toolsIn = ({ final }: Answered) => final.resp_json?.result?.['tools'] as unknown[];
/** A value that JSON.stringify writes as it is given: no serialiser of JavaScript's own writes 1.0. */
const asWritten = (json: string) => ({
  toJSON: () => (JSON as unknown as { rawJSON: (text: string) => unknown }).rawJSON(json),
});

describe('openai tunnel: commands', { timeout: 60_000 }, () => {
  test('tools/list comes through, and every request keeps to the contract', async (t) => {
    const { service, start, lines } = await tunnelBench(t);
    const tunnel = await start();
    assert.deepEqual(tunnel.address, { kind: 'tunnel-id', id: service.tunnelId, name: 'Test tunnel' });
    assert.equal(tunnel.status().state, 'connected');
    const answered = await service.send({ jsonrpc: '2.0', id: 'list-1', method: 'tools/list' });
    assert.equal(answered.final.resp_type, 'jsonrpc_response');
    assert.equal(answered.final.resp_code, 200);
    assert.deepEqual(answered.final.resp_headers, { 'Content-Type': ['application/json'] });
    assert.equal(answered.final.resp_json?.['id'], 'list-1');
    assert.equal(toolsIn(answered).length, 4);
    assert.deepEqual(service.breaches, []);
    assert.deepEqual(
      lines.map(({ httpMethod, path, method, status }) => ({ httpMethod, path, method, status })),
      [{ httpMethod: 'TUNNEL', path: 'openai', method: 'tools/list', status: 200 }],
    );
    await until(() => tunnel.status().answeredCommands === 1);
    assert.ok(Date.now() - (tunnel.status().lastRequestAtMs ?? 0) < 5_000);
  });

  test('the first polls: one for nothing to know the credentials, then long ones for 25', async (t) => {
    const { service, start } = await tunnelBench(t);
    await start();
    await until(() => service.polls.length === 2);
    assert.deepEqual(
      service.polls.map(({ limit, waitMs }) => ({ limit, waitMs })),
      [
        { limit: 25, waitMs: 1 },
        { limit: 25, waitMs: 15_000 },
      ],
    );
  });

  test('initialize brings the session id back; headers of a command reach the endpoint', async (t) => {
    const { service, start, contexts } = await tunnelBench(t);
    await start();
    const params = {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'c', version: '1' },
    };
    const first = await service.send({ jsonrpc: '2.0', id: 1, method: 'initialize', params });
    const session = first.final.resp_headers?.['Mcp-Session-Id'] ?? [];
    assert.match(session[0] ?? '', /^c~1~/);
    await service.call('echo', { text: 'x' }, 2, { headers: { 'mcp-session-id': session } });
    assert.match(contexts.at(-1)?.conversation ?? '', /^[0-9a-f]{16}$/);
  });

  test("ChatGPT's opening on 2026-07-28, with its headers and without", async (t) => {
    const { service, start } = await tunnelBench(t);
    await start();
    for (const withHeaders of [true, false]) {
      const send = (method: string, params: Record<string, unknown>, id: string) => {
        const { message, headers } = modern(method, params, id);
        const values = Object.entries(withHeaders ? headers : {}).map(([name, value]) => [name, [value]]);
        return service.send(message, { headers: Object.fromEntries(values) });
      };
      const discovered = await send('server/discover', {}, 'openai-mcp-discover');
      assert.deepEqual(discovered.final.resp_json?.result?.['supportedVersions'], ['2026-07-28']);
      assert.equal(discovered.final.resp_json?.['id'], 'openai-mcp-discover');
      const listed = await send('tools/list', {}, 'l');
      assert.equal(toolsIn(listed).length, 4);
      const echoed = await send('tools/call', { name: 'echo', arguments: { text: 'through' } }, 'c');
      assert.match(text(echoed), /through/);
      assert.deepEqual(echoed.final.resp_headers?.['Content-Type'], ['application/json']);
      const unknown = await send('no/such', {}, 'u');
      assert.deepEqual(
        [unknown.final.resp_code, unknown.final.resp_json?.error?.code, unknown.final.resp_json?.['id']],
        [404, -32601, 'u'],
      );
    }
    assert.deepEqual(service.breaches, []);
  });

  test('a long call sends its progress before its answer', async (t) => {
    const { service, start } = await tunnelBench(t);
    await start();
    const old = {
      jsonrpc: '2.0',
      id: 7,
      method: 'tools/call',
      params: { name: 'wait', arguments: { ms: 900 }, _meta: { progressToken: 'p' } },
    };
    const { message } = modern('tools/call', old.params, 7);
    for (const command of [old, message]) {
      const answered = await service.send(command);
      const [progress, ...more] = answered.notifications;
      assert.deepEqual(more, []);
      assert.equal(progress?.resp_type, 'jsonrpc_notify');
      assert.equal(progress?.resp_json?.['method'], 'notifications/progress');
      assert.match(JSON.stringify(progress?.resp_json?.['params']), /"progressToken":"p"/);
      assert.match(text(answered), /Waited/);
    }
    assert.deepEqual(service.breaches, []);
  });

  test('25 commands at once are answered as they are done', async (t) => {
    const { service, start } = await tunnelBench(t);
    const order: number[] = [];
    const started = performance.now();
    const all = Array.from({ length: 25 }, async (_, index) => {
      const answered = await service.call('wait', { ms: (25 - index) * 40 }, index);
      order.push(index);
      assert.equal(answered.final.resp_json?.['id'], index);
    });
    await start();
    await Promise.all(all);
    assert.ok(performance.now() - started < 4_000, 'they run at the same time');
    assert.ok((order[0] ?? 0) > 20 && (order.at(-1) ?? 25) < 4, `shortest first: ${order}`);
    assert.deepEqual(service.breaches, []);
  });

  test('a poll that returns more than was asked for: every command is answered', async (t) => {
    const { service, start } = await tunnelBench(t);
    service.overfill = true;
    const all = Array.from({ length: 60 }, (_, id) => service.call('echo', { text: `${id}` }, id));
    await start();
    for (const [id, answered] of (await Promise.all(all)).entries()) {
      assert.equal(answered.final.resp_json?.['id'], id);
    }
    assert.equal(service.polls[0]?.limit, 25);
  });

  test('notifications are acknowledged, the end of a session too', async (t) => {
    const { service, start } = await tunnelBench(t);
    await start();
    const ack = await service.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    assert.deepEqual([ack.final.resp_type, ack.final.resp_code], ['notify_ack', 202]);
    assert.equal(ack.final.resp_json, undefined);
    const end = await service.sendCommand(
      { command_type: 'session_termination' },
      { headers: { 'Mcp-Session-Id': ['c~1~AAAAAAAAAAAAAAAAAAAAAA'] } },
    );
    assert.deepEqual(
      [end.final.resp_type, end.final.resp_code, end.final.resp_json],
      ['session_termination_response', 204, undefined],
    );
    assert.deepEqual(service.breaches, []);
  });

  test('notifications/cancelled cancels the call of its session', async (t) => {
    const { service, start, contexts } = await tunnelBench(t);
    await start();
    const headers = { 'Mcp-Session-Id': ['c~1~AAAAAAAAAAAAAAAAAAAAAA'] };
    const pending = service.call('wait', { ms: 50_000 }, 11, { headers });
    await until(() => contexts.length === 1);
    const params = { requestId: 11 };
    await service.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params }, { headers });
    assert.match(text(await pending), /Stopped/);
  });

  test('unknown command types and commands that cannot be read are logged and skipped', async (t) => {
    const { service, start, log } = await tunnelBench(t);
    void service.sendCommand({ command_type: 'oauth_discovery', jsonrpc: { jsonrpc: '2.0', id: 1 } });
    void service.sendCommand({ command_type: 'jsonrpc', jsonrpc: 'no object' });
    void service.sendCommand({ command_type: 'jsonrpc', jsonrpc: {}, shard_token: '' });
    const fine = service.call('echo', { text: 'fine' }, 1);
    await start();
    assert.match(text(await fine), /fine/);
    assert.equal(service.unanswered, 3);
    assert.match(log.join(''), /req_1 of unknown type "oauth_discovery" is skipped/);
    assert.match(log.join(''), /req_2 has no JSON-RPC message/);
    assert.match(log.join(''), /req_3 has no shard_token/);
  });

  test('ids and errors pass through unchanged', async (t) => {
    const { service, start } = await tunnelBench(t);
    await start();
    const ids = ['12345678901234567890', '-9007199254740993', '"a\\u0000\\"id\\":1.50"', '0', '1e2', '1.0'];
    for (const id of ids) {
      const message = {
        jsonrpc: '2.0',
        id: id.startsWith('"') ? JSON.parse(id) : asWritten(id),
        method: 'no/such',
      };
      const answered = await service.send(message);
      assert.ok(answered.text.includes(`"id":${id}`), `${id}: ${answered.text}`);
      assert.equal(answered.final.resp_json?.error?.code, -32601, id);
    }
    const params = { name: 'echo', arguments: { text: '{"id": 1.0}' }, id: 1 };
    const echoed = await service.send({ jsonrpc: '2.0', id: 5, method: 'tools/call', params });
    assert.match(text(echoed), /\{\\+"id\\+": 1\.0\}/);
    assert.deepEqual(service.breaches, []);
  });

  test('a channel that is not ours is refused, never served', async (t) => {
    const { service, start, contexts } = await tunnelBench(t);
    await start();
    const answered = await service.call('echo', { text: 'x' }, 3, { channel: 'harpoon' });
    assert.deepEqual([answered.final.resp_code, answered.final.resp_json?.error?.code], [400, -32603]);
    assert.equal(contexts.length, 0);
  });

  test('an answer over the limit is replaced by an error that says so', async (t) => {
    const { service, start } = await tunnelBench(t);
    await start();
    service.fault = (kind, attempt) => (kind === 'final' && attempt === 1 ? { status: 413 } : undefined);
    const answered = await service.call('echo', { text: 'x'.repeat(50_000) }, 1);
    assert.equal(answered.final.resp_json?.error?.code, -32603);
    assert.match(text(answered), /Ask for less/);
    assert.deepEqual(service.breaches, []);
  });

  test('a defect becomes -32603 with the provenance of the contract', async (t) => {
    const { start, service, mcp, log } = await tunnelBench(t);
    const broken = { ...mcp, fetch: () => Promise.reject(new TypeError('a defect')) };
    await start({ mcp: broken });
    const answered = await service.call('echo', { text: 'x' }, 9);
    assert.deepEqual(answered.final.resp_json, {
      jsonrpc: '2.0',
      id: 9,
      error: {
        code: -32603,
        message: 'Internal error; the server log names it.',
        data: {
          tunnel_failure: { version: 1, source: 'client_internal', upstream_response_received: false },
        },
      },
    });
    assert.match(log.join(''), /a defect/);
  });

  test("the control plane's own checks catch what they are for", () => {
    assert.deepEqual(checkAgainst('TunnelResponsePayload', { request_id: 'r', resp_code: 200 }), []);
    const bad = checkAgainst('TunnelResponsePayload', {
      request_id: 1,
      resp_type: 'other',
      shard_token: 't',
      resp_headers: { a: 'b' },
    });
    assert.equal(bad.length, 5, bad.join('\n'));
  });
});
