import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { OutputLog } from '../../src/shell/output-log.ts';
import { decodeOutput, wholeCharactersEnd, wholeCharactersStart } from '../../src/shell/text.ts';
import { FULL, links, openShell } from './helpers.ts';

describe('output', () => {
  test('characters are never cut, invalid bytes are no reason to wait', () => {
    const smile = Buffer.from('a\u{1f600}');
    for (let length = 2; length < 5; length++) assert.equal(wholeCharactersEnd(smile.subarray(0, length)), 1);
    assert.equal(wholeCharactersEnd(smile), 5);
    assert.equal(wholeCharactersStart(smile.subarray(2)), 3);
    assert.equal(wholeCharactersEnd(Buffer.from([0x61, 0xff])), 2);
    assert.equal(wholeCharactersEnd(Buffer.from([0x80, 0x80, 0x80, 0x80])), 4);
    assert.deepEqual(decodeOutput(Buffer.from([0x61, 0xff])), { text: 'a\ufffd', lossy: true });
    assert.deepEqual(decodeOutput(Buffer.from('\ufffd')), { text: '\ufffd', lossy: false });
  });

  test('bytes that are no UTF-8 are replaced and it is said', async () => {
    const shell = await openShell();
    const result = await shell.run(`printf 'caf\\351 \\303\\251\\n'`);
    assert.deepEqual([result.stdout, result.lossy], ['caf\ufffd é\n', true]);
    await shell.close();
  });

  test('a long output: head, mark with the call that reads on, tail; the rest through process_output', async () => {
    const shell = await openShell();
    const lines = 60_000;
    const whole = Array.from({ length: lines }, (_, i) => `${i} é\u{1f600}\n`).join('');
    const result = await shell.run(`seq 0 ${lines - 1} | sed 's/$/ é\u{1f600}/'; echo oops >&2`);
    assert.equal(result.truncated, true);
    assert.ok(Buffer.byteLength(result.stdout) < 256 * 1024);
    assert.equal(result.stderr, 'oops\n');
    assert.equal(result.totalBytes, Buffer.byteLength(whole) + 5);
    const mark =
      /\n\[… ([\d,]+) of ([\d,]+) bytes of stdout left out here: process_output (\{.*?\}) reads them …\]\n/.exec(
        result.stdout,
      );
    assert.ok(mark?.[3]);
    assert.equal(Number(mark[2]?.replaceAll(',', '')), Buffer.byteLength(whole));
    const [head, tail] = [
      result.stdout.slice(0, mark.index),
      result.stdout.slice(mark.index + mark[0].length),
    ];
    assert.ok(whole.startsWith(head) && whole.endsWith(tail) && !result.stdout.includes('\ufffd'));
    let { id, cursor } = JSON.parse(mark[3]) as { id: string; cursor: string };
    let read = head;
    let stderr = '';
    for (let more = 1; more > 0; ) {
      const next = await shell.shell.processOutput({ id, cursor }, links());
      read += next.stdout;
      stderr += next.stderr;
      cursor = next.cursor;
      more = next.remainingBytes;
    }
    assert.ok(read === whole, 'head and what follows the cursor is the whole output');
    assert.equal(stderr, '', 'stderr was in the answer already');
    await shell.close();
  });

  test('two long streams share the answer', async () => {
    const shell = await openShell();
    const result = await shell.run(
      'head -c 400000 /dev/zero | tr "\\0" o; head -c 400000 /dev/zero | tr "\\0" e >&2',
    );
    assert.ok(Buffer.byteLength(result.stdout) + Buffer.byteLength(result.stderr) < 256 * 1024);
    assert.ok(result.stdout.length > 100_000 && result.stderr.length > 100_000);
    await shell.close();
  });

  test('a command that closes its stdout, and one whose output a daemon keeps open', async () => {
    const shell = await openShell();
    const closed = await shell.run('echo a; exec 1>&- 2>&-; cd /; exit 5');
    assert.deepEqual([closed.stdout, closed.exitCode], ['a\n', 5]);
    assert.equal(await shell.out('pwd'), '/\n');
    const start = performance.now();
    const daemon = await shell.run('(setsid sh -c "(sleep 30; echo late) & exit" &); echo started');
    assert.equal(daemon.stdout, 'started\n');
    assert.ok(performance.now() - start < 5000);
    await shell.close();
  });

  test('a log that outgrows its limit keeps head and tail, true offsets, and gives the disk back', async () => {
    const shell = await openShell();
    const path = join(shell.root, 'log');
    await shell.out(`seq -w 0 999999 > ${path}`);
    const log = new OutputLog(path, { maxBytes: 4_000_000, tailBytes: 2_000_000 });
    const before = (await stat(path)).blocks;
    await log.enforceLimit();
    assert.equal(await log.size(), 7_000_000);
    assert.ok(log.cut && log.cut.from === 1024 * 1024);
    assert.equal((await log.read(0, 14)).bytes.toString(), '000000\n000001\n');
    assert.equal((await log.read(7_000_000 - 7, 100)).bytes.toString(), '999999\n');
    const acrossStart = await log.read(log.cut.from - 3, 100);
    assert.equal(acrossStart.bytes.length, 3);
    const across = await log.read(acrossStart.end, 100);
    assert.equal(across.from, log.cut.end);
    assert.equal(across.bytes.toString().replaceAll(/\d{6}\n/g, '').length < 14, true);
    if (process.platform === 'linux') assert.ok((await stat(path)).blocks < before * 0.7);
    await shell.out(`echo appended >> ${path}`);
    assert.equal((await log.read(7_000_000, 100)).bytes.toString(), 'appended\n');
    await shell.close();
  });

  test('where the middle of a file cannot be given back, the file is emptied and head and tail stay readable', async () => {
    const shell = await openShell();
    const path = join(shell.root, 'log');
    await shell.out(`seq -w 0 999999 > ${path}`);
    const log = new OutputLog(path, { maxBytes: 4_000_000, tailBytes: 2_000_000, punchHoles: false });
    await log.enforceLimit();
    assert.equal((await stat(path)).size, 0);
    await shell.out(`echo appended >> ${path}`);
    assert.equal(await log.size(), 7_000_009);
    assert.equal((await log.read(0, 14)).bytes.toString(), '000000\n000001\n');
    assert.equal((await log.read(7_000_000 - 7, 100)).bytes.toString(), '999999\n');
    assert.equal((await log.read(7_000_000, 100)).bytes.toString(), 'appended\n');
    const cut = await log.read(2_000_000, 10);
    assert.deepEqual(
      [log.cut?.from, log.cut?.end, cut.from],
      [1024 * 1024, 7_000_000 - 1024 * 1024, 7_000_000 - 1024 * 1024],
    );
    await shell.close();
  });

  const bytes = FULL ? 1_000_000_000 : 100_000_000;
  test(`${bytes / 1e6} MB: bounded memory and answer, log whole or marked, speed of a file`, async (t) => {
    const shell = await openShell();
    const command = `yes "some output that is as long as a line of a log may be" | head -c ${bytes}`;
    await shell.out('true');
    const raw = await timed(() =>
      shell.out(`{ ${command}; } > ${join(shell.root, 'raw')}; rm ${join(shell.root, 'raw')}`),
    );
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    let highest = before;
    const watch = setInterval(() => {
      highest = Math.max(highest, process.memoryUsage().rss);
    }, 20);
    let result = await shell.run(command, { yieldMs: 38_000 });
    clearInterval(watch);
    const ours = result.durationMs;
    highest = Math.max(highest, process.memoryUsage().rss);
    assert.equal(result.exitCode, 0);
    assert.equal(result.totalBytes, bytes);
    assert.ok(Buffer.byteLength(result.stdout) < 256 * 1024);
    const grown = (highest - before) / 1e6;
    t.diagnostic(
      `${Math.round(ours)} ms, written by the shell itself ${Math.round(raw)} ms; memory grew by ${grown.toFixed(1)} MB`,
    );
    assert.ok(grown < 100, `${grown} MB`);
    // Small amounts take so little time that the start counts; and page cache and disk are other people's too.
    assert.ok(ours < raw * (FULL ? 1.5 : 2.5) + 50, `${ours} ms, by the shell ${raw} ms`);
    const times: number[] = [];
    for (let i = 0; i < 15; i++) {
      times.push(
        await timed(() => shell.shell.processOutput({ id: result.processId, tailChars: 4000 }, links())),
      );
    }
    const middle = times.sort((a, b) => a - b)[7] ?? 0;
    t.diagnostic(`process_output: ${middle.toFixed(2)} ms`);
    assert.ok(middle <= 5, `${middle} ms`);
    result = await shell.run('true');
    await shell.close();
  });
});

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
