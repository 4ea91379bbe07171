import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMcpEndpoint } from '../../../src/mcp/http.ts';
import { post, startTestServer } from '../../support/test-server.ts';
import { tunnelBench } from './support/setup.ts';

const ROUNDS = 300;
const WARM_UP = 30;
/** What a tunnel may add to a call. */
const MAX_OVERHEAD_MS = 3;

test('a call through the tunnel costs at most 3 ms more than a direct one', {
  timeout: 60_000,
}, async (t) => {
  const direct = await startTestServer();
  t.after(() => direct.close());
  const { service, start } = await tunnelBench(t);
  const { registry } = direct;
  await start({ mcp: createMcpEndpoint({ registry, instructions: async () => '', onError: () => {} }) });
  const args = { text: 'x'.repeat(200) };
  const times = { direct: [] as number[], tunnel: [] as number[] };
  for (let round = 0; round < ROUNDS + WARM_UP; round++) {
    const message = {
      jsonrpc: '2.0',
      id: round,
      method: 'tools/call',
      params: { name: 'echo', arguments: args },
    };
    const begin = performance.now();
    await post(direct.url, message);
    const between = performance.now();
    await service.send(message);
    const end = performance.now();
    if (round < WARM_UP) continue;
    times.direct.push(between - begin);
    times.tunnel.push(end - between);
  }
  const [directMs, tunnelMs] = [median(times.direct), median(times.tunnel)];
  t.diagnostic(`p50 direct ${directMs.toFixed(2)} ms, through the tunnel ${tunnelMs.toFixed(2)} ms`);
  assert.ok(tunnelMs - directMs <= MAX_OVERHEAD_MS, `${(tunnelMs - directMs).toFixed(2)} ms`);
  assert.deepEqual(service.breaches, []);
});

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
