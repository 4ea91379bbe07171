import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { callDetail } from '../../src/dashboard/sources/call-detail.ts';
import { fileHistoryModel, historyModel, restorePreview } from '../../src/dashboard/sources/history.ts';
import { type Page, type PageServer, startPage } from './support/page-server.ts';

let server: PageServer;
let page: Page;
before(async () => {
  server = await startPage();
  page = await server.login();
});
after(() => server.close());

const inWork = (name: string) => join(server.work, name);
const newestCheckpoint = async () => (await historyModel(server.parts, undefined)).checkpoints[0]!;

describe('the history on the page', () => {
  test('restores a checkpoint and takes that back', async () => {
    await server.call('write_file', { path: 'a.txt', content: 'one\n' });
    await server.call('edit_file', { path: 'a.txt', old_text: 'one', new_text: 'two' });
    const { id, files } = await newestCheckpoint();
    assert.deepEqual(files, [{ path: 'a.txt', change: 'changed' }]);
    const preview = await restorePreview(server.parts, id);
    assert.deepEqual(preview.steps, [{ path: 'a.txt', action: 'restore', later: [] }]);
    assert.deepEqual(
      preview.diffs[0]?.hunks[0]?.lines.map(({ kind, text }) => [kind, text]),
      [
        ['removed', 'two'],
        ['added', 'one'],
      ],
    );
    const restored = await server.post(page, `/page/history/${id}/restore`);
    assert.match(((await restored.json()) as { message: string }).message, /^Restored c\d+: 1 file changed/);
    assert.equal(await readFile(inWork('a.txt'), 'utf8'), 'one\n');
    assert.equal((await historyModel(server.parts, undefined)).canRedo, true);
    assert.equal((await server.post(page, '/page/history/redo')).status, 200);
    assert.equal(await readFile(inWork('a.txt'), 'utf8'), 'two\n');
  });

  test('refuses where somebody else changed the file, says so before, and overwrites nothing', async () => {
    await server.call('write_file', { path: 'b.txt', content: 'mine\n' });
    const { id } = await newestCheckpoint();
    await writeFile(inWork('b.txt'), 'somebody else wrote this\n');
    const preview = await restorePreview(server.parts, id);
    assert.deepEqual([preview.conflictCount, preview.steps[0]?.action], [1, 'conflict']);
    const refused = await server.post(page, `/page/history/${id}/restore`);
    assert.equal(refused.status, 409);
    const answer = (await refused.json()) as { ok: boolean; code: string; message: string };
    assert.deepEqual([answer.ok, answer.code], [false, 'CONFLICT']);
    assert.match(answer.message, /b\.txt/);
    assert.equal(await readFile(inWork('b.txt'), 'utf8'), 'somebody else wrote this\n');
  });

  test('knows one file, and what became of it since', async () => {
    for (const content of ['1\n', '2\n', '3\n']) await server.call('write_file', { path: 'c.txt', content });
    const all = await fileHistoryModel(server.parts, 'c.txt', {});
    assert.equal(all.checkpoints.length, 3);
    assert.equal(all.diff, undefined);
    const against = all.checkpoints[1]!.id;
    const since = await fileHistoryModel(server.parts, 'c.txt', { against });
    assert.deepEqual(
      since.diff?.hunks[0]?.lines.map(({ kind, text }) => [kind, text]),
      [
        ['removed', '1'],
        ['added', '3'],
      ],
    );
  });

  test('answers for unknown ids and files without a trace of a defect', async () => {
    for (const path of ['/page/history/c999999', '/page/history/x', '/page/history/file?path=']) {
      const { status } = await server.get(page, path);
      assert.ok(status === 404 || status === 400, `${path} ${status}`);
    }
    assert.equal((await server.post(page, '/page/history/c999999/restore')).status, 404);
    assert.deepEqual(server.errors, []);
  });

  test('a diff of 5 MB is bounded, in what is made and in what is sent', async () => {
    const lines = (word: string) => `${word} ${'x'.repeat(90)}\n`.repeat(52_000);
    await server.call('write_file', { path: 'large.txt', content: lines('before') });
    await server.call('write_file', { path: 'large.txt', content: lines('after') });
    const started = performance.now();
    const detail = await callDetail(server.parts, server.calls.answered()[0]!.id);
    const tookMs = performance.now() - started;
    const [diff] = detail!.diffs;
    const shown = diff!.hunks.reduce((sum, hunk) => sum + hunk.lines.length, 0);
    assert.ok(shown <= 2_000 && shown > 0, String(shown));
    assert.equal(diff!.hiddenLines + shown, 104_000);
    assert.ok(tookMs < 2_000, `${tookMs} ms`);
    const html = await (await server.get(page, `/page/calls/${detail!.id}`)).text();
    assert.ok(html.length < 1_500_000, String(html.length));
  });

  test('a file that is one endless line is cut', async () => {
    await server.call('write_file', { path: 'line.txt', content: 'y'.repeat(3_000_000) });
    const detail = await callDetail(server.parts, server.calls.answered()[0]!.id);
    assert.ok(JSON.stringify(detail).length < 200_000);
  });

  test('bytes that are no text are named, not shown', async () => {
    await writeFile(inWork('d.bin'), Buffer.from([0, 1, 2, 255, 254]));
    await server.call('delete_file', { path: 'd.bin' });
    const detail = await callDetail(server.parts, server.calls.answered()[0]!.id);
    assert.deepEqual(
      [detail?.diffs[0]?.kind, detail?.diffs[0]?.states],
      ['binary', [{ type: 'file', sizeBytes: 5 }, { type: 'none' }]],
    );
  });
});

describe('in read-only mode', () => {
  test('the page restores nothing either', async () => {
    const narrow = await startPage({ access: 'read-only' });
    try {
      const logged = await narrow.login();
      const refused = await narrow.post(logged, '/page/history/c1/restore');
      assert.ok([400, 404].includes(refused.status));
    } finally {
      await narrow.close();
    }
  });
});
