import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CodedError } from '../../src/runtime/errors.ts';
import { applyTo, applyToText, type Tree } from './support/apply.ts';
import { Random } from './support/prng.ts';
import { joinRaw, type RandomTextOptions, randomEdit, randomLines } from './support/random-text.ts';
import { changesBetween, renderCodex, renderUnified } from './support/render.ts';

const SEED = Number(process.env['PATCH_TEST_SEED'] ?? 20_260_728);
const BOM = '\uFEFF';

interface Case {
  readonly before: string;
  readonly after: string;
}

function randomCase(random: Random, options?: RandomTextOptions): Case {
  const chosen: RandomTextOptions = options ?? {
    repetitive: random.chance(0.25),
    eol: random.pick(['lf', 'lf', 'crlf', 'mixed']),
  };
  const lines = randomLines(random, chosen);
  const bom = random.chance(0.1) ? BOM : '';
  return { before: bom + joinRaw(lines), after: bom + joinRaw(randomEdit(random, lines, chosen)) };
}

/** Runs `count` cases; a failure names the seed and the number of the case. */
async function forCases(count: number, name: string, run: (random: Random) => Promise<void>): Promise<void> {
  for (let i = 0; i < count; i++) {
    try {
      await run(new Random(SEED + i * 7919));
    } catch (error) {
      throw new Error(
        `${name}: case ${i} of seed ${SEED}: ${error instanceof Error ? error.message : error}`,
        {
          cause: error,
        },
      );
    }
  }
}

function outcome(promise: Promise<string | undefined>): Promise<string | undefined | CodedError> {
  return promise.catch((error: unknown) => {
    if (error instanceof CodedError) return error;
    throw error;
  });
}

describe(`random texts and edits, seed ${SEED}`, () => {
  test('a unified diff applied to its old text gives the new text: 4,000 cases', () =>
    forCases(4_000, 'unified', async (random) => {
      const { before, after } = randomCase(random);
      // Without context nothing tells how the lines around an insertion end, so mixed endings need some.
      const both = before + after;
      const mixed = both.includes('\r\n') && /(^|[^\r])\n/.test(both);
      const context = random.pick([mixed ? 1 : 0, 1, 3, 3, 3, 10]);
      const patch = renderUnified('f.txt', before, after, { context });
      assert.equal(await applyToText(before, patch), after);
    }));

  test('the same change as a Codex patch: 3,000 cases', async () => {
    let said = 0;
    await forCases(3_000, 'codex', async (random) => {
      const { before, after } = randomCase(random);
      const patch = renderCodex('f.txt', before, after);
      if (patch === undefined) return;
      const result = await outcome(applyToText(before, patch));
      // The notation says nothing about the final newline, and of line ends only what a CR in it says.
      const plain = (text: string): string => text.replaceAll('\r\n', '\n').replace(/\n+$/, '');
      if (result instanceof CodedError) {
        assert.equal(result.code, 'ALREADY_APPLIED', result.message);
        assert.equal(plain(before), plain(after));
        return;
      }
      said++;
      assert.equal(plain(result ?? ''), plain(after));
      if (!before.includes('\r') && !after.includes('\r') && before !== '') {
        // An empty line that is last and has no terminator is no line.
        const noLastLine = after === BOM || before === BOM || /(^|\n)\n?$/.test(result ?? '');
        if (!noLastLine) assert.equal(result?.endsWith('\n'), before.endsWith('\n'), 'final newline');
      }
    });
    assert.ok(said > 2_000, `${said} cases could be said`);
  });

  test('any shift of the hunks is found: 1,500 cases', () =>
    forCases(1_500, 'shift', async (random) => {
      const { before, after } = randomCase(random, { eol: 'lf' });
      const patch = renderUnified('f.txt', before, after, { context: 3 });
      // Lines that occur nowhere else, so that every block that was unique still is.
      const extra = Array.from({ length: 1 + random.int(30) }, (_, i) => `unrelated line ${i}\n`).join('');
      const text = before.startsWith(BOM) ? before.slice(1) : before;
      const wanted = after.startsWith(BOM) ? after.slice(1) : after;
      if (text === '') return;
      const plain = patch.replaceAll(BOM, '');
      const result = await outcome(applyToText(extra + text, plain));
      if (result instanceof CodedError)
        assert.ok(hasAmbiguousHunk(text, wanted), `${result.message}\n${plain}`);
      else if (!hasAmbiguousHunk(text, wanted)) assert.equal(result, extra + wanted);
    }));

  test('wrong line numbers: 1,000 cases', () =>
    forCases(1_000, 'numbers', async (random) => {
      const { before, after } = randomCase(random, { eol: 'crlf' });
      if (before === '' || hasAmbiguousHunk(before, after)) return;
      const patch = renderUnified('f.txt', before, after, { context: 3, shift: random.int(200) - 100 });
      assert.equal(await applyToText(before, patch), after);
    }));

  test('an LF patch for a CRLF file, a CRLF patch for an LF file: 1,000 cases', () =>
    forCases(1_000, 'transport', async (random) => {
      const { before, after } = randomCase(random, { eol: 'lf' });
      const patch = renderUnified('f.txt', before, after);
      const crlf = (text: string): string => text.replaceAll('\n', '\r\n');
      assert.equal(await applyToText(before, crlf(patch)), after);
      // Only a file that has line ends can say which ones it uses.
      if (before.includes('\n')) assert.equal(await applyToText(crlf(before), patch), crlf(after));
    }));
});

