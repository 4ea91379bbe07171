import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replaceRegex } from '../../src/edit/index.ts';
import { seeded } from '../support/seeded.ts';
import { failure } from '../support/tool-context.ts';

const run = (text: string, pattern: string, replacement: string, flags = 'g') =>
  replaceRegex(text, { pattern, replacement, flags });

test('the same as String.replace for templates, groups, flags (seeded)', async () => {
  const random = seeded(5);
  const patterns = [
    'a',
    '(a)(b)?',
    '(?<name>b+)',
    'a|b|',
    '^.',
    '.$',
    '(?<=a)b',
    '((((((((((a))))))))))b?',
    '\\n',
    'x*',
  ];
  const templates = [
    '',
    '$&$&',
    '[$1]',
    '$2$1',
    '$<name>',
    '$$',
    "$`|$'",
    '$10-$11',
    '$01$001',
    '$0 $',
    '$<nope>',
    'a',
  ];
  for (let round = 0; round < 300; round++) {
    const text = Array.from({ length: random.int(30) }, () => random.pick(['a', 'b', 'ab', '\n', 'x'])).join(
      '',
    );
    const [pattern, template] = [random.pick(patterns), random.pick(templates)];
    const flags = random.pick(['g', '', 'gm', 'gi', 'gu', 'gy', 'gs', 'y']);
    const regex = new RegExp(pattern, flags);
    const expected = text.replace(regex, template);
    if (!new RegExp(pattern, flags).test(text)) {
      await failure(run(text, pattern, template, flags), 'NO_MATCH');
      continue;
    }
    const result = await run(text, pattern, template, flags);
    assert.equal(result.text, expected, `${pattern} ${flags} ${template} on ${JSON.stringify(text)}`);
    for (const region of result.regions) {
      assert.equal(
        text.slice(0, regionStart(result.regions)),
        result.text.slice(0, regionStart(result.regions)),
      );
      assert.ok(region.oldEnd >= region.oldStart && region.newEnd >= region.newStart);
    }
  }
});

function regionStart(regions: readonly { oldStart: number }[]): number {
  return regions[0]?.oldStart ?? 0;
}

test('a pattern that explodes is stopped; the next call works, and others were not held up', async () => {
  const started = performance.now();
  const stuck = replaceRegex(
    `${'a'.repeat(40)}!`,
    { pattern: '^(a+)+$', replacement: '', flags: 'g' },
    undefined,
    300,
  );
  const other = await run('abc', 'b', 'X');
  const otherMs = performance.now() - started;
  assert.equal(other.text, 'aXc');
  assert.ok(otherMs < 290, `the other call waited ${otherMs} ms`);
  const error = await failure(stuck, 'TIMEOUT');
  assert.match(error.hint, /\(a\+\)\+/);
  assert.equal((await run('abc', 'c', 'Y')).text, 'abY');
});

test('more explosions than workers: everyone is answered', async () => {
  const stuck = Array.from({ length: 5 }, () =>
    failure(
      replaceRegex(`${'a'.repeat(40)}!`, { pattern: '(a|a)+$', replacement: '', flags: '' }, undefined, 100),
      'TIMEOUT',
    ),
  );
  await Promise.all([...stuck, run('abc', 'b', '')]);
});

test('cancelling stops the work', async () => {
  const controller = new AbortController();
  const stuck = replaceRegex(
    `${'a'.repeat(40)}!`,
    { pattern: '^(a+)+$', replacement: '', flags: 'g' },
    controller.signal,
    60_000,
  );
  controller.abort(new Error('cancelled at once'));
  await assert.rejects(stuck, /cancelled at once/);

  const later = new AbortController();
  const running = replaceRegex(
    `${'a'.repeat(40)}!`,
    { pattern: '^(a+)+$', replacement: '', flags: 'g' },
    later.signal,
    60_000,
  );
  setTimeout(() => later.abort(new Error('cancelled while it ran')), 50);
  await assert.rejects(running, /cancelled while it ran/);
});

