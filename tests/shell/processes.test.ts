import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { helperEnvironment, noticeHelper, readingOnly } from '../../src/runtime/long-helpers.ts';
import { listTree } from '../../src/runtime/process-tree.ts';
import { FULL, links, openShell, runs, type TestShell, until, usedMemory } from './helpers.ts';

const onlyLinux = process.platform === 'linux' ? {} : { skip: 'only on Linux: reads /proc' };

/** Prints the pids of its children, which leave by every way there is. */
const ESCAPES = [
  'sleep 601 & echo $!',
  '(trap "" TERM; exec sleep 602) & echo $!',
  "setsid sh -c 'echo $$; exec sleep 603' &",
  // Daemonises twice: a child of a child in a session of its own, whose parents are gone.
  '(setsid sh -c \'(echo $(exec sh -c "echo \\$PPID"); sleep 604) & exit\' & exit)',
  "env -i /bin/sh -c 'echo $$; exec sleep 605' &",
  'set -m; sleep 606 & echo $!; set +m',
].join('\n');

async function pidsOf(shell: TestShell, id: string, count: number): Promise<number[]> {
  let pids: number[] = [];
  await until(async () => {
    const { stdout } = await shell.shell.processOutput({ id, cursor: '0' }, links());
    pids = stdout.trim().split('\n').map(Number);
    return pids.length === count && pids.every((pid) => pid > 1);
  }, `${count} pids`);
  return pids;
}