/** Whether one of the hunks (three lines of context) stands in several places of the old text, or has no old lines. */
function hasAmbiguousHunk(before: string, after: string): boolean {
  const lines = before.split('\n').map((line) => line.trim());
  return changesBetween(before, after, 3).some((change) => {
    const block = change.lines.filter((line) => line.sign !== '+').map((line) => line.raw.trim());
    let count = 0;
    for (let at = 0; at + block.length <= lines.length; at++) {
      if (block.every((line, k) => line === lines[at + k])) count++;
    }
    return block.length === 0 || count !== 1;
  });
}

describe('what git itself writes', () => {
  test('git diff --no-index of 150 pairs of random trees applies exactly', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'patch-git-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const pairs: { before: Tree; after: Tree; options: string[] }[] = [];
    for (let i = 0; i < 150; i++) pairs.push(await writePair(folder, i, new Random(SEED ^ (i * 104_729))));
    for (const [i, { before, after, options }] of pairs.entries()) {
      const patch = await gitDiff(join(folder, `${i}`), options);
      const result = await applyTo(before, patch).catch((error: unknown) => {
        throw new Error(`pair ${i}, seed ${SEED}, ${options.join(' ')}: ${error}\n${patch}`);
      });
      assert.deepEqual(result, after, `pair ${i}, seed ${SEED}, ${options.join(' ')}\n${patch}`);
    }
  });
});

const NAMES = ['a.txt', 'b c.txt', 'größe.md', 'tab\there.txt', 'quote".txt', 'a', 'b', 'new\nline'];

async function writePair(
  folder: string,
  number: number,
  random: Random,
): Promise<{ before: Tree; after: Tree; options: string[] }> {
  const before: Record<string, string> = {};
  const after: Record<string, string> = {};
  const options = [
    random.pick(['-U3', '-U0', '-U1', '-U10']),
    random.pick(['-M', '--no-renames', '-M10%']),
    '--text',
  ];
  if (random.chance(0.3)) options.push('--patience');
  for (const name of process.platform === 'win32' ? NAMES.slice(0, 3) : NAMES) {
    const change = randomCase(random, {
      eol: random.pick(['lf', 'crlf', options[0] === '-U0' ? 'lf' : 'mixed']),
      maxLines: 60,
    });
    const kind = random.int(6);
    if (kind === 0) before[name] = change.before;
    else if (kind === 1) after[name] = change.after;
    else if (kind < 4) [before[name], after[name]] = [change.before, change.after];
    else if (kind === 4) [before[name], after[`moved ${name}`]] = [change.before, change.after];
    else before[name] = after[name] = change.before;
  }
  for (const [side, tree] of [
    ['old', before],
    ['new', after],
  ] as const) {
    const root = join(folder, `${number}`, side);
    await mkdir(root, { recursive: true });
    for (const [name, text] of Object.entries(tree)) await writeFile(join(root, name), text);
  }
  return { before, after, options };
}

