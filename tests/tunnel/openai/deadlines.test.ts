import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseResponseTimeout } from '../../../src/tunnel/openai/response-timeout.ts';
import { backoffMs, parseRetryAfter } from '../../../src/tunnel/openai/retry.ts';
import { modern } from '../../support/test-server.ts';
import { tunnelBench, until } from './support/setup.ts';

describe('openai tunnel: deadlines', { timeout: 60_000 }, () => {
  const durations: [unknown, number | undefined][] = [
    ['30s', 30_000],
    ['4500ms', 4_500],
    ['0s', 0],
    ['1500us', 1.5],
    ['2000000ns', 2],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['007s', 7_000],
    ['9223372036854775807ns', 9_223_372_036_854.775],
    ['9223372036854775808ns', undefined],
    ['2562047h', 9_223_369_200_000],
    ['2562048h', undefined],
    ['999999999999999999999999h', undefined],
    ['4.5s', undefined],
    ['-1s', undefined],
    ['+1s', undefined],
    ['1m30s', undefined],
    [' 1s', undefined],
    ['1s\n', undefined],
    ['1e3s', undefined],
    ['30d', undefined],
    ['30', undefined],
    ['1S', undefined],
    ['', undefined],
    [30, undefined],
    [null, undefined],
    [undefined, undefined],
    [{}, undefined],
  ];
  for (const [value, expectedMs] of durations) {
    test(`response_timeout ${JSON.stringify(value)} is ${expectedMs ?? 'none'}`, () => {
      const milliseconds = parseResponseTimeout(value);
      if (expectedMs === undefined || milliseconds === undefined) assert.equal(milliseconds, expectedMs);
      else assert.ok(Math.abs(milliseconds - expectedMs) < 0.01, `${milliseconds}`);
    });
  }

  test('Retry-After: seconds, a date, nonsense; bounded', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    const cases: [string | undefined, number][] = [
      ['5', 5_000],
      [' 0 ', 0],
      ['Thu, 01 Jan 2026 00:00:07 GMT', 7_000],
      ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
      ['soon', 0],
      ['-5', 0],
      ['', 0],
      [undefined, 0],
      ['99999999999999999999', 300_000],
    ];
    for (const [header, expected] of cases) assert.equal(parseRetryAfter(header, now), expected, header);
  });

  test('the backoff grows to its bound, with jitter, and is never below what was asked for', () => {
    const bounds = { minMs: 100, maxMs: 1_000 };
    for (let failures = 1; failures < 2_000; failures += 7) {
      const full = Math.min(1_000, 100 * 2 ** (failures - 1));
      const waitMs = backoffMs(failures, bounds);
      assert.ok(waitMs >= full / 2 && waitMs <= full, `${failures}: ${waitMs}`);
      assert.equal(backoffMs(failures, bounds, 60_000), 60_000);
    }
    assert.ok(new Set(Array.from({ length: 20 }, () => backoffMs(3, bounds))).size > 10);
  });

  test('a command whose time was over when it came is dropped: not run, not answered', async (t) => {
    const { service, start, contexts } = await tunnelBench(t);
    void service.call('echo', { text: 'late' }, 1, { responseTimeout: '0s' });
    await start();
    await service.call('echo', { text: 'in time' }, 2, { responseTimeout: '30s' });
    assert.equal(contexts.length, 1);
    assert.equal(service.attempts.final, 1);
  });

  test('a tool is told by when its answer must leave', async (t) => {
    const { service, start, contexts } = await tunnelBench(t);
    await start();
    for (const [responseTimeout, expectedMs] of [
      ['8s', 8_000],
      ['2h', 40_000],
      [undefined, 40_000],
      ['nonsense', 40_000],
    ] as const) {
      for (const message of [oldCall('echo'), modern('tools/call', echoParams, 3).message]) {
        const before = performance.now();
        await service.send(message, { responseTimeout });
        const allowedMs = (contexts.at(-1)?.answerByMs ?? 0) - before;
        assert.ok(Math.abs(allowedMs - expectedMs) < 500, `${responseTimeout}: ${allowedMs}`);
      }
    }
  });

  test('a call that takes longer than its time is handed over before, with the id that collects it', async (t) => {
    const { service, start } = await tunnelBench(t);
    await start();
    const started = performance.now();
    const answered = await service.call('wait', { ms: 3_000 }, 1, { responseTimeout: '1200ms' });
    assert.ok(performance.now() - started < 1_200, 'within its time');
    assert.match(answered.text, /TIMEOUT.*process_output/);
    // The same call again waits for the same work, also for no longer than it may.
    const again = await service.call('wait', { ms: 3_000 }, 2, { responseTimeout: '30s' });
    assert.match(again.text, /Waited/);
    assert.ok(performance.now() - started < 4_000, 'it went on and was not started again');
  });

  test('an answer that comes too late is dropped in silence, and the work is given up', async (t) => {
    const { service, start, contexts, log, mcp } = await tunnelBench(t);
    // An endpoint that knows no deadline: the tunnel's own must hold.
    const patient = { ...mcp, fetch: (request: Request, summary: object) => mcp.fetch(request, summary) };
    const tunnel = await start({ mcp: patient });
    void service.send(modern('tools/call', { name: 'wait', arguments: { ms: 20_000 } }, 1).message, {
      responseTimeout: '300ms',
    });
    await until(() => contexts.length === 1 && tunnel.status().runningCommands === 0);
    assert.equal(contexts[0]?.signal.aborted, true);
    assert.equal(service.attempts.final, 0);
    assert.doesNotMatch(log.join(''), /error|warning/);
  });

  test('an answer that cannot be delivered in time is given up', async (t) => {
    const { service, start } = await tunnelBench(t);
    service.fault = (kind) => (kind === 'final' ? { status: 503 } : undefined);
    const tunnel = await start();
    const started = performance.now();
    void service.call('echo', { text: 'x' }, 1, { responseTimeout: '400ms' });
    await until(() => service.attempts.final > 1 && tunnel.status().runningCommands === 0);
    assert.ok(performance.now() - started < 1_000);
    service.fault = (kind) => (kind === 'final' ? { status: 429, retryAfter: '3600' } : undefined);
    void service.call('echo', { text: 'x' }, 2, { responseTimeout: '5s' });
    await until(() => contextsDone(tunnel.status().runningCommands, service.attempts.poll));
    assert.ok(performance.now() - started < 2_000, 'a wait beyond the deadline is not begun');
  });
});

const echoParams = { name: 'echo', arguments: { text: 'x' } };
const oldCall = (name: string) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name, arguments: { text: 'x' } },
});
const contextsDone = (running: number, polls: number) => running === 0 && polls > 3;
