/** The service under a real systemd of the user, in mount namespaces of its own, and the watcher with a real server. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { access, chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { readRecord } from '../../src/cli/service/run-record.ts';
import { watchServer } from '../../src/cli/service/watch.ts';
import { which } from '../../src/runtime/which.ts';
import { programCommand, programEnvironment, runToEnd, type Shape } from '../support/programs.ts';

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a program in the session of a systemd. */
type Inside = (cwd: string, line: string[]) => Promise<Ended>;

const until = async <Value>(what: string, look: () => Promise<Value | undefined>): Promise<Value> => {
  const limitMs = performance.now() + 30_000;
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    if (performance.now() > limitMs) throw new Error(`not within 30 s: ${what}`);
    await delay(50);
  }
};

/** Ends by SIGTERM what a test started itself. */
const stop = async (child: ChildProcess) => {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  if (child.exitCode === null && child.signalCode === null) {
    child.kill();
    await ended;
  }
};

describe('service, for real', { timeout: 240_000 }, () => {
  let base: string;
  let holder: ChildProcess | undefined;
  before(async () => {
    base = await realpath(await mkdtemp(join(tmpdir(), 'lc-service-full-')));
  });
  after(async () => {
    if (holder) await stop(holder);
    await rm(base, { recursive: true, force: true, maxRetries: 5 });
  });

  /** @returns why there is none; else how a program is run in its session */
  const startSystemd = async (): Promise<string | Inside> => {
    const systemd = '/lib/systemd/systemd';
    const tools = await Promise.all(['unshare', 'nsenter', 'systemctl'].map((name) => which(name)));
    if (
      tools.includes(undefined) ||
      !(await access(systemd).then(
        () => true,
        () => false,
      ))
    )
      return 'no systemd on this machine';
    if (process.getuid?.() !== 0) return 'only root may start a systemd session apart';
    const home = join(base, 'home');
    await mkdir(home);
    const env = programEnvironment({
      HOME: home,
      XDG_RUNTIME_DIR: '/run/u',
      XDG_CONFIG_HOME: join(home, '.config'),
      XDG_STATE_HOME: undefined,
      XDG_DATA_HOME: undefined,
      XDG_CACHE_HOME: undefined,
      DBUS_SESSION_BUS_ADDRESS: undefined,
    });
    const script = `mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system /run/u && chmod 700 /run/u && exec ${systemd} --user --log-target=console --log-level=warning`;
    holder = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script], {
      env,
      stdio: 'ignore',
    });
    const pid = String(holder.pid);
    const inside: Inside = (cwd, line) =>
      new Promise((resolve) => {
        const args = ['-t', pid, '-m', '--', 'sh', '-c', 'cd "$0" && exec "$@"', cwd, ...line];
        execFile('nsenter', args, { env, timeout: 60_000 }, (error, out, err) => {
          resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err });
        });
      });
    for (let tries = 0; tries < 100; tries++) {
      if (holder.exitCode !== null) break;
      if ((await inside('/', ['systemctl', '--user', 'show', '--property=Version'])).code === 0)
        return inside;
      await delay(100);
    }
    return 'no systemd session can be started here';
  };

  test('systemd: installed, restarted after a crash, ended and removed', {
    timeout: 240_000,
  }, async (context) => {
    const inside = await startSystemd();
    if (typeof inside === 'string') return context.skip(inside);
    const folder = join(base, `odd %h $HOME "q" 'p' \\x é`);
    await mkdir(folder);
    for (const shape of ['source', 'executable'] as const satisfies readonly Shape[]) {
      const { command, args } = await programCommand(shape);
      const cli = (...words: string[]): Promise<Ended> =>
        inside(folder, [command, ...args, 'service', ...words]);
      const installed = await cli('install', '--yes', '--', '--port', '0');
      assert.equal(installed.code, 0, installed.err + installed.out);
      const file = join(base, 'home/.config/systemd/user/local-coder.service');
      const verified = await inside('/', ['systemd-analyze', 'verify', '--user', '--man=no', file]);
      assert.equal(verified.code, 0, verified.err);
      const health = (text: string) => `${/(http:\S+)\/mcp/.exec(text)?.[1]}/health`;
      assert.equal((await fetch(health(installed.out))).status, 200);

      const before = await cli('status');
      assert.equal(before.code, 0, before.out);
      assert.ok(before.out.includes(`Folder    ${folder}`), before.out);
      const pid = Number(/process (\d+), answers/.exec(before.out)?.[1]);
      process.kill(pid, 'SIGKILL');
      const later = await until('a new process', async () => {
        const { out } = await cli('status');
        return /process (\d+), answers/.test(out) && !out.includes(`process ${pid},`) ? out : undefined;
      });
      assert.equal((await fetch(health(later))).status, 200);

      const removed = await cli('remove', '--yes');
      assert.equal(removed.code, 0, removed.err);
      await assert.rejects(fetch(health(later)));
      await assert.rejects(access(file));
      assert.match((await cli('status')).out, /is not installed/);
      const left = await inside('/', [
        'systemctl',
        '--user',
        'list-units',
        '--all',
        '--no-legend',
        'local-coder*',
      ]);
      assert.equal(left.out.trim(), '');
    }

    // A server that cannot start is told, with the reason, and taken out again.
    const { command, args } = await programCommand('source');
    const wrong = await inside(folder, [
      command,
      ...args,
      'service',
      'install',
      '--yes',
      '--',
      '--host',
      '203.0.113.1',
    ]);
    assert.equal(wrong.code, 1, wrong.out);
    assert.match(wrong.err, /is installed but does not answer: .*service remove/);
    assert.equal((await inside(folder, [command, ...args, 'service', 'remove', '--yes'])).code, 0);
  });

  test('Linux: installed, answering, there already, changed, removed (a stand-in for systemctl)', async (context) => {
    if (process.platform !== 'linux') return context.skip('only on Linux');
    const home = await mkdtemp(join(base, 'home-'));
    const bin = join(home, 'bin');
    await mkdir(bin);
    // Starts what ExecStart says, as systemd would, with the words taken apart by a shell: none of them is odd here.
    await writeFile(
      join(bin, 'systemctl'),
      `#!/bin/sh
echo "$*" >> ${home}/calls
unit=${home}/.config/systemd/user/local-coder-work.service
stop() { if [ -f ${home}/pid ]; then kill $(cat ${home}/pid); while kill -0 $(cat ${home}/pid) 2>/dev/null; do sleep 0.02; done; rm ${home}/pid; fi; }
case "$2" in
  enable) : > ${home}/enabled ;;
  restart) stop; setsid sh -c "echo \\$\\$ > ${home}/pid; exec $(sed -n 's/^ExecStart=//p' $unit)" > ${home}/output 2>&1 & ;;
  disable) stop; rm -f ${home}/enabled ;;
  show) if [ -f ${home}/pid ]; then echo ActiveState=active; echo SubState=running; echo MainPID=$(cat ${home}/pid); else echo ActiveState=inactive; echo MainPID=0; fi
        [ -f ${home}/enabled ] && echo UnitFileState=enabled; echo Result=success ;;
esac
exit 0
`,
    );
    await chmod(join(bin, 'systemctl'), 0o755);
    const env = {
      HOME: home,
      PATH: `${bin}${delimiter}${process.env['PATH']}`,
      XDG_CONFIG_HOME: join(home, '.config'),
      XDG_STATE_HOME: undefined,
    };
    const cli = (...args: string[]) => runToEnd({ args: ['service', ...args], env, cwd: home });
    const name = ['--name', 'work'];
    const file = join(home, '.config/systemd/user/local-coder-work.service');

    const asked = await cli('install', ...name, '--', '--port', '0');
    assert.equal(asked.exitCode, 2, 'without a terminal it takes --yes');
    await assert.rejects(access(file));
    try {
      const installed = await cli('install', ...name, '--yes', '--', '--port', '0', '--access', 'read-only');
      assert.equal(installed.exitCode, 0, installed.stderr);
      assert.match(installed.stdout, /^\+ExecStart=.*"serve" "--workspace" /m);
      assert.match(installed.stdout, /warning: --port 0 means another address/);
      const url = /^Address: +(http:\S+)\/mcp$/m.exec(installed.stdout)?.[1];
      assert.equal((await fetch(`${url}/health`)).status, 200);
      const again = await cli('install', ...name, '--yes', '--', '--port', '0', '--access', 'read-only');
      assert.match(again.stdout, /is installed already and answers at/);
      const status = await cli('status');
      assert.equal(status.exitCode, 0, status.stdout);
      assert.match(status.stdout, /At login {2}starts\nNow {7}active \(running\), process \d+, answers\n/);
      assert.match(status.stdout, /Access {4}read-only/);
      const changed = await cli('install', ...name, '--yes', '--', '--port', '0', '--approve', 'all');
      assert.match(changed.stdout, /warning: --approve all asks on the local page alone/);
      assert.match(changed.stdout, /^-ExecStart=.*read-only/m);
      assert.match((await cli('status', ...name)).stdout, /Access {4}full/);
    } finally {
      const removed = await cli('remove', ...name, '--yes');
      assert.equal(removed.exitCode, 0, removed.stderr);
    }
    await assert.rejects(access(file));
    assert.match((await cli('remove', ...name)).stdout, /is not installed/);
    const calls = (await readFile(join(home, 'calls'), 'utf8'))
      .split('\n')
      .filter((line) => !/ show /.test(line));
    assert.deepEqual(calls.slice(0, 4), [
      '--user daemon-reload',
      '--user reset-failed local-coder-work.service',
      '--user enable local-coder-work.service',
      '--user restart local-coder-work.service',
    ]);
    await writeFile(file, '[Service]\nExecStart=/bin/true\n');
    for (const action of ['install', 'remove']) {
      const refused = await cli(action, ...name, '--yes');
      assert.equal(refused.exitCode, 1);
      assert.match(refused.stderr, /was not written by local-coder/);
    }
  });

  test('the watcher starts a server again, keeps its log, and ends it', async () => {
    const stateDir = join(base, 'state');
    const stopping = new AbortController();
    const { command, args } = await programCommand('source', [
      '--port',
      '0',
      '--workspace',
      base,
      '--state-dir',
      stateDir,
    ]);
    const ended = watchServer({ name: 'w', stateDir, command, args, signal: stopping.signal, restartMs: 10 });
    const log = () => readFile(join(stateDir, 'services/w.log'), 'utf8').catch(() => '');
    const first = await until('the first server', async () =>
      (await log()).includes('/mcp') ? (await readRecord(stateDir, 'w')).server : undefined,
    );
    process.kill(first.pid, 'SIGKILL');
    const second = await until('the second server', async () => {
      const { server } = await readRecord(stateDir, 'w');
      return server !== undefined && server.pid !== first.pid ? server : undefined;
    });
    await until('its address', async () => ((await log()).split('/mcp').length > 2 ? true : undefined));
    stopping.abort();
    assert.equal(await ended, 0);
    assert.throws(() => process.kill(second.pid, 0));
    assert.deepEqual(await readRecord(stateDir, 'w'), {});
    assert.match(await log(), /service w: the server was killed/);
  });

  test('the watcher gives up where another start helps nothing', async () => {
    const stateDir = join(base, 'state-2');
    const { signal } = new AbortController();
    const { command, args } = await programCommand('source', ['--port', 'x']);
    assert.equal(await watchServer({ name: 'w', stateDir, command, args, signal }), 1);
    assert.match(await readFile(join(stateDir, 'services/w.log'), 'utf8'), /--port is "x"[\s\S]*exit code 2/);
    await writeFile(join(base, 'done'), '');
  });
});
