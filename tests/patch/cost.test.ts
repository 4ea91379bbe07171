import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { closestRegion, planPatch } from '../../src/patch/index.ts';
import { applyToText, readerOf, refusalOf } from './support/apply.ts';
import { renderCodex, renderUnified } from './support/render.ts';

/** Middle of `times` runs, in milliseconds. */
async function medianMs(times: number, run: (i: number) => Promise<unknown>): Promise<number> {
  const durations: number[] = [];
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await run(i);
    durations.push(performance.now() - start);
  }
  return durations.sort((a, b) => a - b)[Math.floor(times / 2)] ?? 0;
}

function program(lines: number): string {
  return Array.from({ length: lines }, (_, i) =>
    i % 7 === 0
      ? ''
      : i % 5 === 0
        ? '  }'
        : `  const value${i} = compute(${i}, 'some text of usual length');`,
  ).join('\n');
}

describe('cost', () => {
  test('a 5,000-line file: a few hunks far down', async (t) => {
    const before = `${program(5_000)}\n`;
    const after = before.replace('value4003 =', 'changed =').replace('value2501 =', 'also =');
    const measured: string[] = [];
    for (const [name, patch] of [
      ['unified', renderUnified('f.txt', before, after)],
      ['unified, wrong numbers', renderUnified('f.txt', before, after, { shift: 50 })],
      ['codex', renderCodex('f.txt', before, after) ?? ''],
      [
        'codex, trailing white space',
        (renderCodex('f.txt', before, after) ?? '').replaceAll(/^( .+)$/gm, '$1 '),
      ],
    ] as const) {
      assert.equal(await applyToText(before, patch), after, name);
      const ms = await medianMs(41, () => planPatch(patch, readerOf({ 'f.txt': before })));
      measured.push(`${name} ${ms.toFixed(2)} ms`);
      assert.ok(ms < 20, `${name}: ${ms} ms`);
    }
    t.diagnostic(`read, match and apply, p50: ${measured.join('; ')}`);
  });

  test('matching is linear on text made to be slow', async (t) => {
    const repetitive: Record<string, (n: number) => { text: string; patch: string }> = {
      'one line over and over': (n) => ({
        text: 'a\n'.repeat(n),
        patch: hunkOf([...Array(n >> 1).fill('a'), 'b']),
      }),
      'long equal lines': (n) => ({
        text: `${'x'.repeat(60)}\n`.repeat(n),
        patch: hunkOf([...Array(200).fill('x'.repeat(60)), `${'x'.repeat(59)}y`]),
      }),
      'periodic blocks': (n) => ({ text: 'a\nb\na\nc\n'.repeat(n >> 2), patch: hunkOf([...'abacabacabad']) }),
      'differs in white space alone': (n) => ({
        text: 'a \n'.repeat(n),
        patch: hunkOf([...Array(500).fill('a'), 'b']),
      }),
    };
    for (const [name, make] of Object.entries(repetitive)) {
      const cost = async (n: number): Promise<number> => {
        const { text, patch } = make(n);
        return medianMs(5, () => refusalOf({ 'f.txt': text }, patch));
      };
      await cost(20_000);
      const [small, large] = [await cost(20_000), await cost(160_000)];
      t.diagnostic(`${name}: 20,000 lines ${small.toFixed(1)} ms, 160,000 lines ${large.toFixed(1)} ms`);
      // Eight times the lines; a quadratic search would take sixty-four times as long.
      assert.ok(large < small * 30 + 100, `${name}: ${small} ms, then ${large} ms`);
    }
  });

  test('many hunks in one file, many files in one patch', async (t) => {
    const before = `${program(10_000)}\n`;
    const after = before.replaceAll(/value(\d+)3 =/g, 'other$13 =');
    const patch = renderUnified('f.txt', before, after);
    const bare = patch.replaceAll(/^@@ .*$/gm, '@@');
    const start = performance.now();
    assert.equal(await applyToText(before, patch), after);
    const numbered = performance.now();
    assert.equal(await applyToText(before, bare), after);
    const unnumbered = performance.now();
    t.diagnostic(
      `1,000 hunks: with numbers ${(numbered - start).toFixed(0)} ms, without ${(unnumbered - numbered).toFixed(0)} ms`,
    );
    assert.ok(unnumbered - start < 5_000);

    const tree: Record<string, string> = {};
    let many = '';
    for (let i = 0; i < 1_000; i++) {
      const text = program(200);
      tree[`src/${i}.ts`] = text;
      many += renderUnified(`src/${i}.ts`, text, text.replace('value101 =', 'changed ='));
    }
    const begin = performance.now();
    const plan = await planPatch(many, readerOf(tree));
    t.diagnostic(`1,000 files: ${(performance.now() - begin).toFixed(0)} ms`);
    assert.equal(plan.changes.length, 1_000);
    assert.ok(performance.now() - begin < 5_000);
  });

  test('the closest region of 10,000 lines', async (t) => {
    const lines = program(10_000).split('\n');
    const wanted = lines.slice(7_001, 7_012);
    wanted[4] = '  something else entirely;';
    const measured: string[] = [];
    for (const [name, block] of [
      ['one line changed', wanted],
      ['one line alone, misspelt', ["  const value7003 = compue(7003, 'some text of usual length');"]],
      ['nothing alike', ['zzz', 'yyy']],
    ] as const) {
      const ms = await medianMs(9, async () => closestRegion(lines, block));
      measured.push(`${name} ${ms.toFixed(1)} ms`);
      assert.ok(ms < 150, `${name}: ${ms} ms`);
    }
    t.diagnostic(`p50: ${measured.join('; ')}`);
    assert.equal(closestRegion(lines, wanted)?.startLine, 7_002);
    assert.equal(
      closestRegion(lines, ["  const value7003 = compue(7003, 'some text of usual length');"])?.startLine,
      7_004,
    );
  });

  test('a 100 MB file is answered', { timeout: 60_000 }, async (t) => {
    const text = `${'0123456789'.repeat(5)}\n`.repeat(2_000_000);
    const start = performance.now();
    const error = await refusalOf({ 'f.txt': text }, hunkOf(['not there', 'at all']));
    t.diagnostic(`a miss: ${(performance.now() - start).toFixed(0)} ms`);
    assert.equal(error.code, 'NO_MATCH');
    const again = performance.now();
    const patch = '--- a/f.txt\n+++ b/f.txt\n@@ -1000000,0 +1000001 @@\n+new\n';
    const result = await applyToText(text, patch);
    t.diagnostic(`an insertion: ${(performance.now() - again).toFixed(0)} ms`);
    assert.equal(result?.length, text.length + 4);
  });
});

function hunkOf(old: readonly string[]): string {
  const body = old.map((line) => ` ${line}\n`).join('');
  return `*** Begin Patch\n*** Update File: f.txt\n@@\n${body}+new line\n*** End Patch\n`;
}
