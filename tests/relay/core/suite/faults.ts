import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { RELAY_GRACE_MS, type Request } from '../../../../src/relay/protocol.ts';
import { type Behaviour, echo, TestAgent, textResult } from '../support/agent.ts';
import { type Harness, TestUser, TOOL_MS } from '../support/harness.ts';
import { codeOf } from '../support/mcp.ts';
import { until } from './journey.ts';

const silent: Behaviour = () => undefined;

export function faults(relay: () => Harness): void {
  describe('faults', () => {
    test('no answer: AGENT_TIMEOUT within the tool’s time and two seconds; a late one is dropped, other calls live', async () => {
      const user = await TestUser.signIn(relay(), 'timeout');
      const held: Request[] = [];
      const { agent } = await user.agent('w', {
        behaviour: (request, me) => {
          if (request.tool !== 'searchFile') return echo(request, me);
          held.push(request);
          return undefined;
        },
      });
      const started = performance.now();
      const late = user.call('searchFile', { workspaceId: 'w' });
      await until(() => held.length === 1);
      assert.equal((await user.call('listTree', { workspaceId: 'w' })).ok, true);
      assert.equal(await codeOf(late), 'AGENT_TIMEOUT');
      const took = performance.now() - started;
      assert.ok(took >= TOOL_MS + RELAY_GRACE_MS - 50 && took < TOOL_MS + RELAY_GRACE_MS + 3_000, `${took}`);
      const cancelled = await agent.saw(({ type }) => type === 'cancel');
      assert.ok(cancelled.type === 'cancel' && cancelled.id === held[0]?.id);
      await agent.result(held[0].id, textResult('searchFile', { late: true }));
      const after = await user.call('listTree', { workspaceId: 'w' });
      assert.equal(after.data['tool'], 'listTree');
      await agent.close();
    });

    test('duplicate, unknown and malformed answers end no call but their own', async () => {
      const user = await TestUser.signIn(relay(), 'duplicates');
      const { agent } = await user.agent('w', {
        behaviour: (request, me) => {
          if (request.tool === 'inspectFile')
            me.send({ type: 'result', id: request.id, ok: true, result: 'no' });
          me.send({ type: 'result', id: 'of-nobody', ok: true, result: { content: [] } });
          me.send({ type: 'of_a_newer_version', id: request.id });
          void me.result(request.id, textResult(request.tool, { first: true }));
          void me.result(request.id, textResult(request.tool, { first: false }));
          return undefined;
        },
      });
      for (let index = 0; index < 5; index++) {
        assert.equal((await user.call('listTree', { workspaceId: 'w' })).data['first'], true);
      }
      assert.equal(await codeOf(user.call('inspectFile', { workspaceId: 'w' })), 'AGENT_PROTOCOL_ERROR');
      assert.equal((await user.call('listTree', { workspaceId: 'w' })).data['first'], true);
      await agent.close();
    });

    test('an agent’s own error is handed on', async () => {
      const user = await TestUser.signIn(relay(), 'errors');
      const { agent } = await user.agent('w', {
        behaviour: (request, me) => {
          const error = { code: 'PATH_IGNORED', message: 'That path is ignored.', hint: 'Another one.' };
          me.send({ type: 'result', id: request.id, ok: false, error });
          return undefined;
        },
      });
      const answer = await user.call('inspectFile', { workspaceId: 'w', path: '.env' });
      assert.equal(answer.data.error?.code, 'PATH_IGNORED');
      assert.equal(answer.data.error?.hint, 'Another one.');
      await agent.close();
    });

    test('the agent dies: its calls fail at once, those of another agent go on', async () => {
      const user = await TestUser.signIn(relay(), 'dying');
      const dying = await user.agent('dying', { behaviour: silent });
      const held: Request[] = [];
      const living = await user.agent('living', {
        behaviour: (request) => {
          held.push(request);
          return undefined;
        },
      });
      const started = performance.now();
      const [lost, kept] = [
        codeOf(user.call('listTree', { workspaceId: 'dying' })),
        user.call('listTree', { workspaceId: 'living' }),
      ];
      await dying.agent.saw(({ type }) => type === 'request');
      await until(() => held.length === 1);
      dying.agent.socket.terminate();
      assert.equal(await lost, 'AGENT_OFFLINE');
      assert.ok(performance.now() - started < TOOL_MS + RELAY_GRACE_MS, 'at once, not by the timeout');
      await living.agent.result(held[0]!.id, textResult('listTree', { kept: true }));
      assert.equal((await kept).data['kept'], true);
      const states = (await user.call('listWorkspaces', { includeOffline: true })).data['workspaces'];
      assert.deepEqual(
        (states as { workspaceId: string; agentOnline: boolean }[]).map((one) => [
          one.workspaceId,
          one.agentOnline,
        ]),
        [
          ['dying', false],
          ['living', true],
        ],
      );
      assert.equal(((await user.call('listWorkspaces')).data['workspaces'] as unknown[]).length, 1);
      await living.agent.close();
    });

    test('two agents with one credential: the newer wins, the older is told to stop', async () => {
      const user = await TestUser.signIn(relay(), 'doubles');
      const { agent: older, credential } = await user.agent('w', { behaviour: silent });
      const lost = codeOf(user.call('listTree', { workspaceId: 'w' }));
      await older.saw(({ type }) => type === 'request');
      const workspaces = [{ workspaceId: 'w', displayName: 'W' }];
      // A connection that says nothing yet replaces nobody.
      const mute = await TestAgent.open(relay().url, credential);
      assert.equal(older.socket.readyState, older.socket.OPEN);
      const newer = await TestAgent.connect(relay().url, credential, { workspaces });
      assert.equal(await older.closed, 4000);
      assert.equal(await lost, 'AGENT_OFFLINE');
      assert.equal((await user.call('listTree', { workspaceId: 'w' })).ok, true);
      await Promise.all([newer.close(), mute.close()]);
    });

    test('results: 1 MiB compressed arrives whole; more, a bomb, and rubbish fail their own call', async () => {
      const user = await TestUser.signIn(relay(), 'sizes');
      const line = 'the quick brown fox jumps over the lazy dog; ';
      const { agent } = await user.agent('w', {
        behaviour: (request, me) => {
          const frame = (content: Uint8Array) =>
            me.socket.send(
              Buffer.concat([Buffer.from([request.id.length]), Buffer.from(request.id), content]),
            );
          switch (request.input['path']) {
            case 'large':
              return { content: [{ type: 'text', text: `{"ok":true,"data":{}}\n\n${line.repeat(22_000)}` }] };
            case 'bomb':
              frame(gzipSync(Buffer.alloc(64 * 1024 * 1024)));
              return undefined;
            case 'incompressible':
              frame(Buffer.alloc(600 * 1024, 1));
              return undefined;
            case 'rubbish':
              frame(Buffer.from('no gzip'));
              return undefined;
            case 'of another':
              frame(
                gzipSync(JSON.stringify({ type: 'result', id: 'other', ok: true, result: { content: [] } })),
              );
              return undefined;
            default:
              return echo(request, me);
          }
        },
      });
      const inspect = (path: string) => user.call('inspectFile', { workspaceId: 'w', path });
      assert.equal((await inspect('large')).bulk, line.repeat(22_000));
      const [bomb, incompressible, rubbish, other, ...fine] = await Promise.all([
        codeOf(inspect('bomb')),
        codeOf(inspect('incompressible')),
        codeOf(inspect('rubbish')),
        codeOf(inspect('of another')),
        ...Array.from({ length: 10 }, () => inspect('small')),
      ]);
      assert.equal(bomb, 'RESULT_TOO_LARGE');
      assert.equal(incompressible, 'COMPRESSED_RESULT_TOO_LARGE');
      assert.equal(rubbish, 'AGENT_PROTOCOL_ERROR');
      assert.equal(other, 'AGENT_PROTOCOL_ERROR');
      assert.ok(fine.every(({ ok }) => ok));
      await agent.close();
    });

    test('rubbish instead of a message closes that connection, with the reason', async () => {
      const user = await TestUser.signIn(relay(), 'rubbish');
      for (const [rubbish, code] of [
        ['{', 4002],
        ['[]', 4002],
        [Buffer.from([255, 1, 2]), 4002],
        [JSON.stringify({ type: 'hello', protocol: 99 }), 4005],
        [JSON.stringify({ type: 'hello', protocol: 1, agentId: '../x', workspaces: [] }), 4002],
        [JSON.stringify({ type: 'workspace_sync', workspaces: [] }), 4002],
      ] as const) {
        const agent = await TestAgent.open(relay().url, await user.pair());
        agent.socket.send(rubbish);
        assert.equal(await agent.closed, code, String(rubbish));
      }
    });

    test('an agent that floods the relay with syncs is closed; its neighbour does not notice', async () => {
      const user = await TestUser.signIn(relay(), 'flood');
      const flooding = await user.agent('flooding');
      const quiet = await user.agent('quiet');
      for (let index = 0; index < 100; index++) {
        const workspaces = [{ workspaceId: 'flooding', displayName: `Name ${index}` }];
        flooding.agent.send({ type: 'workspace_sync', workspaces });
      }
      assert.equal((await user.call('listTree', { workspaceId: 'quiet' })).ok, true);
      assert.equal(await flooding.agent.closed, 4002);
      await quiet.agent.close();
    });

    test('more calls than an agent may have: AGENT_BUSY for those above, the rest are answered', async () => {
      const user = await TestUser.signIn(relay(), 'busy');
      const held: Request[] = [];
      const { agent } = await user.agent('w', {
        behaviour: (request) => {
          held.push(request);
          return undefined;
        },
      });
      const calls = Array.from({ length: 64 }, () => user.call('listTree', { workspaceId: 'w' }));
      await until(() => held.length === 64);
      assert.equal(await codeOf(user.call('listTree', { workspaceId: 'w' })), 'AGENT_BUSY');
      for (const { id } of held) void agent.result(id, textResult('listTree', {}));
      assert.ok((await Promise.all(calls)).every(({ ok }) => ok));
      await agent.close();
    });

    test('hostile requests: wrong arguments, unknown tools, bad JSON, large bodies', async () => {
      const user = await TestUser.signIn(relay(), 'hostile');
      assert.equal(await codeOf(user.call('listTree')), 'INVALID_PARAMS');
      assert.equal(await codeOf(user.call('listTree', { workspaceId: 7 })), 'INVALID_PARAMS');
      assert.equal(await codeOf(user.call('listWorkspaces', { includeOflline: true })), 'INVALID_PARAMS');
      assert.equal(await codeOf(user.call('lisTree', { workspaceId: 'w' })), 'UNKNOWN_TOOL');
      assert.equal(
        await codeOf(user.call('listTree', { workspaceId: "' OR '1'='1" })),
        'WORKSPACE_NOT_FOUND',
      );
      const post = (body: string) =>
        fetch(`${relay().url}/mcp`, {
          method: 'POST',
          headers: { authorization: `Bearer ${user.token}`, 'content-type': 'application/json' },
          body,
        });
      assert.match(await (await post('{')).text(), /-32700/);
      const large = await post(
        JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping', x: 'y'.repeat(900_000) }),
      );
      assert.equal(large.status, 413);
      const streamed = (bytes: number) => {
        const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping', x: 'y'.repeat(bytes) });
        return fetch(`${relay().url}/mcp`, {
          method: 'POST',
          headers: { authorization: `Bearer ${user.token}`, 'content-type': 'application/json' },
          body: new Blob([text]).stream(),
          duplex: 'half',
        } as RequestInit); // duplex is newer than the types
      };
      assert.equal((await streamed(10)).status, 200);
      assert.equal((await streamed(900_000)).status, 413);
      const missing = await fetch(`${relay().url}/nothing`);
      assert.deepEqual([missing.status, await missing.text()], [404, '{"error":"not_found"}']);
    });
  });
}
