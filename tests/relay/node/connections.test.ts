import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { HEARD_WITHIN_MS, RELAY_GRACE_MS } from '../../../src/relay/protocol.ts';
import { until } from '../core/suite/journey.ts';
import { echo, pair, TestAgent, textResult } from '../core/support/agent.ts';
import { TestBrowser } from '../core/support/browser.ts';
import { type Harness, TestUser } from '../core/support/harness.ts';
import { codeOf, rpc } from '../core/support/mcp.ts';
import { type NodeHarness, startNode } from './harness.ts';

describe('connections on Node', () => {
  let relay: NodeHarness;
  before(async () => {
    relay = await startNode();
  });
  after(async () => {
    await relay.close();
    assert.deepEqual(relay.defects, []);
  });

  test('a frozen agent: AGENT_TIMEOUT for its calls, offline once it was not heard, others untouched', {
    skip: process.platform === 'win32' ? 'only on Linux and macOS: SIGSTOP' : false,
  }, async () => {
    const user = await TestUser.signIn(relay, 'frozen');
    const living = await user.agent('living');
    const credential = await user.pair();
    const child = startAgent(relay, credential);
    try {
      await once(child.stdout, 'data');
      assert.equal((await user.call('listTree', { workspaceId: 'w' })).ok, true);
      child.kill('SIGSTOP');
      const frozen = codeOf(user.call('listTree', { workspaceId: 'w' }));
      const others = await Promise.all(
        Array.from({ length: 20 }, () => user.call('listTree', { workspaceId: 'living' })),
      );
      assert.ok(others.every(({ ok }) => ok));
      assert.equal(await frozen, 'AGENT_TIMEOUT');
      // The socket is as open as before; only time tells.
      relay.skipTime(HEARD_WITHIN_MS + 1_000);
      living.agent.socket.send('ping');
      await until(async () => (await onlineWorkspaces(user)).join() === 'living');
      assert.equal(await codeOf(user.call('listTree', { workspaceId: 'w' })), 'AGENT_OFFLINE');
      assert.equal((await user.call('listTree', { workspaceId: 'living' })).ok, true);
      relay.skipTime(HEARD_WITHIN_MS + 1_000);
      living.agent.socket.send('ping');
      await until(async () => (await user.call('listTree', { workspaceId: 'living' })).ok);
      await relay.relay.hub.sweep();
      await until(() => relay.relay.hub.size === 1);
    } finally {
      child.kill('SIGKILL');
    }
    await living.agent.close();
  });

  test('an agent process is killed: its call fails at once', async () => {
    const user = await TestUser.signIn(relay, 'killed');
    const child = startAgent(relay, await user.pair());
    await once(child.stdout, 'data');
    const started = performance.now();
    child.kill('SIGKILL');
    await once(child, 'exit');
    await until(async () => (await codeOf(user.call('listTree', { workspaceId: 'w' }))) === 'AGENT_OFFLINE');
    assert.ok(performance.now() - started < 2_000);
  });

  test('the relay is restarted: agents are told to come back, calls fail, everything works again', async () => {
    const user = await TestUser.signIn(relay, 'restart');
    const { agent, credential } = await user.agent('w', { behaviour: () => undefined });
    const lost = codeOf(user.call('listTree', { workspaceId: 'w' }));
    await agent.saw(({ type }) => type === 'request');
    await relay.restart();
    assert.equal(await agent.closed, 1012);
    assert.equal(await lost, 'AGENT_OFFLINE');
    assert.equal(await codeOf(user.call('listTree', { workspaceId: 'w' })), 'AGENT_OFFLINE');
    const back = await TestAgent.connect(relay.url, credential, {
      workspaces: [{ workspaceId: 'w', displayName: 'W' }],
    });
    assert.equal((await user.call('listTree', { workspaceId: 'w' })).ok, true);
    await back.close();
  });

  test('a client that goes away, or sends notifications/cancelled, cancels its call at the agent', async () => {
    const user = await TestUser.signIn(relay, 'cancels');
    const other = await TestUser.signIn(relay, 'bystander');
    const { agent } = await user.agent('w', { behaviour: () => undefined });
    const params = { name: 'searchFile', arguments: { workspaceId: 'w' } };
    const requests = () => agent.received.filter(({ type }) => type === 'request');
    const cancels = () => agent.received.flatMap((one) => (one.type === 'cancel' ? [one.id] : []));

    const stop = new AbortController();
    const gone = rpc(relay.url, user.token, 'tools/call', params, { signal: stop.signal });
    await until(() => requests().length === 1);
    const started = performance.now();
    stop.abort();
    await assert.rejects(gone);
    await until(() => cancels().length === 1);
    assert.ok(performance.now() - started < RELAY_GRACE_MS, 'at once, not by the timeout');

    const headers = { 'mcp-session-id': 'one-conversation' };
    const call = codeOf(user.call('searchFile', { workspaceId: 'w' }, { headers, id: 7 }));
    await until(() => requests().length === 2);
    const notify = (token: string) =>
      fetch(`${relay.url}/mcp`, {
        method: 'POST',
        headers: { ...headers, authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } }),
      });
    assert.equal((await notify(other.token)).status, 202);
    assert.equal(cancels().length, 1, 'another user’s notification cancels nothing');
    await notify(user.token);
    assert.equal(await call, 'CANCELLED');
    await until(() => cancels().length === 2);
    await agent.close();
  });

  test('500 calls in flight over 50 agents, one of which dies and one of which is silent', async (t) => {
    const relay = await startNode({ maxToolMs: 3_000 });
    t.after(() => relay.close());
    const user = await TestUser.signIn(relay, 'many');
    const agents = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const { code } = await pairing(relay, user);
        const credential = await pair(relay.url, code);
        const held: string[] = [];
        const agent = await TestAgent.connect(relay.url, credential, {
          workspaces: [{ workspaceId: `w${index}`, displayName: `W${index}` }],
          behaviour: (request) => {
            held.push(request.id);
            return undefined;
          },
        });
        return { agent, held };
      }),
    );
    const calls = agents.map((_, index) =>
      Array.from({ length: 10 }, () => user.call('listTree', { workspaceId: `w${index}` })),
    );
    const codes = calls.map((ofAgent) => Promise.all(ofAgent.map(codeOf)));
    await until(() => agents.every(({ held }) => held.length === 10), 15_000);
    agents[0]!.agent.socket.terminate();
    for (const { agent, held } of agents.slice(2)) {
      for (const id of held) void agent.result(id, textResult('listTree', {}));
    }
    const outcomes = (await Promise.all(codes)).map((ofAgent) => [...new Set(ofAgent)].join());
    assert.deepEqual(outcomes, ['AGENT_OFFLINE', 'AGENT_TIMEOUT', ...Array.from({ length: 48 }, () => '')]);
    await Promise.all(agents.slice(1).map(({ agent }) => agent.close()));
    assert.deepEqual(relay.defects, []);
  });

  test('behind a proxy that names callers, guesses are limited for each of them', async (t) => {
    const relay = await startNode({ clientAddressHeader: 'X-Forwarded-For' });
    t.after(() => relay.close());
    const guess = async (forwardedFor: string) => {
      const response = await fetch(`${relay.url}/agent/pair`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-forwarded-for': forwardedFor },
        body: JSON.stringify({ code: 'ACDE-FGHJ-KMNP' }),
      });
      return response.status;
    };
    const statuses: number[] = [];
    // What the caller itself put in front is not believed.
    for (let index = 0; index < 11; index++) statuses.push(await guess(`10.0.0.${index}, 203.0.113.7`));
    assert.deepEqual(statuses, [...Array.from({ length: 10 }, () => 403), 429]);
    assert.equal(await guess('203.0.113.8'), 403);
    // One IPv6 customer has a /64.
    for (let index = 0; index < 10; index++) await guess(`2001:db8:1:2::${index}`);
    assert.equal(await guess('2001:db8:1:2:ffff::1'), 429);
    assert.equal(await guess('2001:db8:1:3::1'), 403);
  });

  test('GITHUB_ALLOWED_LOGINS lets nobody else in', async (t) => {
    const relay = await startNode({ env: { GITHUB_ALLOWED_LOGINS: 'Alice, bob' } });
    t.after(() => relay.close());
    assert.ok(await TestUser.signIn(relay, 'alice'));
    relay.github.user = { id: 5, login: 'mallory' };
    const refused = await new TestBrowser().open(`${relay.url}/sign-in/github`);
    assert.equal(refused.status, 403);
    assert.equal(await relay.sql.first(`SELECT id FROM relay_users WHERE subject = '5'`), undefined);
  });

  test('revoked or suspended by another process: dropped by the sweep', async () => {
    const user = await TestUser.signIn(relay, 'elsewhere');
    const { agent } = await user.agent('w', { behaviour: echo });
    await relay.sql.batch([[`UPDATE relay_users SET status = 'suspended' WHERE id = ?1`, user.id]]);
    await relay.relay.hub.sweep();
    assert.equal(await agent.closed, 4001);
  });

  test('refused connections: no credential, a credential in the query, no WebSocket, another path', async () => {
    const user = await TestUser.signIn(relay, 'refused');
    const { agentToken } = await user.pair();
    assert.equal(await TestAgent.refusal(relay.url, 'x'), 401);
    const get = async (path: string, headers: Record<string, string> = {}) =>
      (await fetch(`${relay.url}${path}`, { headers })).status;
    assert.equal(await get('/agent/connect'), 401);
    assert.equal(await get(`/agent/connect?token=${agentToken}`), 401);
    assert.equal(await get('/agent/connect', { authorization: `Bearer ${agentToken}` }), 426);
  });
});

function startAgent(relay: Harness, credential: { agentId: string; agentToken: string }) {
  return spawn(
    process.execPath,
    [join(import.meta.dirname, 'agent-process.ts'), relay.url, credential.agentId, credential.agentToken],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
}

async function onlineWorkspaces(user: TestUser): Promise<string[]> {
  const { data } = await user.call('listWorkspaces');
  return (data['workspaces'] as { workspaceId: string }[]).map(({ workspaceId }) => workspaceId);
}

/** A pairing code past the limits of the tool. */
async function pairing(relay: NodeHarness, user: TestUser) {
  const { Pairings } = await import('../../../src/relay/core/pairing.ts');
  return new Pairings(relay.sql).create(user.id, undefined, Date.now());
}