/** `git diff --no-index old new`, with the two folders taken out of the names. */
async function gitDiff(cwd: string, options: readonly string[]): Promise<string> {
  const args = [
    '-c',
    'core.quotePath=true',
    'diff',
    '--no-index',
    '--no-color',
    '--no-ext-diff',
    ...options,
    'old',
    'new',
  ];
  const output = await new Promise<string>((resolve, reject) => {
    execFile('git', args, { cwd, maxBuffer: 1 << 26 }, (error, stdout) => {
      // 1: there are differences.
      if (error !== null && error.code !== 1) reject(error);
      else resolve(stdout);
    });
  });
  return output
    .split('\n')
    .map((line) => {
      if (/^[ +-]/.test(line) && !/^(--- |\+\+\+ )("?[ab]\/|\/dev\/null)/.test(line)) return line;
      return line
        .replaceAll(/("?)([ab])\/(old|new)\//g, '$1$2/')
        .replace(/^((?:rename|copy) (?:from|to) "?)(?:old|new)\//, '$1');
    })
    .join('\n');
}

describe(`damaged patches, seed ${SEED}`, () => {
  test('damage to what locates a hunk: the right text or an error, 2,000 cases', async () => {
    let right = 0;
    await forCases(2_000, 'damage', async (random) => {
      // Distinct lines: a damaged place can then never be right by chance.
      const lines = Array.from(
        { length: 10 + random.int(30) },
        (_, i) => `line ${i} ${random.pick(['x', 'y', ''])}\n`,
      );
      const edited = randomEdit(random, lines, { eol: 'lf' });
      const [before, after] = [joinRaw(lines), joinRaw(edited)];
      const codex = random.chance(0.4);
      const patch = codex ? renderCodex('f.txt', before, after) : renderUnified('f.txt', before, after);
      if (patch === undefined) return;
      const damaged = damageLocating(random, patch);
      const result = await outcome(applyToText(before, damaged));
      if (result instanceof CodedError) return;
      if (codex && before.endsWith('\n') !== after.endsWith('\n')) return;
      right++;
      assert.equal(result, after, damaged);
    });
    assert.ok(right > 200, `${right} were still right`);
  });

  test('any damage at all: what is written is what the damaged patch says, 3,000 cases', () =>
    forCases(3_000, 'mangled', async (random) => {
      const lines = Array.from({ length: 5 + random.int(30) }, (_, i) => `line ${i}\n`);
      const edited = randomEdit(random, lines, { eol: 'lf' });
      const [before, after] = [joinRaw(lines), joinRaw(edited)];
      const patch = random.chance(0.5)
        ? renderCodex('f.txt', before, after)
        : renderUnified('f.txt', before, after, { context: random.pick([1, 3]) });
      if (patch === undefined) return;
      const damaged = mangle(random, patch);
      const result = await outcome(applyTo({ 'f.txt': before }, damaged).then((tree) => tree['f.txt']));
      if (result instanceof CodedError || result === undefined) return;
      // Nothing appears that the patch does not add; nothing goes that it does not remove.
      const signed = (sign: string): Set<string> =>
        new Set(
          damaged
            .split('\n')
            .filter((line) => line.startsWith(sign))
            .map((line) => line.slice(1).trimEnd()),
        );
      const [added, removed] = [signed('+'), signed('-')];
      const old = new Set(before.split('\n').map((line) => line.trimEnd()));
      const now = new Set(result.split('\n').map((line) => line.trimEnd()));
      for (const line of now)
        assert.ok(old.has(line) || added.has(line), `added from nowhere: ${line}\n${damaged}`);
      for (const line of old)
        assert.ok(line === '' || now.has(line) || removed.has(line), `lost: ${line}\n${damaged}`);
    }));
});

/** Changes a context line, a removed line, a number or a header, but never what is added. */
function damageLocating(random: Random, patch: string): string {
  const lines = patch.split('\n');
  const candidates = lines.flatMap((line, i) => (/^[ @-]/.test(line) && !line.startsWith('---') ? [i] : []));
  const at = random.pick(candidates);
  const line = lines[at] ?? '';
  if (line.startsWith('@@')) {
    lines[at] = line.replace(/\d+/, (digits) => `${Number(digits) + random.int(40)}`);
  } else {
    // A context line right beside a change says where the change goes: without it the patch says something else.
    const inContext =
      line.startsWith(' ') && /^[ @]/.test(lines[at - 1] ?? '') && (lines[at + 1] ?? '').startsWith(' ');
    const kind = random.int(inContext ? 4 : 2);
    if (kind === 0) lines[at] = `${line.slice(0, 3)}#${line.slice(3)}`;
    else if (kind === 1) lines[at] = `${line[0]} ${line.slice(1)}  `;
    else if (kind === 2) lines.splice(at, 1);
    else lines.splice(at, 0, line);
  }
  return lines.join('\n');
}

function mangle(random: Random, patch: string): string {
  const lines = patch.split('\n');
  for (let times = 1 + random.int(3); times > 0; times--) {
    const at = random.int(lines.length);
    const other = random.int(lines.length);
    const kind = random.int(7);
    if (kind === 0) lines.splice(at, 1);
    else if (kind === 1) lines.splice(at, 0, lines[other] ?? '');
    else if (kind === 2) [lines[at], lines[other]] = [lines[other] ?? '', lines[at] ?? ''];
    else if (kind === 3) lines[at] = (lines[at] ?? '').slice(random.int(3));
    else if (kind === 4)
      lines[at] = random.pick([' ', '+', '-', '', '@@ ', '*** ', '\\ ']) + (lines[at] ?? '').slice(1);
    else if (kind === 5) lines.length = Math.max(1, at);
    else lines[at] = (lines[at] ?? '').replace(/\d/, `${random.int(10)}`);
  }
  return lines.join('\n');
}
