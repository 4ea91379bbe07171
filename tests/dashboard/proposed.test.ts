import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import type { FileDiffModel } from '../../src/dashboard/models.ts';
import { approvalModels } from '../../src/dashboard/sources/approvals.ts';
import { type Page, type PageServer, startPage, until } from './support/page-server.ts';

let server: PageServer;
let page: Page;
let work: string;
before(async () => {
  server = await startPage({ approve: 'destructive' });
  page = await server.login();
  work = server.work;
});
after(() => server.close());
afterEach(() => assert.deepEqual(server.approvals.waiting(), [], 'nothing is left waiting'));

/** What the page shows of a call that waits, which is then answered. */
async function asked(tool: string, args: Record<string, unknown>, answer: 'allow' | 'deny' = 'deny') {
  const pending = server.call(tool, args);
  await until(() => server.approvals.waiting().length === 1, 'the call waits');
  const [model] = await approvalModels(server.parts);
  const html = await (await server.get(page, '/page/approvals')).text();
  server.approvals.answer(model?.id ?? '', answer);
  await pending;
  return { diffs: model?.diffs ?? [], html };
}

const linesOf = (diff: FileDiffModel | undefined, kind: string) =>
  diff?.hunks.flatMap(({ lines }) => lines.filter((line) => line.kind === kind).map(({ text }) => text));

describe('a change that waits for approval is shown as what it makes of the file', () => {
  const text = (last: string) =>
    `${Array.from({ length: 30 }, (_, at) => `line ${at}`).join('\n')}\n${last}\n`;

  test('an edit, at its place in the file', async () => {
    await writeFile(join(work, 'a.txt'), text('<b>old</b>'));
    const args = { path: 'a.txt', old_text: '<b>old</b>', new_text: '<i>new</i>' };
    const { diffs, html } = await asked('edit_file', args, 'allow');
    assert.equal(diffs.length, 1);
    assert.deepEqual(linesOf(diffs[0], 'removed'), ['<b>old</b>']);
    assert.deepEqual(linesOf(diffs[0], 'added'), ['<i>new</i>']);
    assert.ok((diffs[0]?.hunks[0]?.oldStart ?? 0) > 20, 'the number of the line is that of the file');
    assert.match(html, /<del>(?:(?!<\/del>).)*&lt;b&gt;old&lt;\/b&gt;/);
    assert.match(html, /old_text: &lt;b&gt;old/, 'what was asked for stands there in full as before');
    assert.equal(await readFile(join(work, 'a.txt'), 'utf8'), text('<i>new</i>'), 'and so it became');
  });

  test('several edits in order, a file that is overwritten, a new one, a patch', async () => {
    await writeFile(join(work, 'b.txt'), text('one two'));
    const edits = [
      { old_text: 'one', new_text: 'three' },
      { old_text: 'three two', new_text: 'four' },
    ];
    const edited = await asked('multi_edit', { path: 'b.txt', edits });
    assert.deepEqual(linesOf(edited.diffs[0], 'added'), ['four']);

    const content = `${text('one two')}${'x'.repeat(10_000)}\nthe end\n`;
    const written = await asked('write_file', { path: 'b.txt', content });
    assert.deepEqual(linesOf(written.diffs[0], 'removed'), []);
    assert.equal(linesOf(written.diffs[0], 'added')?.at(-1), 'the end', 'past what the question shows of it');

    const created = await asked('write_file', { path: 'new.txt', content: 'hello\n' });
    assert.deepEqual(created.diffs[0]?.states, [{ type: 'none' }, { type: 'file', sizeBytes: 6 }]);

    const patch =
      '--- a/b.txt\n+++ b/b.txt\n@@ -31 +31 @@\n-one two\n+patched\n--- /dev/null\n+++ b/c.txt\n@@ -0,0 +1 @@\n+c\n';
    const patched = await asked('apply_patch', { patch });
    assert.deepEqual(
      patched.diffs.map((diff) => [diff.path, linesOf(diff, 'added')]),
      [
        ['b.txt', ['patched']],
        ['c.txt', ['c']],
      ],
    );
    assert.equal(await readFile(join(work, 'b.txt'), 'utf8'), text('one two'), 'only looked at');
  });

  test('what cannot be told beforehand is asked about all the same', async () => {
    await mkdir(join(work, 'folder'));
    await writeFile(join(work, 'large.txt'), 'x\n'.repeat(400_000));
    await writeFile(join(work, 'bytes.bin'), Buffer.from([0, 255, 1, 0]));
    for (const [tool, args] of [
      ['edit_file', { path: 'b.txt', old_text: 'not in it', new_text: 'x' }],
      ['edit_file', { path: '../../outside', old_text: 'a', new_text: 'x' }],
      ['write_file', { path: 'folder', content: 'x' }],
      ['write_file', { path: 'large.txt', content: 'x' }],
      ['write_file', { path: 'bytes.bin', content: 'x' }],
      ['apply_patch', { patch: 'no patch' }],
      ['run_command', { command: 'rm b.txt' }],
    ] as const) {
      const { diffs, html } = await asked(tool, args);
      assert.deepEqual(diffs, [], JSON.stringify(args));
      assert.match(html, /<article/, JSON.stringify(args));
    }
  });
});
