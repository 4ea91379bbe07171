import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { Backoff } from '../../src/tunnel/backoff.ts';
import type { DataPath, ProbeResult } from '../../src/tunnel/data-path.ts';
import { TunnelSupervisor } from '../../src/tunnel/supervisor.ts';
import {
  type RunningTunnel,
  type TunnelAddress,
  type TunnelEnd,
  TunnelError,
  type TunnelProvider,
} from '../../src/tunnel/types.ts';
import { until } from './support/processes.ts';

const QUICK = {
  progressEvery: 20,
  proof: 200,
  proofRetry: 5,
  probeEvery: 5,
  probeAfterFailure: 5,
  firstBackoff: 5,
  maxBackoff: 10,
};

class FakeTunnel implements RunningTunnel {
  address: TunnelAddress;
  stopped = 0;
  readonly ended: Promise<TunnelEnd>;
  end: (end: TunnelEnd) => void = () => {};

  constructor(origin: string) {
    this.address = { kind: 'url', origin };
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  status() {
    return { state: 'connected', message: undefined } as const;
  }

  async stop() {
    this.stopped++;
    this.end({ reason: 'stopped' });
  }
}

/** A supervisor over a provider whose starts are the given ones, in order; the last one again and again. */
function supervised(starts: readonly (FakeTunnel | TunnelError | 'never')[], probe?: () => ProbeResult) {
  const told: string[] = [];
  let count = 0;
  const probes = { count: 0 };
  const provider: TunnelProvider = {
    name: 'custom',
    inspect: async () => ({ ready: true, summary: '' }),
    async start({ signal }) {
      const next = starts[Math.min(count++, starts.length - 1)];
      if (next instanceof FakeTunnel) return next;
      if (next instanceof TunnelError) throw next;
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  };
  const dataPath: DataPath = {
    async probe() {
      probes.count++;
      return probe?.() ?? { ok: true };
    },
    streams: async () => true,
  };
  const supervisor = new TunnelSupervisor({
    provider,
    port: 1,
    dataPath,
    timings: QUICK,
    events: {
      progress: (message) => told.push(`progress ${message}`),
      up: (address, { changed }) =>
        told.push(
          `up ${address.kind === 'tunnel-id' ? address.id : address.origin}${changed ? '' : ' again'}`,
        ),
      down: (message) => told.push(`down ${message}`),
      gaveUp: (error) => told.push(`gave up ${error.message}`),
    },
  });
  return { supervisor, told, probes, starts: () => count };
}

const died = () => new TunnelError('failed', 'It died.', '');
const refused = new TunnelError('refused', 'No entry.', 'Get a key.');

describe('the supervisor', () => {
  let supervisor: TunnelSupervisor | undefined;
  afterEach(() => supervisor?.stop());

  test('tells an address only when it leads here', async () => {
    let answers = 0;
    const probe = (): ProbeResult =>
      ++answers < 4 ? { ok: false, offline: false, why: 'status 530' } : { ok: true };
    const it = supervised([new FakeTunnel('https://a.example')], probe);
    supervisor = it.supervisor;
    assert.equal(it.supervisor.status().state, 'connecting');
    await it.supervisor.start();
    assert.ok(answers >= 4);
    assert.deepEqual(
      it.told.filter((line) => !line.startsWith('progress')),
      ['up https://a.example'],
    );
    assert.equal(it.supervisor.status().state, 'connected');
    assert.deepEqual(it.supervisor.status().address, { kind: 'url', origin: 'https://a.example' });
  });

  test('starts anew after a death; the card again only for another address', async () => {
    const tunnels = ['https://a.example', 'https://b.example', 'https://b.example'].map(
      (o) => new FakeTunnel(o),
    );
    const it = supervised(tunnels);
    supervisor = it.supervisor;
    await it.supervisor.start();
    tunnels[0]!.end({ reason: 'error', error: died() });
    await until('the second', () => it.told.includes('up https://b.example'));
    tunnels[1]!.end({ reason: 'error', error: died() });
    await until('the third', () => it.told.includes('up https://b.example again'));
    assert.equal(it.told.filter((line) => /^down It died\. +Trying again in \d+ s\.$/.test(line)).length, 2);
    assert.ok(tunnels[0]!.stopped > 0, 'what is left of a dead one is ended too');
  });

  test('an address that changes while it runs is proven and told', async () => {
    const tunnel = new FakeTunnel('https://a.example');
    const it = supervised([tunnel]);
    supervisor = it.supervisor;
    await it.supervisor.start();
    tunnel.address = { kind: 'url', origin: 'https://new.example' };
    await until('the new address', () => it.told.includes('up https://new.example'));
    assert.equal(it.starts(), 1);
  });

  test('three failed looks start it anew, no network does not', async () => {
    let answer: ProbeResult = { ok: true };
    const tunnels = [new FakeTunnel('https://a.example'), new FakeTunnel('https://a.example')];
    let failures = 0;
    const it = supervised(tunnels, () => {
      if (!answer.ok && !answer.offline && tunnels[0]!.stopped === 0) failures++;
      return answer;
    });
    supervisor = it.supervisor;
    await it.supervisor.start();
    answer = { ok: false, offline: true, why: 'getaddrinfo EAI_AGAIN' };
    const before = it.probes.count;
    await until('many looks without network', () => it.probes.count > before + 8);
    assert.equal(it.starts(), 1);
    assert.match(it.supervisor.status().message ?? '', /no network/);
    answer = { ok: true };
    await until('network again', () => it.supervisor.status().message === undefined);
    answer = { ok: false, offline: false, why: 'status 502' };
    await until('the end of the first', () => tunnels[0]!.stopped > 0);
    assert.equal(failures, 3);
    answer = { ok: true };
    await until('the second', () => it.told.includes('up https://a.example again'));
    assert.ok(it.told.some((line) => /does not lead here any more: status 502/.test(line)));
  });

  test('an address that never leads here is given up and tried anew', async () => {
    const tunnels = [new FakeTunnel('https://a.example'), new FakeTunnel('https://b.example')];
    const it = supervised(tunnels, () => ({
      ok: false,
      offline: false,
      why: 'something else answers there',
    }));
    supervisor = it.supervisor;
    void it.supervisor.start();
    await until('the second start', () => it.starts() === 2);
    assert.ok(tunnels[0]!.stopped > 0);
    assert.ok(it.told.some((line) => /did not lead here within .*something else answers there/.test(line)));
    assert.ok(
      it.told.some((line) => /so far: something else answers there/.test(line)),
      'never a silent wait',
    );
  });

  test('refused at the start: nothing is tried again', async () => {
    const it = supervised([refused]);
    await assert.rejects(it.supervisor.start(), refused);
    assert.equal(it.starts(), 1);
    assert.equal(it.supervisor.status().state, 'ended');
  });

  test('refused later: it stops asking and says so', async () => {
    const tunnel = new FakeTunnel('https://a.example');
    const it = supervised([tunnel, refused]);
    await it.supervisor.start();
    tunnel.end({ reason: 'error', error: died() });
    await until('giving up', () => it.told.includes('gave up No entry.'));
    assert.equal(it.supervisor.status().state, 'ended');
    assert.equal(it.supervisor.status().message, 'No entry.');
    assert.equal(it.starts(), 2);
  });

  test('a failure at the start is tried again, a missing program is not', async () => {
    const it = supervised([died(), died(), new FakeTunnel('https://a.example')]);
    supervisor = it.supervisor;
    await it.supervisor.start();
    assert.equal(it.starts(), 3);
    const missing = new TunnelError('missing-program', 'Not there.', '');
    await assert.rejects(supervised([missing]).supervisor.start(), missing);
  });

  test('stop ends a start that hangs, and what runs', async () => {
    const hanging = supervised(['never']);
    const started = hanging.supervisor.start();
    await hanging.supervisor.stop();
    await started;
    const tunnel = new FakeTunnel('https://a.example');
    const running = supervised([tunnel]);
    await running.supervisor.start();
    await running.supervisor.stop();
    assert.ok(tunnel.stopped > 0);
    assert.equal(running.starts(), 1);
  });
});

test('waits are doubled up to a bound, with jitter', () => {
  const least = new Backoff(1_000, 8_000, () => 0);
  assert.deepEqual(
    [1, 2, 3, 4, 5].map(() => least.nextMs()),
    [500, 1_000, 2_000, 4_000, 4_000],
  );
  const most = new Backoff(1_000, 8_000, () => 1);
  assert.deepEqual(
    [1, 2, 3, 4, 5].map(() => most.nextMs()),
    [1_000, 2_000, 4_000, 8_000, 8_000],
  );
  most.reset();
  assert.equal(most.nextMs(), 1_000);
});