test('invalid patterns and flags give the engine message', async () => {
  assert.match((await failure(run('a', '(', ''), 'INVALID_PATTERN')).message, /Unterminated group/);
  assert.match((await failure(run('a', 'a', '', 'gg'), 'INVALID_PATTERN')).message, /flags/);
  await failure(run('a', 'a', '', 'uv'), 'INVALID_PATTERN');
});

test('a replacement that multiplies the text is refused before memory runs out', async () => {
  await failure(run('ab'.repeat(100_000), 'a', '$`'), 'TOO_LARGE');
});

test('CRLF: a line break in the replacement becomes the file’s, unless the pattern speaks of \\r', async () => {
  assert.equal((await run('a\r\nb\r\n', 'a', 'x\ny')).text, 'x\r\ny\r\nb\r\n');
  assert.equal((await run('a\r\nb\r\n', '\\r\\n', '\n')).text, 'a\nb\n');
  assert.equal((await run('a\r\nb\r\n', 'a\\nb', 'x')).text, 'x\r\n');
});

test('CRLF: a pattern that takes a line feed never leaves or doubles a carriage return', async () => {
  const text = 'a\r\nfoo 1\r\nfoo 2\r\nb\r\n';
  assert.equal((await run(text, '\\nfoo (\\d)', '\nbar $1')).text, 'a\r\nbar 1\r\nbar 2\r\nb\r\n');
  assert.equal((await run(text, '\nfoo \\d', '')).text, 'a\r\nb\r\n');
  assert.equal((await run(text, '\\n+', '\n')).text, text);
  assert.equal((await run(text, 'foo[^\\n]*', 'X')).text, 'a\r\nX\r\nX\r\nb\r\n');
  assert.equal((await run(text, '(a\\nfoo)', '$1 $1')).text, text.replace('foo', 'foo a\r\nfoo'));
  assert.equal((await run('1\r\n2\n3\r\n', '\\n', ';\n')).text, '1;\r\n2;\n3;\r\n', 'mixed endings stay');
  assert.equal((await run('1\r\n2\n3', '\\n', '\r\n')).text, '1\r\n2\r\n3', 'a CRLF that is asked for');
  assert.equal((await run('1\r\n2\n3', '\\r\\n', '\n')).text, '1\n2\n3');
  assert.equal((await run('a\rb\r\r\nc', '\\n', '|')).text, 'a\rb\r|c', 'a lone CR is a character');
});

test('CRLF: the same as on the LF text with its line ends put back (seeded)', async () => {
  const random = seeded(77);
  for (let round = 0; round < 300; round++) {
    const lines = Array.from({ length: random.int(12) }, () =>
      random.pick(['a', 'ab', 'b b', '', 'x', 'aa\n']),
    );
    const text = lines.join('\n');
    const pattern = random.pick([
      '\\n',
      'a\\n',
      '\\nb',
      '^a',
      'a$',
      '\\s+',
      '(\\n)(a)',
      'a|\\n\\n',
      '',
      '[^b]*',
    ]);
    const template = random.pick(['', '$&$&', '-', '\n', 'x\ny', '$`', "[$']"]);
    const flags = random.pick(['g', 'gm', '', 'gs']);
    if (!text.includes('\n') || !new RegExp(pattern, flags).test(text)) continue;
    const expected = (await run(text, pattern, template, flags)).text.replaceAll('\n', '\r\n');
    const result = await run(text.replaceAll('\n', '\r\n'), pattern, template, flags);
    assert.equal(result.text, expected, `${pattern} ${flags} ${template} on ${JSON.stringify(text)}`);
  }
});

test('millions of replacements are refused, not suffered', async () => {
  const error = await failure(run('a'.repeat(1_000_001), 'a', 'b'), 'TOO_LARGE');
  assert.match(error.message, /1000000 replacements/);
});

test('a warm worker answers in about a millisecond', async (t) => {
  const text = 'const value = compute(1);\n'.repeat(2_000);
  const times: number[] = [];
  for (let i = 0; i < 30; i++) {
    const started = performance.now();
    await run(text, 'compute\\((\\d)\\)', 'run($1)');
    times.push(performance.now() - started);
  }
  times.sort((a, b) => a - b);
  t.diagnostic(`2,000 replacements in 50 KB: p50 ${times[15]!.toFixed(2)} ms`);
});
