import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { auditEntry } from '../../src/cli/audit-entry.ts';
import { CallBook } from '../../src/dashboard/call-book.ts';
import { activityModel } from '../../src/dashboard/sources/activity.ts';
import { auditPage } from '../../src/dashboard/sources/audit-pages.ts';
import { callDetail } from '../../src/dashboard/sources/call-detail.ts';
import type { CallRecord } from '../../src/mcp/call.ts';
import { type Page, type PageServer, startPage, until } from './support/page-server.ts';

const IMG = '<img src=x onerror=alert(1)>';

let server: PageServer;
let page: Page;
before(async () => {
  server = await startPage();
  page = await server.login();
});
after(() => server.close());

const newest = async () => {
  const { calls } = await activityModel(server.parts, { limit: 20 });
  return calls[0]!;
};

describe('the activity', () => {
  test('shows a call with its tool, target, client, outcome and time, and names stay text', async () => {
    await server.call('write_file', { path: `${IMG}.txt`, content: 'x' }, IMG);
    const call = await newest();
    assert.deepEqual(
      [call.tool, call.target, call.client, call.outcome, call.code],
      ['write_file', `${IMG}.txt`, IMG, 'ok', undefined],
    );
    assert.ok(Math.abs(Date.parse(call.at) - Date.now()) < 60_000);
    for (const path of ['/page/activity', '/page/status', `/page/calls/${call.id}`, '/page/history']) {
      const html = await (await server.get(page, path)).text();
      assert.ok(html.includes('&lt;img src=x onerror=alert(1)&gt;'), path);
      assert.ok(!html.includes('<img'), path);
    }
  });

  test('a call that failed shows its code', async () => {
    await server.call('read_text_file', { path: 'nowhere.txt' });
    const call = await newest();
    assert.deepEqual([call.outcome, call.code], ['failed', 'FILE_NOT_FOUND']);
  });

  test('a call opens to its arguments, its result and the diff of what it changed; secrets are masked', async () => {
    await server.call('write_file', { path: 'a.txt', content: 'one\ntwo\nAPI_KEY=hunter2hunter2\n' });
    await server.call('edit_file', {
      path: 'a.txt',
      old_text: 'two',
      new_text: 'three "PASSWORD=\\"pass word\\""',
    });
    const detail = await callDetail(server.parts, (await newest()).id);
    assert.ok(detail?.kept);
    assert.match(detail.checkpointId ?? '', /^c\d+$/);
    assert.deepEqual(
      detail.diffs[0]?.hunks[0]?.lines.map(({ kind, text }) => `${kind} ${text}`).slice(0, 3),
      ['context one', 'removed two', 'added three "PASSWORD=\\"pass word\\""'],
    );
    assert.match(detail.arguments?.text ?? '', /"path": "a\.txt"/);
    await server.call('run_command', { command: 'echo TOKEN=hunter2; cat a.txt' });
    const command = await callDetail(server.parts, (await newest()).id);
    assert.doesNotMatch(JSON.stringify(command), /hunter2/);
    assert.match(command?.result?.text ?? '', /TOKEN=\*\*\*/);
  });

  test('a command that runs is there with its process, and can be stopped', async () => {
    const pending = server.call('run_command', { command: 'echo begun; sleep 60' });
    await until(() => server.calls.running()[0]?.processId !== undefined, 'the call has its process');
    const [running] = server.calls.running();
    assert.equal((await newest()).outcome, 'running');
    const { processId = '' } = running!;
    await until(async () => {
      const output = await server.get(page, `/page/processes/${processId}/output`);
      return (await output.text()).includes('begun');
    }, 'its output is there while it runs');
    assert.equal((await server.post(page, `/page/calls/${running!.id}/stop`)).status, 200);
    const { result } = await pending;
    assert.match(result.content[0]!.text, /CANCELLED/);
    assert.equal((await newest()).outcome, 'cancelled');
    assert.equal((await server.post(page, `/page/calls/${running!.id}/stop`)).status, 409);
  });

  test('is searched and filtered', async () => {
    const found = await activityModel(server.parts, { limit: 50, search: 'NOWHERE' });
    assert.deepEqual([...new Set(found.calls.map(({ target }) => target))], ['nowhere.txt']);
    const failed = await activityModel(server.parts, { limit: 50, outcome: 'failed' });
    assert.ok(failed.calls.length > 0 && failed.calls.every(({ outcome }) => outcome === 'failed'));
    const edits = await activityModel(server.parts, { limit: 50, tool: 'edit_file' });
    assert.deepEqual([...new Set(edits.calls.map(({ tool }) => tool))], ['edit_file']);
  });
});

