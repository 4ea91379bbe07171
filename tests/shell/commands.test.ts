// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are the shell's
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CodedError } from '../../src/runtime/errors.ts';
import { links, openShell, runs, type TestShell, until } from './helpers.ts';

describe('commands', () => {
  let shell: TestShell;
  before(async () => {
    shell = await openShell();
  });
  after(() => shell.close());
  const output = (id: string, more: object = {}) => shell.shell.processOutput({ id, ...more }, links());

  test('a non-zero exit is a result; streams apart, in order with 2>&1, without final newline', async () => {
    const apart = await shell.run('echo out; echo err >&2; printf end; exit 4');
    assert.deepEqual([apart.exitCode, apart.stdout, apart.stderr], [4, 'out\nend', 'err\n']);
    const together = await shell.run('{ echo 1; echo 2 >&2; echo 3; echo 4 >&2; } 2>&1');
    assert.equal(together.stdout, '1\n2\n3\n4\n');
    assert.equal(apart.kept, false);
    await assert.rejects(output(apart.processId), { code: 'PROCESS_NOT_FOUND' });
  });

  test('prompts fail at once: stdin is closed and there is no terminal', async () => {
    const start = performance.now();
    const result = await shell.run(
      'read -p "Password: " x; echo "[$?]"; (echo tty > /dev/tty) 2>/dev/null || echo no tty',
    );
    assert.equal(result.stdout, '[1]\nno tty\n');
    assert.ok(performance.now() - start < 2000);
  });

  test('yields with what there is, goes on, and is read on from the cursor', async () => {
    const first = await shell.run(
      'echo one; until [ -e step ]; do sleep 0.02; done; echo two >&2; echo three',
      { yieldMs: 150 },
    );
    assert.equal(first.running, true);
    assert.equal(first.exitCode, null);
    assert.equal(first.stdout, 'one\n');
    await shell.out(': > step');
    let cursor = first.cursor;
    let [out, err] = ['', ''];
    for (let i = 0; i < 5; i++) {
      const more = await output(first.processId, { cursor, waitMs: 5000 });
      out += more.stdout;
      err += more.stderr;
      cursor = more.cursor;
      if (more.info.state === 'exited') break;
    }
    assert.deepEqual([out, err], ['three\n', 'two\n']);
    const end = await output(first.processId, { cursor });
    assert.deepEqual([end.stdout, end.stderr, end.info.exitCode, end.remainingBytes], ['', '', 0, 0]);
    assert.equal(
      (await output(first.processId, { tailChars: 4 })).stdout,
      '[… 6 bytes before this …]\nree\n',
    );
    await assert.rejects(output(first.processId, { cursor: 'x' }), { code: 'INVALID_PARAMS' });
    await shell.out('rm step');
  });

  test('never answers after the deadline of the call, whatever yield_ms says', async () => {
    const start = performance.now();
    const result = await shell.run('sleep 5', { yieldMs: 30_000, links: { answerByMs: start + 1800 } });
    assert.equal(result.running, true);
    assert.ok(performance.now() - start < 1500);
    await shell.shell.stopProcess(result.processId, true);
  });

  test('state of a command that was yielded is saved when it ends', async () => {
    const run = await shell.run('LATE=1; until [ -e late ]; do sleep 0.02; done; LATE=2', { yieldMs: 50 });
    assert.equal(await shell.out('echo ${LATE-none}'), 'none\n');
    await shell.out(': > late');
    await output(run.processId, { cursor: run.cursor, waitMs: 5000 });
    await until(() => shell.shell.shells()[0]?.runningCommands === 0, 'the end');
    assert.equal(await shell.out('echo ${LATE-none}'), '2\n');
  });

  test('calls that overlap keep what the others changed', async () => {
    const slow = shell.run('until [ -e over ]; do sleep 0.02; done; export FROM_SLOW=1');
    await shell.out('export FROM_FAST=1; cd /; : > "$OLDPWD/over"');
    await slow;
    assert.equal(await shell.out('echo $FROM_SLOW$FROM_FAST; pwd; cd - > /dev/null; rm over'), '11\n/\n');
  });

  test('the same call joins the running one; again, another command or conversation does not', async () => {
    const command = 'echo run >> runs; until [ -e stop ]; do sleep 0.02; done; echo done';
    const first = await shell.run(command, { yieldMs: 100 });
    const joined = shell.run(command);
    const other = await shell.run(command, { yieldMs: 100, again: true });
    const elsewhere = await shell.run(command, {
      yieldMs: 100,
      shell: 'main',
      links: { conversation: 'abc' },
    });
    assert.equal(new Set([first.processId, other.processId, elsewhere.processId]).size, 3);
    await shell.out(': > stop');
    const result = await joined;
    assert.deepEqual([result.processId, result.attached, result.stdout], [first.processId, true, 'done\n']);
    assert.equal((await readFile(join(shell.root, 'runs'), 'utf8')).length, 'run\n'.length * 3);
    await until(
      async () => (await shell.shell.processStatus()).every((info) => info.state !== 'running'),
      'all to end',
    );
    const later = await shell.run(command);
    assert.equal(later.attached, false);
    await shell.out('rm stop');
  });

  test('two identical calls at the same moment start one command', async () => {
    const both = await Promise.all([1, 2].map(() => shell.run('echo x >> same; sleep 0.1; cat same')));
    assert.deepEqual(
      both.map((result) => result.stdout),
      ['x\n', 'x\n'],
    );
  });

  test('an abandoned call: the command goes on, and the retry gets its result without a second run', async () => {
    const dropped = new AbortController();
    const command = 'echo once >> count; until [ -e finish ]; do sleep 0.02; done; cat count';
    const first = shell.run(command, { links: { abandoned: dropped.signal } });
    await until(
      () =>
        readFile(join(shell.root, 'count'), 'utf8').then(
          (text) => text !== '',
          () => false,
        ),
      'the command to begin',
    );
    dropped.abort();
    assert.equal((await first).running, true);
    await shell.out(': > finish');
    await until(
      async () => (await shell.shell.processStatus()).every((info) => info.state !== 'running'),
      'the command to end',
    );
    const retry = await shell.run(command);
    assert.deepEqual([retry.stdout, retry.attached, retry.running], ['once\n', true, false]);
    const third = await shell.run(command);
    assert.deepEqual([third.stdout, third.attached], ['once\nonce\n', false]);
  });

  test('a cancel kills the tree and rejects with the reason', async () => {
    const cancel = new AbortController();
    const reason = new CodedError('CANCELLED', 'cancelled', 'again');
    const call = shell.run('sleep 60 & echo $! > child; wait', { links: { signal: cancel.signal } });
    call.catch(() => {});
    await until(
      () =>
        readFile(join(shell.root, 'child'), 'utf8').then(
          (text) => text.endsWith('\n'),
          () => false,
        ),
      'the child',
    );
    cancel.abort(reason);
    await assert.rejects(call, reason);
    const child = Number(await readFile(join(shell.root, 'child'), 'utf8'));
    await until(() => !runs(child), 'the child to be gone');
    const retry = await shell.run('sleep 60 & echo $! > child; wait', { yieldMs: 100 });
    assert.equal(retry.attached, false, 'what was cancelled is run anew');
    await shell.shell.stopProcess(retry.processId, true);
    await assert.rejects(shell.run('echo no', { links: { signal: AbortSignal.abort(reason) } }), reason);
  });

  test('timeout: the tree is killed and what was printed is there', async () => {
    const result = await shell.run(`trap '' TERM; echo before; sleep 60 & echo $!; wait; sleep 60`, {
      timeoutMs: 200,
    });
    assert.equal(result.timedOut, true);
    const [first, child] = result.stdout.split('\n');
    assert.equal(first, 'before');
    await until(() => !runs(Number(child)), 'the child to be gone');
  });

  test('a timeout of more than 24 days ended the command at once', async () => {
    const result = await shell.run('sleep 0.05; echo whole', { timeoutMs: 30 * 24 * 3600 * 1000 });
    assert.deepEqual([result.timedOut, result.stdout], [false, 'whole\n']);
  });

  test('a cursor behind the end of the output hid all that came later', async () => {
    const { processId } = await shell.run('echo one; sleep 60', { yieldMs: 300 });
    const behind = await shell.shell.processOutput({ id: processId, cursor: '99999:99999' }, links());
    assert.equal(behind.cursor, '4:0');
    await shell.shell.stopProcess(processId, true);
  });

  test('a configured timeout is default and maximum', async () => {
    const limited = await openShell({ shellTimeoutSeconds: 0.2 });
    assert.equal((await limited.run('sleep 30')).timedOut, true);
    assert.equal((await limited.run('sleep 31', { timeoutMs: 60_000 })).timedOut, true);
    assert.equal((await limited.run('sleep 32', { timeoutMs: 20 })).timedOut, true);
    await limited.close();
  });

  test('a background child does not hold the call, is reported, and can be stopped', async () => {
    const start = performance.now();
    const result = await shell.run('sleep 60 & echo $!');
    assert.ok(performance.now() - start < 5000);
    assert.deepEqual([result.exitCode, result.leftBackground, result.kept], [0, true, true]);
    const stopped = await shell.shell.stopProcess(result.processId, false);
    assert.deepEqual(stopped.survivors, []);
    assert.ok(!runs(Number(result.stdout)));
  });

  test('progress carries new output while it runs', async () => {
    const seen: string[] = [];
    await shell.run('echo first; until [ -e seen ]; do sleep 0.02; done', {
      links: {
        progress: (text) => {
          seen.push(text);
          if (seen.length === 1) shell.out(': > seen').catch(() => {});
        },
      },
    });
    assert.equal(seen[0], 'first\n');
  });

  test('50 in parallel wait for none of the others', async () => {
    const start = performance.now();
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, i) => shell.run(`sleep 0.2; echo ${i}`)),
    );
    const spent = performance.now() - start;
    assert.deepEqual(
      results.map((result) => result.stdout.trim()),
      Array.from({ length: 50 }, (_, i) => String(i)),
    );
    assert.ok(spent < 3000, `${spent} ms`);
  });

  test('our own variables and credentials are not in the environment', async () => {
    const own = await openShell({
      env: {
        LOCAL_CODER_X: '1',
        OPENAI_TUNNEL_API_KEY: '1',
        CONTROL_PLANE_API_KEY: '1',
        TUNNEL_TOKEN: '1',
        NGROK_AUTHTOKEN: '1',
        FORCE_COLOR: '1',
        KEEP: '1',
      },
    });
    const names = (await own.out('env')).split('\n').map((line) => line.replace(/=.*/, ''));
    assert.deepEqual(
      names.filter((name) => /LOCAL_CODER|TUNNEL|CONTROL_PLANE|NGROK|FORCE_COLOR/.test(name)),
      ['LOCAL_CODER_PROCESS'],
    );
    assert.equal(
      await own.out('echo $KEEP $PAGER $GIT_PAGER $GIT_TERMINAL_PROMPT $TERM $LANG'),
      '1 cat cat 0 dumb C.UTF-8\n',
    );
    await own.close();
  });

  test('bad input is refused with a sentence', async () => {
    await assert.rejects(shell.run('a\0b'), { code: 'INVALID_PARAMS' });
    await assert.rejects(shell.run('true', { workingDirectory: '/no/such/folder' }), {
      code: 'FILE_NOT_FOUND',
    });
    await assert.rejects(shell.run('true', { workingDirectory: '/etc/hostname' }), {
      code: 'NOT_A_DIRECTORY',
    });
    const missing = await openShell({ shell: '/no/such/bash' });
    await assert.rejects(missing.run('true'), { code: 'COMMAND_NOT_FOUND' });
    await missing.close();
  });
});

describe('programs', () => {
  test('a program without a shell: its arguments are its own, and it yields', async () => {
    const shell = await openShell();
    const program = {
      file: '/bin/sh',
      args: ['-c', 'echo "$1"; sleep 0.3; echo end', 'sh', '$(x) *'],
      cwd: shell.root,
    };
    const result = await shell.shell.startProgram({ ...program, yieldMs: 100, label: 'git push' }, links());
    assert.deepEqual([result.running, result.command, result.stdout], [true, 'git push', '$(x) *\n']);
    const more = await shell.shell.processOutput(
      { id: result.processId, cursor: result.cursor, waitMs: 5000 },
      links(),
    );
    assert.equal(more.stdout, 'end\n');
    await assert.rejects(shell.shell.startProgram({ file: '/no/such', args: [], cwd: shell.root }, links()), {
      code: 'COMMAND_NOT_FOUND',
    });
    await shell.close();
  });
});
