import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TestUser } from '../core/support/harness.ts';
import { startWorker, type WorkerHarness } from './harness.ts';

/** workerd lets a Durable Object hibernate when nothing but sockets has been there for ten seconds. */
const HIBERNATES_AFTER_MS = 12_500;

describe('hibernation on workerd', () => {
  let harness: WorkerHarness;
  before(async () => {
    harness = await startWorker();
  });
  after(() => harness.close());

  test('hibernation: the object is built anew, the socket is kept, the next call is answered', async () => {
    const user = await TestUser.signIn(harness, 'sleeper');
    const { agent } = await user.agent('w');
    const before = await harness.life(agent.agentId);
    let pongs = 0;
    agent.socket.on('message', (data) => {
      if (String(data) === 'pong') pongs++;
    });
    // The heartbeat must not keep it awake; looking whether it sleeps would wake it, so the time is waited for.
    const heartbeat = setInterval(() => agent.socket.send('ping'), 1_000);
    await new Promise((resolve) => setTimeout(resolve, HIBERNATES_AFTER_MS));
    clearInterval(heartbeat);
    assert.equal((await user.call('listTree', { workspaceId: 'w' })).data['agent'], agent.agentId);
    assert.notEqual(await harness.life(agent.agentId), before);
    assert.ok(pongs >= 10, `${pongs}`);
    assert.equal(agent.socket.readyState, agent.socket.OPEN);
    await agent.close();
  });
});