describe('the call book', () => {
  const record = (id: string, more: Partial<CallRecord> = {}): CallRecord => ({
    id,
    tool: 'echo',
    conversation: undefined,
    startedAt: new Date(),
    durationMs: 1,
    arguments: { text: 'x' },
    client: 'test 1',
    outcome: 'ok',
    code: undefined,
    resultBytes: 1,
    text: 'x',
    ...more,
  });

  test('is bounded in calls and in bytes, the oldest go first', () => {
    const book = new CallBook({ maxCalls: 3, maxBytes: 10_000 });
    for (const id of ['1', '2', '3', '4']) book.ended(record(id), '');
    assert.deepEqual(
      book.answered().map(({ id }) => id),
      ['4', '3', '2'],
    );
    book.ended(record('5', { text: 'y'.repeat(9_980) }), '');
    assert.deepEqual(
      book.answered().map(({ id }) => id),
      ['5'],
    );
  });

  test('cuts what is large, says how much there was, and does not hold on to it', () => {
    const book = new CallBook();
    const text = 'z'.repeat(5_000_000);
    book.ended(record('1', { text, arguments: { content: text, path: 'p' } }), '');
    const { result, arguments: args } = book.get('1')!;
    assert.equal(result!.bytes.length + result!.hiddenCharacters, 5_000_000);
    assert.ok(result!.bytes.buffer.byteLength < 70_000);
    assert.equal(JSON.parse(args!.bytes.toString()).path, 'p');
    assert.ok(args!.bytes.length < 40_000 && args!.hiddenCharacters > 4_900_000);
  });

  test('takes arguments that are nested deeper than they can be walked through', () => {
    const book = new CallBook();
    const deep: unknown = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000));
    const start = { id: '1', tool: 'echo', startedAt: new Date(), client: undefined };
    book.started({ ...start, arguments: { path: deep }, cancel: () => {} });
    assert.match(book.get('1')!.arguments!.bytes.toString(), /too deeply/);
    book.ended(record('1', { arguments: { path: deep } }), '');
    assert.match(book.get('1')!.arguments!.bytes.toString(), /too deeply/);
  });

  test('names of a megabyte are not held on to either, nor by the audit trail', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const book = new CallBook();
    const entries: object[] = [];
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let index = 0; index < 40; index++) {
      // Made anew each time, as a request's JSON makes it.
      const name = () => Buffer.alloc(1_000_000, `${index} name `).toString();
      const ended = record(`${index}`, { tool: name(), client: name(), arguments: { command: name() } });
      const entry = auditEntry(ended);
      book.ended(ended, entry.target);
      entries.push(entry);
      JSON.stringify(entry); // as the trail does
    }
    collect();
    const grown = process.memoryUsage().heapUsed - before;
    assert.equal(entries.length, 40);
    assert.ok(grown < 10_000_000, `${Math.round(grown / 1e6)} MB`);
  });

  test('a call that goes on after its answer is running until it ends', () => {
    const book = new CallBook();
    let stopped = false;
    const start = { id: '1', tool: 'echo', startedAt: new Date(), arguments: {}, client: undefined };
    book.started({
      ...start,
      cancel: () => {
        stopped = true;
      },
    });
    book.ended(record('1', { outcome: 'running' }), 'what');
    assert.deepEqual(
      book.running().map(({ target }) => target),
      ['what'],
    );
    assert.equal(book.stop('1') && stopped, true);
    book.endedLate({ id: '1', durationMs: 5, outcome: 'cancelled', code: 'CANCELLED', text: 'ended' });
    assert.deepEqual(book.running(), []);
    assert.equal(book.get('1')?.outcome, 'cancelled');
    assert.equal(book.stop('1'), false);
  });

  test('counts calls per minute and the clients, those that never called among them', () => {
    const book = new CallBook();
    book.clients.seen('quiet 1', Date.now());
    book.ended(record('1'), '');
    const requests = book.clients.requests(Date.now());
    assert.deepEqual([requests.perMinute, requests.total, requests.history.at(-1)], [1, 1, 1]);
    assert.equal(book.clients.requests(Date.now() + 61_000).perMinute, 0);
    assert.equal(
      book.clients.requests(Date.now() + 3 * 3600_000).history.some((count) => count > 0),
      false,
    );
    assert.deepEqual(
      book.clients
        .clients()
        .map(({ name, calls }) => [name, calls])
        .sort(),
      [
        ['quiet 1', 0],
        ['test 1', 1],
      ],
    );
    for (let index = 0; index < 200; index++) book.clients.seen(`client ${index}`, Date.now());
    assert.ok(book.clients.clients().length <= 50);
  });
});

