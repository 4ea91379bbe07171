import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { sha256 } from '../../../src/auth/index.ts';
import { openRelayDatabase } from '../../../src/relay/adapters/node/sql.ts';
import { TestAgent, textResult } from '../core/support/agent.ts';
import { TestUser } from '../core/support/harness.ts';
import { callTool } from '../core/support/mcp.ts';
import { startNode } from './harness.ts';

const AGENTS = 1_000;
const MAX_BYTES_PER_AGENT = 50 * 1024;
const MAX_OVERHEAD_MS = 3;

describe('cost of the relay on Node', () => {
  test('a call through relay and agent takes at most 3 ms in all', async (t) => {
    const relay = await startNode();
    try {
      const user = await TestUser.signIn(relay, 'speed');
      const text = 'x'.repeat(2_000);
      const { agent } = await user.agent('w', { behaviour: ({ tool }) => textResult(tool, { text }) });
      const through = () => callTool(relay.url, user.token, 'inspectFile', { workspaceId: 'w', path: 'a' });
      // Refused before any agent is asked: HTTP, token and database as in every call.
      const direct = () => callTool(relay.url, user.token, 'inspectFile', {});
      const [viaAgent, own]: [number[], number[]] = [[], []];
      for (let round = 0; round < 600; round++) {
        for (const [call, times] of [
          [through, viaAgent],
          [direct, own],
        ] as const) {
          const started = performance.now();
          await call();
          if (round >= 100) times.push(performance.now() - started);
        }
      }
      const whole = median(viaAgent);
      t.diagnostic(
        `p50 through the agent ${whole.toFixed(2)} ms, answered by the relay ${median(own).toFixed(2)} ms`,
      );
      assert.ok(whole <= MAX_OVERHEAD_MS, `${whole} ms, all of it counted as overhead`);
      await agent.close();
    } finally {
      await relay.close();
    }
  });

  test('1,000 idle agents cost at most 50 KB each', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'local-coder-relay-'));
    const file = join(folder, 'relay.db');
    const database = await openRelayDatabase(file);
    await database.sql.batch([
      [`INSERT INTO relay_users VALUES ('user_a', 'dev', 'a', 'A', 'active', 0, 0)`],
      ...(await Promise.all(
        Array.from({ length: AGENTS }, async (_, index) => {
          const hash = await sha256(tokenOf(index));
          const insert = `INSERT INTO relay_agents (id, user_id, token_hash, display_name, kind, created_ms)
            VALUES (?1, 'user_a', ?2, 'agent', 'viewer', 0)`;
          return [insert, `agent_${index}`, hash] as const;
        }),
      )),
    ]);
    database.close();
    const child = fork(join(import.meta.dirname, 'relay-process.ts'), [file], { execArgv: ['--expose-gc'] });
    const agents: TestAgent[] = [];
    try {
      const [{ url }] = (await once(child, 'message')) as [{ url: string }];
      const measure = async () => {
        child.send('measure');
        const [answer] = (await once(child, 'message')) as [{ rss: number; connections: number }];
        return answer;
      };
      const connectAgent = async (index: number) => {
        const credential = { agentId: `agent_${index}`, agentToken: tokenOf(index) };
        const workspaces = [{ workspaceId: `w${index}`, displayName: 'W' }];
        agents.push(await TestAgent.connect(url, credential, { workspaces }));
      };
      // The first connections load and compile what all of them use.
      for (let index = 0; index < 50; index++) await connectAgent(index);
      const before = await measure();
      for (let index = 50; index < AGENTS; index += 50) {
        await Promise.all(Array.from({ length: 50 }, (_, more) => connectAgent(index + more)));
      }
      const after = await measure();
      assert.equal(after.connections, AGENTS);
      const each = (after.rss - before.rss) / (AGENTS - 50);
      t.diagnostic(
        `${Math.round(each / 1024)} KB for each idle agent (${Math.round(after.rss / 1e6)} MB in all)`,
      );
      assert.ok(each <= MAX_BYTES_PER_AGENT, `${each} bytes`);
    } finally {
      for (const agent of agents) agent.socket.terminate();
      child.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    }
  });
});

function tokenOf(index: number): string {
  return `lc_agent_${String(index).padStart(43, '0')}`;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
