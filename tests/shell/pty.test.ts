import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { links, openShell, until } from './helpers.ts';

const noPty =
  process.platform === 'win32' ? { skip: 'only on Linux and macOS: no pseudo-terminal on Windows' } : {};

describe('pseudo-terminal', noPty, () => {
  test('a program sees a terminal, is answered, and its exit code arrives', async () => {
    const shell = await openShell();
    const command = `test -t 0 && test -t 1 && echo terminal $TERM; stty size; read -p 'Name: ' n; echo "hi $n"; exit 7`;
    const { id } = await shell.shell.startProcess({ command, root: shell.root, pty: true }, links());
    const read = async () => (await shell.shell.processOutput({ id, cursor: '0' }, links())).stdout;
    await until(async () => (await read()).includes('Name: '), 'the prompt');
    await shell.shell.writeInput(id, 'Ada\n', false);
    await until(async () => (await shell.shell.processStatus(id))[0]?.state === 'exited', 'the end');
    assert.equal(await read(), 'terminal xterm-256color\r\n40 120\r\nName: Ada\r\nhi Ada\r\n');
    assert.equal((await shell.shell.processStatus(id))[0]?.exitCode, 7);
    await shell.close();
  });

  test('closing the input ends a reader; state of the shell is there; stop ends the tree', async () => {
    const shell = await openShell();
    await shell.run('cd /; f() { echo f; }');
    const first = await shell.shell.startProcess(
      { command: 'pwd; f; cat', root: shell.root, pty: true },
      links(),
    );
    await shell.shell.writeInput(first.id, 'line\n', true);
    await until(async () => (await shell.shell.processStatus(first.id))[0]?.state === 'exited', 'the end');
    const { stdout } = await shell.shell.processOutput({ id: first.id, cursor: '0' }, links());
    assert.match(stdout, /\/\r\nf\r\n/);
    const second = await shell.shell.startProcess(
      { command: 'sleep 600 & sleep 601', root: shell.root, pty: true },
      links(),
    );
    const { info, survivors } = await shell.shell.stopProcess(second.id, true);
    assert.deepEqual([info.state, info.signal, survivors], ['exited', 'SIGKILL', []]);
    await shell.close();
  });

  test('much output arrives whole', async () => {
    const shell = await openShell();
    const { id } = await shell.shell.startProcess(
      { command: 'seq 100000', root: shell.root, pty: true },
      links(),
    );
    await until(async () => (await shell.shell.processStatus(id))[0]?.state === 'exited', 'the end');
    const result = await shell.shell.processOutput({ id, tailChars: 30 }, links());
    assert.equal(result.totalBytes, 588_895 + 100_000);
    assert.ok(result.stdout.endsWith('99999\r\n100000\r\n'));
    await shell.close();
  });
});
