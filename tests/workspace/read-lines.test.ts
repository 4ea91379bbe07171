import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, open, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { type LineSelection, MAX_CONTENT_BYTES, readLines, splitLines } from '../../src/workspace/index.ts';
import { seeded } from '../support/seeded.ts';
import { failure, toolBench } from '../support/tool-context.ts';

async function fixture(t: TestContext, content: string | Buffer) {
  const { root } = await toolBench(t);
  const path = join(root, 'file.txt');
  await writeFile(path, content);
  return {
    path,
    read: (selection: LineSelection, signal?: AbortSignal) =>
      readLines({ path, shown: 'file.txt' }, selection, signal),
  };
}

test('a whole small file: content, counts, hash', async (t) => {
  const { read } = await fixture(t, 'one\r\ntwo\nthree');
  const result = await read({ offset: 1 });
  assert.deepEqual(result, {
    content: 'one\r\ntwo\nthree',
    startLine: 1,
    endLine: 3,
    totalLines: 3,
    sizeBytes: 14,
    encoding: 'utf-8',
    eol: 'mixed',
    sha256: createHash('sha256').update('one\r\ntwo\nthree').digest('hex'),
    truncated: false,
    next: undefined,
  });
});

test('only LF ends a line: U+2028, NEL, form feed, vertical tab and a lone CR do not', async (t) => {
  const { read } = await fixture(t, 'a\u2028b\u0085c\fd\ve\rf\nlast\n');
  assert.equal((await read({ offset: 1 })).totalLines, 2);
  assert.equal((await read({ offset: 2 })).content, 'last\n');
});

test('a byte order mark does not hide line 1', async (t) => {
  const { read } = await fixture(t, '\uFEFFfirst\nsecond\n');
  const result = await read({ offset: 1, limit: 1 });
  assert.equal(result.content, 'first\n');
  assert.equal(result.encoding, 'utf-8-bom');
});

test('an empty file, and an offset behind the end', async (t) => {
  const empty = await fixture(t, '');
  const result = await empty.read({ offset: 1 });
  assert.deepEqual([result.content, result.totalLines, result.endLine], ['', 0, 0]);
  const { read } = await fixture(t, 'a\nb\n');
  const error = await failure(read({ offset: 3 }), 'INVALID_PARAMS');
  assert.match(error.message, /has 2 lines/);
});

test('any range of any file is what splitting the whole would give (seeded)', async (t) => {
  const { path, read } = await fixture(t, '');
  const random = seeded(7);
  for (let round = 0; round < 60; round++) {
    const bom = random.pick(['', '\uFEFF']);
    const encoding = random.pick(['utf8', 'utf16le', 'utf16be'] as const);
    const lineCount = random.int(30);
    let text = '';
    for (let i = 0; i < lineCount; i++) {
      text += random.pick(['', 'x', 'ä🙂', '\u0A0A\u0A00', 'word '.repeat(random.int(400))]);
      if (i < lineCount - 1 || random.int(2)) text += random.pick(['\n', '\r\n']);
    }
    const utf16 = Buffer.from(`\uFEFF${text}`, 'utf16le');
    await writeFile(path, encoding === 'utf8' ? bom + text : encoding === 'utf16le' ? utf16 : utf16.swap16());
    const lines = splitLines(text);
    for (let i = 0; i < 10 && lines.length > 0; i++) {
      const offset = 1 + random.int(lines.length);
      const limit = 1 + random.int(lines.length);
      const range = await read({ offset, limit });
      assert.equal(range.content, lines.slice(offset - 1, offset - 1 + limit).join(''));
      assert.equal(range.startLine, offset);
      assert.equal(range.totalLines, lines.length);
      const tail = await read({ tail: limit });
      assert.equal(tail.content, lines.slice(-limit).join(''));
      assert.equal(tail.startLine, Math.max(1, lines.length - limit + 1));
    }
  }
});

test('streamed files: ranges and tails across chunk borders in every encoding', async (t) => {
  const { path, read } = await fixture(t, '');
  const random = seeded(11);
  const lines = Array.from({ length: 40_000 }, (_, i) => `${i} ${'äx🙂'.repeat(random.int(14))}\n`);
  const text = lines.join('');
  const utf16 = Buffer.from(`\uFEFF${text}`, 'utf16le');
  for (const bytes of [Buffer.from(text), utf16, Buffer.from(utf16).swap16()]) {
    await writeFile(path, bytes);
    for (let i = 0; i < 25; i++) {
      const offset = 1 + random.int(lines.length - 500);
      assert.equal(
        (await read({ offset, limit: 500 })).content,
        lines.slice(offset - 1, offset + 499).join(''),
      );
    }
    const tail = await read({ tail: 700 });
    assert.equal(tail.content, lines.slice(-700).join(''));
    assert.equal(tail.startLine, 39_301);
    assert.equal(tail.totalLines, 40_000);
    assert.equal((await read({ offset: 39_999 })).totalLines, 40_000);
    assert.equal((await read({ offset: 5, limit: 5 })).totalLines, null);
  }
});