describe('processes', () => {
  test('stop ends all that a process started, however it left', onlyLinux, async () => {
    const shell = await openShell();
    const { id } = await shell.shell.startProcess(
      { command: `${ESCAPES}\nsleep 600`, root: shell.root },
      links(),
    );
    const pids = await pidsOf(shell, id, 6);
    assert.ok(pids.every(runs));
    const { info, survivors } = await shell.shell.stopProcess(id, false);
    assert.deepEqual(survivors, []);
    assert.equal(info.state, 'exited');
    assert.deepEqual(pids.filter(runs), []);
    await shell.close();
  });

  test('force kills at once what ignores SIGTERM; without it the grace period comes first', async () => {
    const shell = await openShell();
    const command = `trap '' TERM; echo ready; while :; do sleep 0.05; done`;
    for (const force of [true, false]) {
      const { id } = await shell.shell.startProcess({ command, root: shell.root }, links());
      await shell.shell.processOutput({ id, cursor: '0', waitMs: 5000 }, links());
      const start = performance.now();
      const { info } = await shell.shell.stopProcess(id, force);
      const spent = performance.now() - start;
      assert.equal(info.signal, 'SIGKILL');
      assert.ok(force ? spent < 2000 : spent > 2500, `${spent} ms`);
    }
    await shell.close();
  });

  test('a polite stop lets a process clean up, and its last words are kept', async () => {
    const shell = await openShell();
    const command = `trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done`;
    const { id } = await shell.shell.startProcess({ command, root: shell.root }, links());
    await shell.shell.processOutput({ id, cursor: '0', waitMs: 5000 }, links());
    const { info } = await shell.shell.stopProcess(id, false);
    assert.equal(info.exitCode, 7);
    const { stdout } = await shell.shell.processOutput({ id, cursor: '0' }, links());
    // bash mentions its `sleep` when that was ended as well.
    assert.match(stdout, /^ready\n(Terminated\n)?bye\n$/);
    await shell.close();
  });

  test('stdin: written, answered, closed; run_command has none', async () => {
    const shell = await openShell();
    const { id } = await shell.shell.startProcess(
      {
        command: 'printf "Name: "; read name; echo "Hello $name"; cat; echo end',
        root: shell.root,
        name: 'asker',
      },
      links(),
    );
    await shell.shell.writeInput('asker', 'Ünal\n', false);
    await shell.shell.writeInput(id, 'last', true);
    await until(async () => (await shell.shell.processStatus(id))[0]?.state === 'exited', 'the end');
    const { stdout } = await shell.shell.processOutput({ id, cursor: '0' }, links());
    assert.equal(stdout, 'Name: Hello Ünal\nlastend\n');
    await assert.rejects(shell.shell.writeInput(id, 'more', false), {
      code: 'INVALID_PARAMS',
      message: /has ended/,
    });
    const command = await shell.run('sleep 60', { yieldMs: 30 });
    await assert.rejects(shell.shell.writeInput(command.processId, 'x', false), {
      code: 'INVALID_PARAMS',
      message: /stdin is closed/,
    });
    await assert.rejects(shell.shell.stopProcess('nope', true), { code: 'PROCESS_NOT_FOUND' });
    await shell.close();
  });

  test('start_process uses the state of the shell and changes nothing of it', async () => {
    const shell = await openShell();
    await shell.run('cd /; A=1; f() { echo "f $A"; }');
    const { id } = await shell.shell.startProcess(
      { command: 'pwd; f; cd /usr; A=2', root: shell.root },
      links(),
    );
    await until(async () => (await shell.shell.processStatus(id))[0]?.state === 'exited', 'the end');
    assert.equal((await shell.shell.processOutput({ id }, links())).stdout, '/\nf 1\n');
    assert.equal(await shell.out('pwd; echo $A'), '/\n1\n');
    await shell.close();
  });

  test('status, ports, clear', onlyLinux, async () => {
    const shell = await openShell();
    const node = process.execPath;
    const serve = `"${node}" -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>console.log(s.address().port))'`;
    const { id } = await shell.shell.startProcess(
      { command: serve, root: shell.root, name: 'server' },
      links(),
    );
    const { stdout } = await shell.shell.processOutput({ id, cursor: '0', waitMs: 10_000 }, links());
    const [info] = await shell.shell.processStatus('server');
    assert.deepEqual(info?.ports, [Number(stdout)]);
    assert.equal(info?.state, 'running');
    assert.equal(await shell.shell.clearProcesses(), 0);
    await shell.shell.stopProcess(id, true);
    assert.equal(await shell.shell.clearProcesses(), 1);
    await assert.rejects(shell.shell.processStatus(id), { code: 'PROCESS_NOT_FOUND' });
    await shell.close();
  });

  test(
    'close ends everything, daemons of forgotten commands too, and removes the logs',
    onlyLinux,
    async () => {
      const shell = await openShell();
      const daemon = Number(
        await shell.out(`(setsid sh -c 'echo $$; exec sleep 607 >/dev/null 2>&1' &); sleep 0.1`),
      );
      const running = shell.run('sleep 608');
      running.catch(() => {});
      const { id } = await shell.shell.startProcess({ command: ESCAPES, root: shell.root }, links());
      const pids = [...(await pidsOf(shell, id, 6)), daemon, shell.shell.guardPid ?? 0];
      assert.ok(pids.every(runs));
      await shell.shell.close({ graceMs: 300 });
      await until(() => !pids.some(runs), 'all to be gone', 2000);
      assert.deepEqual(await readdir(join(shell.stateDir, 'processes')), []);
      await assert.rejects(shell.run('true'), { code: 'BUSY' });
      await shell.close();
    },
  );

  test('kill -9 of the server leaves nothing within 2 s', onlyLinux, async () => {
    const shell = await openShell();
    const script = join(import.meta.dirname, 'guarded-server.ts');
    const server = spawn(process.execPath, [script, shell.stateDir, shell.root, `${ESCAPES}\nsleep 600`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const line = await new Promise<string>((resolve) =>
      server.stdout.once('data', (data) => resolve(String(data))),
    );
    const { output, guard } = JSON.parse(line) as { output: string; guard: number };
    const pids = output.trim().split('\n').map(Number);
    assert.equal(pids.length, 6);
    const tree = await listTree({ pid: server.pid ?? 0 });
    assert.ok(tree.length > 8 && pids.every(runs) && runs(guard));
    server.kill('SIGKILL');
    await until(() => ![...pids, ...tree, guard].some(runs), 'all to be gone', 2000);
    await shell.close();
  });

  test('kill -9 of the server left a git with a hook that hangs, and a search', onlyLinux, async () => {
    const shell = await openShell();
    const script = join(import.meta.dirname, 'helper-server.ts');
    const server = spawn(process.execPath, [script, shell.stateDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const line = await new Promise<string>((resolve) =>
      server.stdout.once('data', (data) => resolve(String(data))),
    );
    const { pids } = JSON.parse(line) as { pids: number[] };
    assert.ok(pids.length === 3 && pids.every(runs), line);
    server.kill('SIGKILL');
    await until(() => !pids.some(runs), 'all to be gone', 4000);
    await shell.close();
  });

  test(
    'an orderly end leaves a helper alone that still works, and removes the guard',
    onlyLinux,
    async () => {
      const shell = await openShell();
      const helper = spawn('/bin/sleep', ['5'], { stdio: 'ignore', env: helperEnvironment({}) });
      noticeHelper(helper);
      const guard = shell.shell.guardPid ?? 0;
      assert.ok(runs(guard));
      await shell.close();
      await until(() => !runs(guard), 'the guard to be gone');
      assert.ok(runs(helper.pid ?? 0));
      helper.kill('SIGKILL');
      await once(helper, 'close');
    },
  );

  test('a helper that only reads is watched once it runs for longer than a moment', onlyLinux, async () => {
    const shell = await openShell();
    const helper = spawn('/bin/sleep', ['600'], { stdio: 'ignore', env: helperEnvironment({}) });
    readingOnly(() => noticeHelper(helper));
    assert.equal(shell.shell.guardPid, undefined);
    await until(() => shell.shell.guardPid !== undefined, 'the guard to be started');
    helper.kill('SIGKILL');
    await once(helper, 'close');
    await shell.close();
  });

  test(
    'the guard survives what ends a terminal, and is replaced when somebody kills it',
    onlyLinux,
    async () => {
      const shell = await openShell();
      await shell.out('true');
      const first = shell.shell.guardPid ?? 0;
      // On a busy machine the first command ends before the guard's own first line is reached.
      await until(() => ignoresSignals(first), 'the guard to be on guard');
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(first, signal);
      await shell.out('sleep 0.05');
      assert.ok(runs(first));
      process.kill(first, 'SIGKILL');
      await until(() => shell.shell.guardPid === undefined, 'the loss to be seen');
      await shell.out('true');
      assert.notEqual(shell.shell.guardPid, first);
      await shell.close();
    },
  );

  const storm = FULL ? 200 : 40;
  test(
    `${storm} processes started and stopped leave nothing: no process, descriptor, memory`,
    onlyLinux,
    async (t) => {
      const shell = await openShell();
      const cycle = async () => {
        const infos = await Promise.all(
          Array.from({ length: storm }, (_, i) =>
            shell.shell.startProcess({ command: `sleep 6${i} & sleep 7${i}`, root: shell.root }, links()),
          ),
        );
        await Promise.all(infos.map((info) => shell.shell.stopProcess(info.id, true)));
        await shell.shell.clearProcesses();
        return infos.map((info) => info.pid ?? 0);
      };
      await cycle();
      const descriptors = (await readdir('/proc/self/fd')).length;
      globalThis.gc?.();
      const memory = process.memoryUsage().rss;
      const pids = await cycle();
      assert.deepEqual(pids.filter(runs), []);
      assert.deepEqual(await listTree({ marker: 'none' }), []);
      for (const pid of pids) assert.deepEqual(await groupMembers(pid), []);
      assert.ok((await readdir('/proc/self/fd')).length <= descriptors + 2);
      const grown = ((await usedMemory()) - memory) / 1e6;
      t.diagnostic(`memory grew by ${grown.toFixed(1)} MB`);
      assert.ok(grown < 3, `${grown} MB`);
      await shell.close();
    },
  );
});

async function groupMembers(leader: number): Promise<number[]> {
  try {
    process.kill(-leader, 0);
  } catch {
    return [];
  }
  return listTree({ pid: leader });
}

/** True once a process ignores SIGHUP (1), SIGINT (2) and SIGTERM (15). */
function ignoresSignals(pid: number): boolean {
  const mask = /^SigIgn:\s*([0-9a-f]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '0';
  const wanted = (1n << 0n) | (1n << 1n) | (1n << 14n);
  return (BigInt(`0x${mask}`) & wanted) === wanted;
}
