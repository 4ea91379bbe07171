import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyPatch } from 'diff';
import { replaceInOrder, replaceLiteral, unifiedDiff } from '../../src/edit/index.ts';
import { seeded } from '../support/seeded.ts';

test('context, numbers, missing final newline', async () => {
  const before = '1\n2\n3\n4\n5\n6\n7\n8\n9\nlast';
  const { text, regions } = replaceInOrder(before, [
    { oldText: '2\n', newText: '' },
    { oldText: 'last', newText: 'end' },
  ]);
  const diff = await unifiedDiff('src/a.txt', before, text, regions);
  assert.equal(
    diff.text,
    [
      '--- a/src/a.txt',
      '+++ b/src/a.txt',
      '@@ -1,5 +1,4 @@',
      ' 1',
      '-2',
      ' 3',
      ' 4',
      ' 5',
      '@@ -7,4 +6,4 @@',
      ' 7',
      ' 8',
      ' 9',
      '-last',
      '\\ No newline at end of file',
      '+end',
      '\\ No newline at end of file',
      '',
    ].join('\n'),
  );
  assert.deepEqual([diff.addedLines, diff.removedLines, diff.truncated], [1, 2, false]);
});

test('a replaced block shows only the lines that differ', async () => {
  const before = 'a\nb\nc\nd\ne\n';
  const after = replaceLiteral(before, { oldText: 'a\nb\nc\nd\ne', newText: 'A\nb\nc\nd\nE' });
  const diff = await unifiedDiff('f', before, after.text, after.regions);
  assert.deepEqual([diff.addedLines, diff.removedLines], [2, 2]);
});

test('applying the diff gives the new text (seeded)', async () => {
  const random = seeded(21);
  const tokens = ['a', 'b', 'ab', '\n', '\n', '\r\n', 'x y', '🙂'];
  for (let round = 0; round < 1_500; round++) {
    const before = Array.from({ length: random.int(60) }, () => random.pick(tokens)).join('');
    const edits = Array.from({ length: 1 + random.int(4) }, () => ({
      oldText: random.pick(tokens) + (random.int(3) ? '' : random.pick(tokens)),
      newText: Array.from({ length: random.int(4) }, () => random.pick(tokens)).join(''),
      replaceAll: true,
    }));
    let replaced: ReturnType<typeof replaceInOrder>;
    try {
      replaced = replaceInOrder(before, edits);
    } catch {
      continue;
    }
    const { oldText: from, newText: to } = fromRegions(before, replaced.text, replaced.regions);
    assert.deepEqual([from, to], [before, replaced.text], `round ${round}: regions`);
    const diff = await unifiedDiff('f', before, replaced.text, replaced.regions);
    if (before === replaced.text) {
      assert.equal(diff.text, '');
      continue;
    }
    const applied = applyPatch(before, diff.text, { autoConvertLineEndings: false });
    assert.equal(applied, replaced.text, `round ${round}: ${JSON.stringify(before)}\n${diff.text}`);
  }
});

/** Puts both texts together from the regions and what the other text has between them. */
function fromRegions(before: string, after: string, regions: ReturnType<typeof replaceInOrder>['regions']) {
  let [oldText, newText] = ['', ''];
  let [oldAt, newAt] = [0, 0];
  for (const region of regions) {
    oldText += after.slice(newAt, region.newStart) + before.slice(region.oldStart, region.oldEnd);
    newText += before.slice(oldAt, region.oldStart) + after.slice(region.newStart, region.newEnd);
    [oldAt, newAt] = [region.oldEnd, region.newEnd];
  }
  return { oldText: oldText + after.slice(newAt), newText: newText + before.slice(oldAt) };
}

test('a diff is bounded and says how much there is', async () => {
  const before = 'old line of text\n'.repeat(20_000);
  const all = replaceLiteral(before, { oldText: 'old', newText: 'new', replaceAll: true });
  const diff = await unifiedDiff('f', before, all.text, all.regions);
  assert.ok(Buffer.byteLength(diff.text) < 33 * 1024);
  assert.equal(diff.truncated, true);
  assert.equal(diff.addedLines, 20_000);
  assert.match(diff.text, /\[diff cut: 0 of 1 hunks shown in full/);
  const wide = replaceLiteral('x'.repeat(100_000), { oldText: 'x'.repeat(100_000), newText: 'y' });
  const wideDiff = await unifiedDiff('f', 'x'.repeat(100_000), wide.text, wide.regions);
  assert.match(wideDiff.text, /\[line cut: 2000 of 100000 characters\]/);
});

test('one changed line of 100,000 is fast', async (t) => {
  const before = Array.from({ length: 100_000 }, (_, i) => `line number ${i}\n`).join('');
  const times: number[] = [];
  for (let i = 0; i < 10; i++) {
    const started = performance.now();
    const one = replaceLiteral(before, { oldText: 'line number 50000\n', newText: 'changed\n' });
    await unifiedDiff('f', before, one.text, one.regions);
    times.push(performance.now() - started);
  }
  const fastest = Math.min(...times);
  t.diagnostic(`replace and diff in 100,000 lines: ${fastest.toFixed(1)} ms`);
  assert.ok(fastest < 50);
});