test('following next gives the whole file, each answer within the bound', async (t) => {
  const lines = Array.from({ length: 30_000 }, (_, i) => `line ${i} ${'ü'.repeat(i % 40)}\n`);
  const { read } = await fixture(t, lines.join(''));
  let selection: LineSelection | undefined = { offset: 1 };
  let text = '';
  let calls = 0;
  while (selection) {
    const part = await read(selection);
    assert.ok(Buffer.byteLength(part.content) <= MAX_CONTENT_BYTES);
    text += part.content;
    selection = part.next;
    calls++;
  }
  assert.equal(text, lines.join(''));
  assert.ok(calls > 4);
  const limited = await read({ offset: 1, limit: 20_000 });
  assert.deepEqual(limited.next, { offset: limited.endLine! + 1, limit: 20_000 - limited.endLine! });
  assert.equal(limited.truncated, true);
});

test('8-bit files stay within the bound although their characters grow', async (t) => {
  const { read } = await fixture(t, Buffer.from(`${'\x80'.repeat(999)}\n`.repeat(600), 'latin1'));
  const part = await read({ offset: 1 });
  assert.ok(Buffer.byteLength(part.content) <= MAX_CONTENT_BYTES);
  assert.equal(part.encoding, 'windows-1252');
  assert.equal(part.truncated, true);
});

test('a very long line is cut between characters, with a mark that tells where the rest is', async (t) => {
  const long = '🙂'.repeat(300_000);
  const { path, read } = await fixture(t, `a\n${long}\nlast\n`);
  const result = await read({ offset: 1 });
  const [first, second, third] = result.content.split('\n');
  assert.deepEqual([first, third], ['a', 'last']);
  const mark = /^(🙂+)… \[line 2 cut: (\d+) of 1200001 bytes shown; read_file_base64 with offset (\d+)/u.exec(
    second!,
  );
  assert.ok(mark, second!.slice(-120));
  assert.equal(Buffer.byteLength(mark[1]!), Number(mark[2]));
  const handle = await open(path);
  const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, Number(mark[3]));
  await handle.close();
  assert.equal(buffer.toString(), '🙂');
  assert.equal(result.truncated, true);
  assert.equal(result.sha256, undefined);
  assert.equal(result.totalLines, 3);
});

test('binary, directory, missing, pipe: each its own error', async (t) => {
  const { root } = await toolBench(t);
  const ref = (name: string) => ({ path: join(root, name), shown: name });
  await writeFile(join(root, 'a.bin'), Buffer.from([1, 0, 2]));
  await writeFile(join(root, 'README.md'), 'x');
  assert.match(
    (await failure(readLines(ref('a.bin'), { offset: 1 }), 'BINARY_FILE')).hint,
    /read_file_base64/,
  );
  await failure(readLines({ path: root, shown: '.' }, { offset: 1 }), 'IS_A_DIRECTORY');
  const missing = await failure(readLines(ref('readme.md'), { offset: 1 }), 'FILE_NOT_FOUND');
  assert.match(missing.hint, /"README.md"/);
  await failure(readLines(ref('README.md/x'), { offset: 1 }), 'NOT_A_DIRECTORY');
  assert.match(
    (await failure(readLines(ref('no/such/x'), { offset: 1 }), 'FILE_NOT_FOUND')).message,
    /"root\/no"/,
  );
  if (process.platform === 'win32') return t.diagnostic('no pipes in the file system on Windows');
  await promisify(execFile)('mkfifo', [join(root, 'pipe')]);
  await failure(readLines(ref('pipe'), { offset: 1 }), 'UNSUPPORTED_FILE');
});

test('3 GB: a range from the middle streams with constant memory; tail and end are exact', async (t) => {
  const { path, read } = await fixture(t, `${'head line\n'.repeat(100_000)}`);
  const size = 3 * 1024 ** 3;
  await truncate(path, size);
  await appendFile(path, '\nend 1\nend 2\nend 3\n');
  const before = process.memoryUsage().rss;
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 20);
  t.after(() => clearInterval(watch));
  const started = performance.now();
  // The hole is line 100,001.
  const range = await read({ offset: 100_002, limit: 2 });
  const elapsedMs = performance.now() - started;
  assert.equal(range.content, 'end 1\nend 2\n');
  assert.equal(range.totalLines, null);
  const startedTail = performance.now();
  const tail = await read({ tail: 2 });
  const tailMs = performance.now() - startedTail;
  assert.equal(tail.content, 'end 2\nend 3\n');
  assert.equal(tail.startLine, null);
  assert.ok(tailMs < 500, `tail took ${tailMs} ms`);
  assert.ok(peak - before < 64 * 1024 ** 2, `memory grew by ${(peak - before) / 1024 ** 2} MiB`);
  const rate = (size / 1024 ** 2 / elapsedMs) * 1000;
  t.diagnostic(
    `3 GB skipped in ${elapsedMs.toFixed(0)} ms (${rate.toFixed(0)} MiB/s), tail ${tailMs.toFixed(1)} ms`,
  );
  // A line of 3 GB in the range itself: cut, and the answer does not wait for its end.
  const hole = await read({ offset: 100_001 });
  assert.match(hole.content, /\[line 100001 cut: 32768 of more bytes shown/);
  assert.deepEqual(hole.next, { offset: 100_002, limit: undefined });
});

test('reading stops when the call is cancelled', async (t) => {
  const { path, read } = await fixture(t, 'text\n'.repeat(20_000));
  await truncate(path, 1024 ** 3);
  const controller = new AbortController();
  const reading = read({ offset: 1_000_000 }, controller.signal);
  controller.abort(new Error('stopped'));
  await assert.rejects(reading, /stopped/);
});
