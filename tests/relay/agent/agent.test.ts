import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { CallResult } from '../../../src/mcp/envelope.ts';
import { CLOSE, MAX_CALLS_PER_AGENT, MAX_COMPRESSED_BYTES } from '../../../src/relay/protocol.ts';
import { isWindows } from '../../../src/runtime/platform.ts';
import { seeded } from '../../support/seeded.ts';
import { agentWorld } from './support/agent-world.ts';
import { AGENT_ID, TOKEN } from './support/fake-relay.ts';

const text = (value: string): CallResult => ({ content: [{ type: 'text', text: value }] });

describe('agent', () => {
  test('says hello with its bearer and serves the viewer', async (t) => {
    const world = await agentWorld(t);
    world.start();
    const relay = await world.relay.connected();
    assert.deepEqual(world.relay.authorizations, [`Bearer ${TOKEN}`]);
    const { version, ...hello } = relay.hello;
    assert.equal(typeof version, 'string');
    assert.deepEqual(hello, {
      type: 'hello',
      protocol: 1,
      agentId: AGENT_ID,
      kind: 'viewer',
      workspaces: [{ workspaceId: 'ws', displayName: 'Work' }],
    });
    relay.request({
      id: 'r1',
      tool: 'inspectFile',
      workspaceId: 'ws',
      input: { workspaceId: 'ws', path: 'hello.txt' },
    });
    const result = await relay.result('r1');
    assert.ok(result.ok);
    const block = result.result.content[0];
    assert.match(
      block?.type === 'text' ? block.text : '',
      /^\{"ok":true,"tool":"inspectFile".*\}\n\nhello\n$/,
    );
    relay.request({ id: 'r2', tool: 'run_command', input: { command: 'id' } });
    const refused = await relay.result('r2');
    assert.ok(refused.ok && refused.result.isError, 'there is no such tool in this program');
    relay.request({ id: 'r3', tool: 'listTree', workspaceId: 'other', input: { workspaceId: 'ws' } });
    const crossed = await relay.result('r3');
    assert.match(JSON.stringify(crossed), /WORKSPACE_NOT_FOUND/, 'what the relay checked is what counts');
    assert.ok(!JSON.stringify(relay.messages).includes(world.folder), 'no place of this machine is told');
  });

  test('tells of workspaces that are added, and of nothing else', async (t) => {
    const world = await agentWorld(t);
    world.start();
    const relay = await world.relay.connected();
    await world.configure((present) => ({
      ...present,
      workspaces: [
        ...present.workspaces,
        { workspaceId: 'two', displayName: 'Second', rootPath: world.folder, accessMode: 'read_only' },
      ],
    }));
    await world.relay.until(() => relay.messages.length > 0);
    assert.deepEqual(relay.messages[0], {
      type: 'workspace_sync',
      workspaces: [
        { workspaceId: 'ws', displayName: 'Work' },
        { workspaceId: 'two', displayName: 'Second' },
      ],
    });
    relay.request({ id: 'a', tool: 'describeWorkspace', workspaceId: 'two', input: { workspaceId: 'two' } });
    assert.equal((await relay.result('a')).ok, true);
  });

  test('comes back after a lost connection, a restart and refusals that pass', async (t) => {
    const world = await agentWorld(t);
    world.start();
    (await world.relay.connected(1)).socket.terminate();
    (await world.relay.connected(2)).socket.close(CLOSE.restarting);
    world.relay.refusals.push(503, 429, 404, 500);
    (await world.relay.connected(3)).socket.close(CLOSE.protocolError, 'tested');
    await world.relay.connected(4);
    assert.ok(world.relay.attempts >= 8);
  });

  for (const status of [401, 403]) {
    test(`stops at ${status} and says why`, async (t) => {
      const world = await agentWorld(t);
      world.relay.refusals.push(status);
      assert.equal(await world.start().ended, 5);
      assert.equal(world.relay.attempts, 1);
      assert.match(world.lines.join(''), new RegExp(`error: .*\\(${status}\\)`));
    });
  }

  test('stops when it is revoked, named wrongly, or too old', async (t) => {
    const world = await agentWorld(t);
    for (const [index, code] of [CLOSE.revoked, CLOSE.wrongAgent, CLOSE.unsupportedProtocol].entries()) {
      const agent = world.start();
      (await world.relay.connected(index + 1)).socket.close(code, 'tested');
      assert.equal(await agent.ended, 5);
    }
    assert.equal(world.relay.attempts, 3);
  });

  test('of two with one credential the newer wins and the older stops for good', async (t) => {
    const world = await agentWorld(t);
    const older = world.start();
    await world.relay.connected(1);
    const newer = world.start();
    const second = await world.relay.connected(2);
    assert.equal(await older.ended, 1);
    assert.match(world.lines.join(''), /the newer one wins/);
    second.request({ id: 'a', tool: 'listWorkspaces' });
    assert.equal((await second.result('a')).ok, true);
    assert.equal(world.relay.attempts, 2, 'they do not kick each other out for ever');
    newer.stop();
    assert.equal(await newer.ended, 0);
  });

  test('a line on which nothing comes is given up, before and after hello', async (t) => {
    const world = await agentWorld(t);
    world.relay.mute = true;
    world.start({ timings: { heartbeatMs: 20, pongMs: 40, welcomeMs: 60 } });
    await world.relay.until(() => world.relay.attempts >= 2);
    assert.match(world.lines.join(''), /did not accept the agent in time/);
    world.relay.mute = false;
    await world.relay.connected(1);
    world.relay.mute = true;
    const before = world.relay.attempts;
    await world.relay.until(() => world.relay.attempts > before);
    assert.match(world.lines.join(''), /does not answer any more/);
    world.relay.mute = false;
    await world.relay.connected(2);
  });

  test('a live line is kept over many heartbeats', async (t) => {
    const world = await agentWorld(t);
    world.start({ timings: { heartbeatMs: 5, pongMs: 2_000 } });
    const relay = await world.relay.connected(1);
    await world.relay.until(() => relay.frames.length >= 10);
    assert.equal(world.relay.attempts, 1);
  });

  test('a stopped relay process is noticed', {
    skip: isWindows ? 'only on Linux and macOS: SIGSTOP' : false,
  }, async (t) => {
    const world = await agentWorld(t);
    const relay = spawn(process.execPath, [join(import.meta.dirname, 'support', 'relay-process.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => relay.kill('SIGKILL'));
    const [chunk] = (await once(relay.stdout, 'data')) as [Buffer];
    await world.configure((present) => ({
      ...present,
      agent: { agentId: AGENT_ID, agentToken: TOKEN, serverBaseUrl: chunk.toString('utf8').trim() },
    }));
    world.start({ timings: { heartbeatMs: 20, pongMs: 300 } });
    const said = (pattern: RegExp) => world.lines.filter((line) => pattern.test(line)).length;
    await t.waitFor(() => assert.equal(said(/connected to/), 1), { timeout: 10_000 });
    relay.kill('SIGSTOP');
    await t.waitFor(() => assert.ok(said(/does not answer any more/) >= 1), { timeout: 10_000 });
    relay.kill('SIGCONT');
    await t.waitFor(() => assert.ok(said(/connected to .* for/) >= 2), { timeout: 10_000 });
  });

  test('unpairing elsewhere ends it; pairing anew reconnects it', async (t) => {
    const world = await agentWorld(t);
    const agent = world.start();
    await world.relay.connected(1);
    world.relay.refusals.push(503);
    await world.configure((present) => ({
      ...present,
      agent: { agentId: AGENT_ID, agentToken: `${TOKEN}-new`, serverBaseUrl: world.relay.url },
    }));
    await world.relay.until(() => world.relay.authorizations.includes(`Bearer ${TOKEN}-new`));
    await world.configure(({ workspaces }) => ({ workspaces }));
    assert.equal(await agent.ended, 5);
  });
});

describe('calls of an agent', () => {
  test('a request that comes twice is served once', async (t) => {
    const world = await agentWorld(t);
    let served = 0;
    const release = Promise.withResolvers<void>();
    world.start({
      serve: async () => {
        served++;
        await release.promise;
        return text('done');
      },
    });
    const relay = await world.relay.connected();
    relay.request({ id: 'same', tool: 'x' });
    relay.request({ id: 'same', tool: 'x' });
    relay.request({ id: 'other', tool: 'x' });
    await t.waitFor(() => assert.equal(served, 2));
    release.resolve();
    await relay.result('other');
    relay.request({ id: 'same', tool: 'x' });
    relay.request({ id: 'last', tool: 'x' });
    await relay.result('last');
    assert.equal(served, 3);
    assert.equal(relay.messages.filter((message) => message['id'] === 'same').length, 1);
  });

  test('a cancelled call is stopped and not answered', async (t) => {
    const world = await agentWorld(t);
    const stopped = Promise.withResolvers<unknown>();
    world.start({
      serve: async (request, signal) => {
        if (request.tool === 'quick') return text('quick');
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        stopped.resolve(signal.reason);
        return text('too late');
      },
    });
    const relay = await world.relay.connected();
    relay.request({ id: 'slow', tool: 'slow' });
    relay.cancel('never-there');
    relay.cancel('slow');
    await stopped.promise;
    relay.request({ id: 'quick', tool: 'quick' });
    await relay.result('quick');
    assert.deepEqual(
      relay.messages.map((message) => message['id']),
      ['quick'],
    );
  });

  test('a call that takes too long is answered in time, and its late answer is dropped', async (t) => {
    const world = await agentWorld(t);
    const late = Promise.withResolvers<CallResult>();
    world.start({
      serve: (request) => (request.tool === 'slow' ? late.promise : Promise.resolve(text('ok'))),
    });
    const relay = await world.relay.connected();
    relay.request({ id: 'slow', tool: 'slow', timeoutMs: 30 });
    const result = await relay.result('slow');
    assert.ok(!result.ok && result.error.code === 'TOOL_TIMEOUT');
    late.resolve(text('late'));
    relay.request({ id: 'next', tool: 'quick' });
    assert.equal((await relay.result('next')).ok, true);
    assert.equal(relay.messages.filter((message) => message['id'] === 'slow').length, 1);
    assert.equal(world.relay.attempts, 1, 'the connection is the same');
  });

  test('a closed connection stops its calls; the next one serves', async (t) => {
    const world = await agentWorld(t);
    const stopped = Promise.withResolvers<void>();
    world.start({
      serve: async (request, signal) => {
        if (request.tool === 'quick') return text('ok');
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        stopped.resolve();
        return text('late');
      },
    });
    const first = await world.relay.connected(1);
    first.request({ id: 'one', tool: 'slow' });
    first.socket.terminate();
    const second = await world.relay.connected(2);
    await stopped.promise;
    second.request({ id: 'one', tool: 'quick' });
    assert.equal((await second.result('one')).ok, true, 'ids of another connection do not count');
  });

  test('more calls than an agent takes are refused, and those under way do not suffer', async (t) => {
    const world = await agentWorld(t);
    const release = Promise.withResolvers<void>();
    world.start({
      serve: async () => {
        await release.promise;
        return text('ok');
      },
    });
    const relay = await world.relay.connected();
    for (let index = 0; index <= MAX_CALLS_PER_AGENT; index++) relay.request({ id: `c${index}`, tool: 'x' });
    const refused = await relay.result(`c${MAX_CALLS_PER_AGENT}`);
    assert.ok(!refused.ok && refused.error.code === 'AGENT_BUSY');
    release.resolve();
    for (let index = 0; index < MAX_CALLS_PER_AGENT; index++) {
      assert.equal((await relay.result(`c${index}`)).ok, true);
    }
  });

  test('large results are compressed; what the relay cannot carry is refused', async (t) => {
    const world = await agentWorld(t);
    const random = seeded(7);
    const noise = Buffer.from(Array.from({ length: 750_000 }, () => 35 + random.int(56)));
    const results: Record<string, string> = {
      small: 'x'.repeat(1_000),
      mebibyte: 'line of a file\n'.repeat(60_000),
      over: 'x'.repeat(1024 * 1024),
      incompressible: noise.toString('latin1'),
      bomb: 'x'.repeat(64 * 1024 * 1024),
    };
    world.start({ serve: async ({ tool }) => text(results[tool] ?? '') });
    const relay = await world.relay.connected();
    for (const tool of Object.keys(results)) relay.request({ id: tool, tool });
    const codes: Record<string, string> = {};
    for (const tool of Object.keys(results)) {
      const result = await relay.result(tool);
      codes[tool] = result.ok ? 'ok' : result.error.code;
    }
    assert.deepEqual(codes, {
      small: 'ok',
      mebibyte: 'ok',
      over: 'RESULT_TOO_LARGE',
      incompressible: 'COMPRESSED_RESULT_TOO_LARGE',
      bomb: 'RESULT_TOO_LARGE',
    });
    assert.equal(relay.frames.filter(({ isBinary }) => isBinary).length, 1);
    for (const { bytes } of relay.frames) assert.ok(bytes < MAX_COMPRESSED_BYTES);
    const mebibyte = await relay.result('mebibyte');
    const block = mebibyte.ok ? mebibyte.result.content[0] : undefined;
    assert.equal(block?.type === 'text' && block.text === results['mebibyte'], true);
    assert.equal(world.relay.attempts, 1);
  });

  test('what is not of the protocol hurts nobody', async (t) => {
    const world = await agentWorld(t);
    world.start();
    const relay = await world.relay.connected();
    const hostile = [
      '',
      '{',
      '[]',
      'null',
      '{"type":"news"}',
      '{"type":"request"}',
      '{"type":"cancel"}',
      'pong',
    ];
    for (const message of hostile) relay.socket.send(message);
    relay.socket.send(Buffer.from([1, 2, 3]));
    relay.socket.send(JSON.stringify({ type: 'welcome', protocol: 1, account: 'again' }));
    relay.socket.send(
      JSON.stringify({ type: 'request', id: 'bad', tool: 'listTree', input: 1, timeoutMs: 5 }),
    );
    const bad = await relay.result('bad');
    assert.ok(!bad.ok && bad.error.code === 'AGENT_PROTOCOL_ERROR');
    relay.request({ id: 'good', tool: 'listWorkspaces' });
    assert.equal((await relay.result('good')).ok, true);
    assert.equal(world.relay.attempts, 1);
    // A frame over the limit ends the connection, and the agent comes back.
    relay.socket.send('x'.repeat(1024 * 1024 + 10));
    await world.relay.connected(2);
  });

  test('a workspace whose folder is gone is forbidden, the others are served', async (t) => {
    const world = await agentWorld(t);
    await world.configure((present) => ({
      ...present,
      workspaces: [
        ...present.workspaces,
        {
          workspaceId: 'gone',
          displayName: 'Gone',
          rootPath: join(world.folder, 'gone'),
          accessMode: 'read_only',
        },
      ],
    }));
    await writeFile(join(world.root, 'large.txt'), `${'text '.repeat(60)}\n`.repeat(400));
    world.start();
    const relay = await world.relay.connected();
    relay.request({ id: 'a', tool: 'listTree', workspaceId: 'gone', input: { workspaceId: 'gone' } });
    assert.match(JSON.stringify(await relay.result('a')), /WORKSPACE_FORBIDDEN/);
    relay.request({
      id: 'b',
      tool: 'inspectFile',
      workspaceId: 'ws',
      input: { workspaceId: 'ws', path: 'large.txt' },
    });
    const large = await relay.result('b');
    assert.ok(large.ok && JSON.stringify(large.result).length > 100_000);
  });
});