describe('50,000 calls in the audit trail', () => {
  const COUNT = 50_000;
  let folder: string;
  let file: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lc-audit-'));
    file = join(folder, 'audit', 'audit.jsonl');
    await mkdir(dirname(file));
    const line = (index: number) =>
      `${JSON.stringify({
        id: `old-${index}`,
        time: new Date(1_700_000_000_000 + index * 1000).toISOString(),
        tool: index % 10 === 0 ? 'edit_file' : 'read_text_file',
        client: 'test 1',
        target: index === 7 ? 'the-needle.txt' : `src/some/folder/file-${index}.ts`,
        outcome: index % 100 === 0 ? 'failed' : 'ok',
        code: index % 100 === 0 ? 'NO_MATCH' : undefined,
        duration_ms: 3,
        result_bytes: 1000,
        pid: 1,
      })}\n`;
    const lines = Array.from({ length: COUNT }, (_, index) => line(index));
    await writeFile(`${file}.2`, lines.slice(0, 20_000).join(''));
    await writeFile(`${file}.1`, `not json\n\n${lines.slice(20_000, 40_000).join('')}`);
    await writeFile(file, lines.slice(40_000).join(''));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const everything = { limit: 100, budgetMs: 10_000, pass: () => true };

  test('the first page takes at most 200 ms', async () => {
    const started = performance.now();
    const { calls, next } = await auditPage(file, everything);
    const tookMs = performance.now() - started;
    assert.deepEqual([calls.length, calls[0]?.id, calls.at(-1)?.id], [100, 'old-49999', 'old-49900']);
    assert.ok(next);
    assert.ok(tookMs <= 200, `${tookMs} ms`);
  });

  test('all pages together are all calls, once, also while the files move on', async () => {
    const seen: string[] = [];
    let before: string | undefined;
    do {
      const page = await auditPage(file, { ...everything, limit: 997, before });
      seen.push(...page.calls.map(({ id }) => id));
      before = page.next;
      if (seen.length === 5 * 997) await moveOn();
    } while (before !== undefined);
    assert.equal(seen.length, COUNT);
    assert.deepEqual([seen[0], seen.at(-1), new Set(seen).size], ['old-49999', 'old-0', COUNT]);
  });

  async function moveOn() {
    await rename(`${file}.2`, `${file}.3`);
    await rename(`${file}.1`, `${file}.2`);
    await rename(file, `${file}.1`);
    await writeFile(
      file,
      '{"id":"new","time":"2026-01-01T00:00:00Z","tool":"echo","target":"","outcome":"ok"}\n',
    );
  }

  test('a search ends in time, and goes on from its cursor until it has found what is far back', async () => {
    const pass = ({ target }: { target: string }) => target.includes('needle');
    const hurried = await auditPage(file, { limit: 100, budgetMs: 0, pass });
    assert.deepEqual(hurried.calls, []);
    assert.ok(hurried.next, 'it was not looked through to the end');
    let before: string | undefined;
    const found: string[] = [];
    let rounds = 0;
    do {
      const page = await auditPage(file, { limit: 100, budgetMs: 50, pass, before });
      found.push(...page.calls.map(({ id }) => id));
      before = page.next;
      rounds++;
    } while (before !== undefined && rounds < 1_000);
    assert.deepEqual(found, ['old-7']);
  });

  test('a cursor of a file that is gone, or none at all, gives nothing', async () => {
    for (const before of ['000000000000.12', 'x', '']) {
      const { calls } = await auditPage(file, { ...everything, before });
      assert.equal(calls.length, before === '000000000000.12' ? 0 : 100, before);
    }
  });

  test('the page itself: first page at most 200 ms, an old call opens to what the trail holds', async () => {
    const own = await startPage({ 'audit-log': file });
    try {
      await own.call('agent_status', {});
      const logged = await own.login();
      await own.get(logged, '/page/status'); // what is loaded once is loaded
      const started = performance.now();
      const html = await (await own.get(logged, '/page/activity')).text();
      const tookMs = performance.now() - started;
      assert.match(html, /old-49999/);
      assert.ok(tookMs <= 200, `${tookMs} ms`);
      const detail = await callDetail(own.parts, 'old-3');
      assert.deepEqual([detail?.kept, detail?.target], [false, 'src/some/folder/file-3.ts']);
      assert.equal((await own.get(logged, '/page/calls/old-999999')).status, 404);
    } finally {
      await own.close();
    }
  });
});
