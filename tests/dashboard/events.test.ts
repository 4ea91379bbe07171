import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { EventStream } from '../../src/dashboard/event-stream.ts';
import type { TunnelModel } from '../../src/dashboard/models.ts';
import { type Page, type PageServer, proof, startPage, until } from './support/page-server.ts';

let server: PageServer;
let page: Page;
before(async () => {
  server = await startPage({ approve: 'destructive' });
  page = await server.login();
});
after(() => server.close());

interface Event {
  readonly event: string;
  readonly data: string;
}

async function watch(as: Page, query = '') {
  const gone = new AbortController();
  const answer = await server.send(`/page/events${query}`, { headers: proof(as), signal: gone.signal });
  const events: Event[] = [];
  let ended = false;
  const read = async () => {
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of answer.body ?? []) {
      rest += decoder.decode(chunk, { stream: true });
      const whole = rest.split('\n\n');
      rest = whole.pop() ?? '';
      for (const block of whole) {
        const lines = block.split('\n');
        const event = lines.find((line) => line.startsWith('event: '))?.slice(7);
        const data = lines.flatMap((line) => (line.startsWith('data: ') ? [line.slice(6)] : []));
        if (event !== undefined) events.push({ event, data: data.join('\n') });
      }
    }
  };
  read()
    .catch(() => {})
    .finally(() => {
      ended = true;
    });
  return {
    status: answer.status,
    events,
    has: (event: string, part = '') => events.some((one) => one.event === event && one.data.includes(part)),
    ended: () => ended,
    leave: () => gone.abort(),
  };
}

describe('live updates', () => {
  test('tell of calls, approvals, processes and history, and nothing is listened to before and after', async () => {
    assert.equal(listeners(), 0, 'nobody looks');
    const seen = await watch(page);
    assert.ok(listeners() > 0);
    const pending = server.call('write_file', { path: 'x<img>.txt', content: '1' });
    await until(() => seen.has('approvals', '1'), 'it waits');
    const [request] = server.approvals.waiting();
    server.approvals.answer(request!.id, 'always-tool');
    await pending;
    await until(() => seen.has('approvals', '0'), 'it is settled');
    await until(() => seen.has('calls', 'write_file'), 'the call is told');
    await until(() => seen.has('history'), 'so is its checkpoint');
    assert.ok(seen.has('calls', 'x&lt;img&gt;.txt') && !seen.has('calls', '<img>'));
    seen.leave();
    await until(() => listeners() === 0, 'the listeners are gone with the reader');
  });

  test('a watched process tells when it printed', async () => {
    const starting = server.call('start_process', { command: 'cat' });
    await until(() => server.approvals.waiting().length === 1, 'it waits');
    server.approvals.answer(server.approvals.waiting()[0]!.id, 'allow');
    const id = JSON.parse((await starting).result.content[0]!.text).data.process_id as string;
    const seen = await watch(page, `?process=${id}`);
    await server.post(page, `/page/processes/${id}/input`, { text: 'hello\n' });
    await until(() => seen.has('output', id), 'it printed');
    const count = seen.events.length;
    await server.post(page, `/page/processes/${id}/stop`);
    await until(() => seen.events.slice(count).some(({ event }) => event === 'output'), 'it ended');
    await until(() => seen.has('processes'), 'the list changed');
    seen.leave();
  });

  test('the tunnel is seen to go down and to come back at once, not with the next look at the numbers', async (t) => {
    const { parts } = server;
    const none = parts.tunnel;
    t.after(() => Object.assign(parts, { tunnel: none }));
    const tell = (state: TunnelModel['state']) =>
      Object.assign(parts, {
        tunnel: (): TunnelModel => ({ name: 'cloudflare', state, message: undefined, address: undefined }),
      });
    tell('up');
    const seen = await watch(page);
    const startedMs = performance.now();
    for (const [count, state] of (['down', 'up'] as const).entries()) {
      tell(state);
      await until(() => seen.events.filter(({ event }) => event === 'status').length > count, state);
    }
    assert.ok(performance.now() - startedMs < 9_000, 'the numbers alone are due twice in ten seconds');
    seen.leave();
  });

  test('100 calls a second are a few messages, of at most 100 rows, and none is lost', async () => {
    const seen = await watch(page);
    const startedMs = performance.now();
    const calls = Array.from({ length: 300 }, (_, index) => index);
    for (let from = 0; from < 300; from += 20) {
      await Promise.all(
        calls.slice(from, from + 20).map((n) => server.call('list_directory', { path: `./${n % 1}` })),
      );
    }
    const seconds = (performance.now() - startedMs) / 1000;
    const rows = () => seen.events.filter(({ event }) => event === 'calls').map(({ data }) => data);
    const skipped = () =>
      seen.events.reduce((sum, { event, data }) => sum + (event === 'skipped' ? Number(data) : 0), 0);
    const ids = () =>
      new Set(rows().flatMap((data) => [...data.matchAll(/id="call-([\w-]+)"/g)].map(([, id]) => id)));
    await until(() => ids().size + skipped() >= 300, 'every call is shown or counted');
    for (const data of rows()) assert.ok([...data.matchAll(/<tr /g)].length <= 100);
    assert.ok(rows().length <= 4 * (seconds + 1) + 1, `${rows().length} messages in ${seconds} s`);
    seen.leave();
  });

  test('end with the session, and there are not more than a browser can keep open', async () => {
    const own = await server.login();
    const streams = await Promise.all([1, 2, 3, 4].map(() => watch(own)));
    assert.deepEqual(
      streams.map(({ status }) => status),
      [200, 200, 200, 200],
    );
    assert.equal((await watch(own)).status, 429);
    await server.post(own, '/page/logout');
    await until(() => streams.every(({ ended }) => ended()), 'all have ended');
    const head = await server.send('/page/events', { method: 'HEAD', headers: proof(page) });
    assert.equal(head.status, 405);
    assert.equal(listeners(), 0, 'nobody reads the answer to HEAD');
    const again = await watch(page);
    assert.equal(again.status, 200);
    again.leave();
  });
});

test('a slow reader is told that it missed something, and costs no memory', async () => {
  let closed = 0;
  const stream = new EventStream(() => {
    closed++;
  });
  const large = 'x'.repeat(100_000);
  for (let index = 0; index < 100; index++) stream.send('calls', large);
  assert.ok(stream.body.readableLength < 1_200_000, String(stream.body.readableLength));
  let text = '';
  stream.body.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await until(() => text.includes('event: resync'), 'it is told');
  stream.send('status', 'two\nlines');
  await until(() => text.endsWith('event: status\ndata: two\ndata: lines\n\n'), 'it goes on');
  stream.end();
  await until(() => closed === 1, 'it is closed once');
});

/** How many look at the calls. */
function listeners(): number {
  return server.calls.listenerCount;
}
