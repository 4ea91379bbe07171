import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { defineTool, READS, type ToolDefinition } from '../../../src/tools/define.ts';
import { seeded } from '../../support/seeded.ts';
import type { Fault, RequestKind } from './support/control-plane.ts';
import { tunnelBench, until } from './support/setup.ts';

const FULL = process.env['LOCAL_CODER_TEST_FULL'] === '1';

describe('openai tunnel: faults', { timeout: FULL ? 600_000 : 60_000 }, () => {
  test('a poll that is told to wait waits at least that long', async (t) => {
    const { service, start } = await tunnelBench(t);
    service.fault = (kind, attempt) =>
      kind === 'poll' && attempt === 1
        ? { status: 429, code: 'rate_limit_exceeded', retryAfter: '1' }
        : undefined;
    const pending = service.call('echo', { text: 'x' }, 1);
    const tunnel = await start();
    assert.match(tunnel.status().message ?? '', /status 429 \(rate_limit_exceeded.*trying again in 1 s/);
    await pending;
    const [first, second] = service.polls;
    assert.ok((second?.atMs ?? 0) - (first?.atMs ?? 0) >= 995, 'not before the second is over');
    assert.equal(tunnel.status().state, 'connected');
    assert.equal(tunnel.status().message, undefined);
  });

  test('an answer that is told to wait waits at least that long, and is sent once more', async (t) => {
    const { service, start } = await tunnelBench(t);
    const at: number[] = [];
    service.fault = (kind, attempt) => {
      if (kind !== 'final') return undefined;
      at.push(performance.now());
      return attempt === 1 ? { status: 429, retryAfter: '1' } : undefined;
    };
    await start();
    await service.call('echo', { text: 'x' }, 1);
    assert.equal(at.length, 2);
    assert.ok((at[1] ?? 0) - (at[0] ?? 0) >= 995);
  });

  test('storms on polls: 5xx, broken connections, pages of a captive portal', async (t) => {
    const { service, start, log } = await tunnelBench(t);
    const storm: Fault[] = [
      { status: 500 },
      { status: 503, retryAfter: 'soon' },
      'drop-before',
      'html',
      { status: 599 },
      { status: 302 },
      'cut',
      'drop-before',
    ];
    const tunnel = await start();
    await until(() => service.attempts.poll >= 2);
    const before = service.attempts.poll;
    service.fault = (kind, attempt) => (kind === 'poll' ? storm[attempt - before - 1] : undefined);
    const first = service.call('echo', { text: 'one' }, 1);
    await first; // the poll that was under way
    const second = service.call('echo', { text: 'two' }, 2);
    await second;
    assert.ok(service.attempts.poll > before + storm.length);
    assert.equal(tunnel.status().state, 'connected');
    assert.match(log.join(''), /connected again after \d+ s/);
    assert.deepEqual(service.breaches, []);
  });

  test('final answers are sent again after each status and failure of the contract', async (t) => {
    const { service, start, contexts } = await tunnelBench(t);
    const storm: Fault[] = [408, 429, 502, 503, 504].map((status) => ({ status }));
    storm.push('drop-before', 'drop-before');
    service.fault = (kind, attempt) => (kind === 'final' ? storm[attempt - 1] : undefined);
    await start();
    await service.call('echo', { text: 'x' }, 1);
    assert.equal(service.attempts.final, storm.length + 1);
    assert.equal(contexts.length, 1, 'the tool ran once');
  });

  test('an answer whose acknowledgement is lost is settled by the 404 that follows', async (t) => {
    const { service, start } = await tunnelBench(t);
    for (const fault of ['drop-after', 'cut'] as const) {
      const before = service.attempts.final;
      service.fault = (kind, attempt) => (kind === 'final' && attempt === before + 1 ? fault : undefined);
      const tunnel = await start();
      const answered = await service.call('echo', { text: 'x' }, 1);
      await until(() => service.settledAgain.includes(answered.requestId));
      await until(() => tunnel.status().runningCommands === 0);
      assert.equal(service.attempts.final, before + 2);
      await tunnel.stop();
    }
  });

  test('answers that the service refuses are not sent again', async (t) => {
    const { service, start, log } = await tunnelBench(t);
    const statuses = [400, 409, 422, 500, 501];
    service.fault = (kind, attempt) => {
      const status = kind === 'final' ? statuses[attempt - 1] : undefined;
      return status === undefined ? undefined : { status };
    };
    const tunnel = await start();
    for (const [index] of statuses.entries()) {
      void service.call('echo', { text: 'x' }, index);
      await until(() => service.attempts.final === index + 1);
    }
    await until(() => tunnel.status().runningCommands === 0);
    assert.equal(service.attempts.final, statuses.length);
    assert.equal(service.unanswered, statuses.length);
    assert.match(log.join(''), /the answer to req_1 is lost: status 400/);
  });

  test('a notification is never replayed after an ambiguous failure', async (t) => {
    const { service, start } = await tunnelBench(t);
    const params = { name: 'wait', arguments: { ms: 600 }, _meta: { progressToken: 'p' } };
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
    await start();
    const expected: [Fault, number][] = [
      ['drop-after', 1],
      ['cut', 1],
      ['drop-before', 0], // for all we know it arrived
      [{ status: 503 }, 0],
      [{ status: 429 }, 1], // surely not taken
    ];
    for (const [fault, arrives] of expected) {
      const before = service.attempts.notify;
      service.fault = (kind, attempt) => (kind === 'notify' && attempt === before + 1 ? fault : undefined);
      const answered = await service.send(call);
      assert.equal(answered.notifications.length, arrives, JSON.stringify(fault));
      assert.match(answered.text, /Waited/);
    }
    assert.deepEqual(service.breaches, []);
  });

  test('a command that is delivered again runs once; after its end it gets the same answer', async (t) => {
    const { service, start, contexts } = await tunnelBench(t);
    service.fault = (kind, attempt) => (kind === 'poll' && attempt < 4 ? 'redeliver' : undefined);
    const pending = service.call('wait', { ms: 300 }, 1);
    await start();
    const answered = await pending;
    assert.ok(service.attempts.poll >= 4);
    const again = await service.redeliver(answered);
    assert.deepEqual(again.final.resp_json, answered.final.resp_json);
    assert.equal(contexts.length, 1);
    assert.deepEqual(service.breaches, []);
  });

  test('an end of the connection while idle is nothing: the next call comes through', async (t) => {
    const { service, start } = await tunnelBench(t);
    await start();
    await service.call('echo', { text: 'x' }, 1);
    service.breakConnections();
    await service.call('echo', { text: 'x' }, 2);
    service.breakConnections();
    await service.call('echo', { text: 'x' }, 3);
    assert.deepEqual(service.breaches, []);
  });

  test(`no call is lost, run twice or answered twice in ${FULL ? 10_000 : 1_000} with 5 % faults`, async (t) => {
    const runs = new Map<number, number>();
    const count = defineTool({
      name: 'count',
      description: 'Counts its calls.',
      input: z.object({ number: z.number(), padding: z.string() }),
      output: () => z.object({ number: z.number() }),
      annotations: READS,
      handler: async ({ number }) => {
        runs.set(number, (runs.get(number) ?? 0) + 1);
        if (number % 7 === 0) await new Promise((resolve) => setTimeout(resolve, number % 23));
        return { summary: 'Counted.', data: { number } };
      },
    });
    const { service, start } = await tunnelBench(t, () => [count as unknown as ToolDefinition]);
    service.maxBatch = 4; // many polls, and so many of their faults
    const random = seeded(20_260_728);
    const faults: Record<RequestKind, Fault[]> = {
      metadata: [],
      poll: [{ status: 500 }, { status: 503 }, { status: 429 }, 'drop-before', 'html', 'cut', 'redeliver'],
      notify: [],
      final: [{ status: 503 }, { status: 429 }, { status: 408 }, 'drop-before', 'drop-after', 'cut'],
    };
    let faultCount = 0;
    service.fault = (kind) => {
      if (faults[kind].length === 0 || random.next() >= 0.05) return undefined;
      faultCount++;
      return random.pick(faults[kind]);
    };
    const total = FULL ? 10_000 : 1_000;
    const tunnel = await start();
    let next = 0;
    const worker = async () => {
      while (next < total) {
        const number = next++;
        const padding = 'x'.repeat(random.int(2_000));
        const { final } = await service.call('count', { number, padding }, number);
        assert.equal(final.resp_json?.['id'], number);
        assert.match(JSON.stringify(final.resp_json), new RegExp(`"number":${number}[,}]`));
      }
    };
    await Promise.all(Array.from({ length: 60 }, worker));
    await until(() => tunnel.status().runningCommands === 0);
    assert.equal(runs.size, total);
    assert.deepEqual(
      [...runs].filter(([, times]) => times !== 1),
      [],
    );
    assert.equal(service.unanswered, 0);
    assert.deepEqual(service.breaches, []);
    assert.ok(faultCount > total / 25, `${faultCount} faults`);
    t.diagnostic(`${faultCount} faults, ${service.attempts.poll} polls, ${service.attempts.final} answers`);
  });
});
