import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { AUTH_TABLES } from '../../../src/auth/index.ts';
import { RELAY_TABLES } from '../../../src/relay/core/schema.ts';
import { faults } from '../core/suite/faults.ts';
import { isolation } from '../core/suite/isolation.ts';
import { journey } from '../core/suite/journey.ts';
import { TestUser } from '../core/support/harness.ts';
import { startWorker, type WorkerHarness } from './harness.ts';

describe('relay on workerd', () => {
  let harness: WorkerHarness;
  before(async () => {
    harness = await startWorker();
  });
  after(() => harness.close());
  journey(() => harness);
  isolation(() => harness);
  faults(() => harness);

  test('hibernation: the object is built anew, the socket is kept, the next call is answered', async () => {
    const user = await TestUser.signIn(harness, 'sleeper');
    const { agent } = await user.agent('w');
    const before = await harness.life(agent.agentId);
    let pongs = 0;
    agent.socket.on('message', (data) => {
      if (String(data) === 'pong') pongs++;
    });
    // workerd lets an object hibernate after ten idle seconds; the heartbeat must not keep it awake.
    const heartbeat = setInterval(() => agent.socket.send('ping'), 1_000);
    await new Promise((resolve) => setTimeout(resolve, 12_500));
    clearInterval(heartbeat);
    assert.equal((await user.call('listTree', { workspaceId: 'w' })).data['agent'], agent.agentId);
    assert.notEqual(await harness.life(agent.agentId), before);
    assert.ok(pongs >= 10, `${pongs}`);
    assert.equal(agent.socket.readyState, agent.socket.OPEN);
    await agent.close();
  });

  test('the migration makes the tables that the program expects', async () => {
    const folder = join(import.meta.dirname, '../../../src/relay/adapters/cloudflare/migrations');
    const migration = await readFile(join(folder, '0001_tables.sql'), 'utf8');
    const plain = (sql: string) => sql.replace(/\s+/g, ' ').replace(/;$/, '').trim();
    const made = migration.split('\n').filter((line) => line !== '' && !line.startsWith('--'));
    assert.deepEqual(
      made.map(plain),
      [...RELAY_TABLES, ...AUTH_TABLES].map(([sql]) => plain(sql)),
    );
  });
});
