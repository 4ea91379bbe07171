import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManagedProcess } from '../../src/shell/managed-process.ts';
import { ProcessTable } from '../../src/shell/process-table.ts';
import { Runs } from '../../src/shell/runs.ts';
import { links, openShell } from './helpers.ts';

/** A process that prints its last words and ends while its output is being read for the first time. */
function endsWhileRead(): ManagedProcess {
  const process = new ManagedProcess({
    id: 'pfake',
    kind: 'command',
    command: 'fake',
    cwd: '/',
    logPath: '/nonexistent/fake',
    markerPrefix: 'none.',
    mergeStderr: true,
  });
  let printed = Buffer.from('first\n');
  const log = {
    size: async () => printed.length,
    read: async (from: number, maxBytes: number) => {
      const bytes = printed.subarray(from, from + maxBytes);
      if (process.running) {
        printed = Buffer.from('first\nlast words\n');
        process.finish(0, null);
      }
      return { bytes, from, end: from + bytes.length };
    },
    remove: async () => {},
  };
  return Object.assign(process, { stdout: log });
}

test('a command that ended while its answer was put together lost its last words', async () => {
  const process = endsWhileRead();
  const runs = new Runs(new ProcessTable('/nonexistent'));
  const start = async () => ({ process, completed: process.ended.then(() => {}) });
  const result = await runs.answer('key', false, start, 0, links());
  assert.deepEqual([result.running, result.exitCode, result.stdout], [false, 0, 'first\nlast words\n']);
});

test('waiting for output was over at once, again and again, while half a character was there', async () => {
  const { shell, root, close } = await openShell();
  const command = "printf 'x\\xc3'; read go; printf '\\xa9y\\n'; read go";
  const { id } = await shell.startProcess({ command, root }, links());
  const first = await shell.processOutput({ id, cursor: '0', waitMs: 10_000 }, links());
  assert.deepEqual([first.stdout, first.cursor], ['x', '1']);
  const waiting = shell.processOutput({ id, cursor: '1', waitMs: 10_000 }, links());
  const early = await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 400, 'waits'))]);
  assert.equal(early, 'waits');
  await shell.writeInput(id, 'go\n', false);
  assert.equal((await waiting).stdout, 'éy\n');
  await close();
});

test('of several processes with one name the newest that runs is meant, not one that ended', async () => {
  const { shell, root, close } = await openShell();
  const start = () => shell.startProcess({ command: 'sleep 60', root, name: 'dev' }, links());
  const [older, newer] = [await start(), await start()];
  assert.equal((await shell.stopProcess('dev', true)).info.id, newer.id);
  assert.equal((await shell.stopProcess('dev', true)).info.id, older.id);
  assert.equal((await shell.processStatus('dev'))[0]?.id, newer.id);
  await close();
});
