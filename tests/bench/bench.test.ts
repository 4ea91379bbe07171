import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Cell } from '../../bench/compare.ts';
import type { Fixture } from '../../bench/fixture.ts';
import { OPERATIONS, WrongAnswer } from '../../bench/operations.ts';
import { markdown } from '../../bench/report.ts';
import type { Results } from '../../bench/results.ts';
import { median, percentile } from '../../bench/statistics.ts';
import { verdicts } from '../../bench/targets.ts';

const fixture: Fixture = {
  root: '/fixture',
  files: 3,
  bytes: 1_000,
  typescriptFiles: ['services/svc-07/src/a.ts', 'services/svc-07/src/b.ts', 'services/svc-08/src/c.ts'],
  listed: ['one.txt', 'two.txt'],
  table: '',
};

function cell(...samplesMs: number[]): Cell {
  return { samplesMs, failures: 0 };
}

function results(parts: {
  ours: Results['contestants'][number]['cells'];
  raw?: Results['contestants'][number]['cells'];
  peer?: Results['contestants'][number]['cells'];
  startsMs?: [ours: number, bare: number];
}): Results {
  const contestant = (
    name: string,
    cells: Results['contestants'][number]['cells'] = {},
    startMs?: number,
  ) => ({
    name,
    description: name,
    facts: { coldStartsMs: startMs === undefined ? [] : [startMs], idleMb: [] },
    cells,
  });
  return {
    date: '2026-01-02T03:04:05Z',
    machine: { cpu: 'Test CPU', cores: 2, platform: 'linux x64', node: 'v24' },
    load: { before: 0.1, after: 1 },
    iterations: 3,
    fixture: { files: 20_000, bytes: 150e6 },
    contestants: [
      contestant('raw', parts.raw),
      contestant('bare server', {}, parts.startsMs?.[1]),
      contestant('local-coder', parts.ours, parts.startsMs?.[0]),
      contestant('some peer', parts.peer),
    ],
    connects: undefined,
    large: undefined,
  };
}

describe('bench', () => {
  test('percentiles are interpolated, and there is none of nothing', () => {
    assert.equal(median([]), undefined);
    assert.equal(median([3, 1]), 2);
    assert.equal(percentile([40, 10, 20, 30], 0.95), 38.5);
    assert.equal(percentile([7], 0.95), 7);
  });

  test('an answer that lacks something, or has too much, does not count', () => {
    const read = OPERATIONS.read.request(fixture, 3, 'x');
    const lines = Array.from(
      { length: 200 },
      (_, n) => `export const s03_${String(n + 1).padStart(3, '0')} = 'row ${n + 1} of short file 3';`,
    );
    assert.equal(OPERATIONS.read.verify(lines.join('\n'), read, fixture), undefined);
    assert.throws(() => OPERATIONS.read.verify(lines.slice(1).join('\n'), read, fixture), WrongAnswer);
    assert.throws(() => OPERATIONS.read.verify(lines.toReversed().join('\n'), read, fixture), WrongAnswer);

    const narrow = OPERATIONS.glob_narrow.request(fixture, 0, 'x');
    const verify = (answer: string) => OPERATIONS.glob_narrow.verify(answer, narrow, fixture);
    assert.equal(verify('services/svc-07/src/a.ts\n/fixture/services/svc-07/src/b.ts'), undefined);
    assert.throws(() => verify('services/svc-07/src/a.ts'), /1 of 2 paths/);
    assert.throws(() => verify('services/svc-07/src/a.ts services/svc-08/src/c.ts'), /does not match/);
  });

  test('targets are judged by the medians', () => {
    const judged = (given: Parameters<typeof results>[0], what: string) =>
      verdicts(results(given)).find((verdict) => verdict.what === what);
    const raw = { shell_true: cell(2, 2, 90), read_x32: cell(5) };
    assert.equal(judged({ raw, ours: { shell_true: cell(4.9, 4.9, 80) } }, 'shell_true')?.met, true);
    assert.equal(judged({ raw, ours: { shell_true: cell(5.1) } }, 'shell_true')?.met, false);
    assert.equal(judged({ raw, ours: { read_x32: cell(40) } }, 'read_x32')?.met, true);
    assert.equal(judged({ raw, ours: { read_x32: cell(41) } }, 'read_x32')?.met, false);
    assert.equal(judged({ ours: { read: cell(1) }, peer: { read: cell(2) } }, 'read')?.met, true);
    assert.equal(judged({ ours: { read: cell(1.1) }, peer: { read: cell(2) } }, 'read')?.met, false);
    assert.equal(judged({ ours: {}, startsMs: [76, 30] }, 'cold start to tools/list')?.met, false);
    assert.equal(judged({ ours: {}, startsMs: [74, 30] }, 'cold start to tools/list')?.met, true);
    assert.equal(judged({ raw, ours: {} }, 'shell_true'), undefined, 'what was not measured is not judged');
  });

  test('the report says what was missed and what went wrong', () => {
    const wrong: Cell = { samplesMs: [], failures: 3, error: 'wrong answer: a | b' };
    const text = markdown(
      results({ raw: { shell_true: cell(1) }, ours: { shell_true: cell(9), glob: wrong } }),
    );
    assert.match(text, /2 cores of Test CPU/);
    assert.match(text, /\| shell_true \| raw \+ 3 ms \| raw \+ 8\.00 ms .*\*\*missed\*\*/);
    assert.match(text, /Missed in this run:\n\n- shell_true: /);
    assert.match(text, /wrong <sup>1<\/sup>/);
    assert.match(text, /1\. local-coder, glob: 3 times wrong answer/);
  });
});
