import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { chmod, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { programCommand, programEnvironment, shapesUnderTest, startServer } from '../support/programs.ts';
import { post } from '../support/test-server.ts';

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function freePort(): Promise<number> {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as AddressInfo; // a listening TCP server has one
  holder.close();
  return port;
}

/** Waits until a server that cannot say its address answers. */
async function answers(port: number, server: ChildProcess): Promise<void> {
  const deadlineMs = performance.now() + 20_000;
  const health = async () => (await fetch(`http://127.0.0.1:${port}/health`)).status;
  while ((await health().catch(() => 0)) !== 200) {
    assert.ok(performance.now() < deadlineMs && server.exitCode === null, `exit code ${server.exitCode}`);
    await delay(20);
  }
}

for (const shape of shapesUnderTest()) {
  describe(`the command line: ${shape}`, { timeout: 180_000 }, () => {
    let folder: string;
    let state: string;
    before(async () => {
      folder = await realpath(await mkdtemp(join(tmpdir(), 'lc-cli-')));
      state = await mkdtemp(join(tmpdir(), 'lc-cli-state-'));
    });
    after(async () => {
      await rm(folder, { recursive: true, force: true });
      await rm(state, { recursive: true, force: true });
    });

    /** Runs the program to its end. */
    const run = async (args: string[], env: Record<string, string> = {}, cwd = folder): Promise<Ended> => {
      const command = await programCommand(shape, args);
      return new Promise((resolve) => {
        const options = {
          cwd,
          env: programEnvironment({ LOCAL_CODER_STATE_DIR: state, ...env }),
          timeout: 30_000,
        };
        execFile(command.command, command.args, options, (error, stdout, stderr) => {
          resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
        });
      });
    };
    /** One clear sentence on stderr, no stack trace, the given exit code. */
    const refused = async (
      args: string[],
      words: RegExp,
      code: number,
      env: Record<string, string> = {},
      cwd = folder,
    ) => {
      const ended = await run(args, env, cwd);
      assert.match(ended.stderr, words);
      assert.equal(ended.code, code, ended.stderr);
      assert.doesNotMatch(ended.stderr, /\n\s+at |Error:/);
      assert.equal(ended.stderr.trim().split('\n').length, 1, ended.stderr);
      assert.match(ended.stderr, /^local-coder: /);
      assert.equal(ended.stdout, '');
    };
    const start = (args: string[] = []) =>
      startServer({ shape, cwd: folder, args: ['--state-dir', state, ...args] });

    test('a reader who has seen enough ends a command quietly, and leaves a server running', async () => {
      /** Runs the program with nobody at the other end of its output. */
      const withoutReader = async (args: string[]) => {
        const { command, args: all } = await programCommand(shape, args);
        const env = programEnvironment({ LOCAL_CODER_STATE_DIR: state });
        const child = spawn(command, all, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
        child.stdout.destroy();
        let stderr = '';
        const told = new Promise<void>((resolve) => {
          child.stderr.on('data', (chunk: Buffer) => {
            stderr += chunk;
            if (stderr.includes('ending')) resolve();
          });
        });
        return { child, told, closed: once(child, 'close'), stderr: () => stderr };
      };
      const doctor = await withoutReader(['doctor']);
      const [code] = await doctor.closed;
      assert.deepEqual({ code, stderr: doctor.stderr() }, { code: 0, stderr: '' });

      const port = await freePort();
      const server = await withoutReader(['serve', '--port', String(port)]);
      try {
        await answers(port, server.child);
        server.child.kill('SIGTERM');
        await server.told;
        await server.closed;
        assert.equal(server.child.exitCode, 0);
      } finally {
        server.child.kill('SIGKILL'); // nothing where it has ended
      }
    });

    const withoutFull =
      process.platform !== 'linux'
        ? 'only on Linux is there /dev/full'
        : shape === 'deno' && 'only on Linux under Node: Deno throws where the start is announced';
    test('a full disk under its output ends a command with a sentence, and leaves a server running', {
      skip: withoutFull,
    }, async () => {
      const full = openSync('/dev/full', 'w');
      const onFullDisk = async (args: string[], stderr: 'pipe' | number) => {
        const { command, args: all } = await programCommand(shape, args);
        const env = programEnvironment({ LOCAL_CODER_STATE_DIR: state });
        return spawn(command, all, { cwd: folder, env, stdio: ['ignore', full, stderr] });
      };
      const port = await freePort();
      const server = await onFullDisk(['serve', '--port', String(port), '--log-level', 'debug'], full);
      try {
        await answers(port, server);
        await answers(port, server);
        const ended = once(server, 'close');
        server.kill('SIGTERM');
        await ended;
        assert.equal(server.exitCode, 0);
        const help = await onFullDisk(['--help'], 'pipe');
        const said = help.stderr!.toArray();
        await once(help, 'close');
        assert.equal(help.exitCode, 1);
        assert.match(Buffer.concat(await said).toString(), /^local-coder: .*(ENOSPC|os error 28).*\n$/);
      } finally {
        server.kill('SIGKILL'); // nothing where it has ended
        closeSync(full);
      }
    });

    test('--version and --help', async () => {
      assert.match((await run(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
      const help = await run(['--help']);
      assert.equal((await run(['help', 'client'])).stdout, (await run(['client', '--help'])).stdout);
      assert.match((await run(['help', 'client'])).stdout, /^local-coder client add CLIENT/);
      await refused(['help', 'clinet'], /Did you mean "client"\?/, 2);
      assert.equal(help.code, 0);
      for (const word of ['--workspace DIR', '--port N', '--stdio', 'status', 'stop'])
        assert.ok(help.stdout.includes(word), word);
    });

    test('wrong usage is refused with the closest known name', async () => {
      await refused(['--worksapce', '.'], /--worksapce is not an option\. Did you mean --workspace\?/, 2);
      await refused(['sevre'], /"sevre" is not a command\. Did you mean "serve"\?/, 2);
      await refused(['/some/folder'], /To serve a folder: local-coder --workspace \/some\/folder/, 2);
      await refused(['--port'], /--port needs a value/, 2);
      await refused(['--port', 'http'], /--port is "http", but it must be a number from 0 to 65535/, 2);
      await refused(['--port', '1', '--port', '2'], /--port is given twice/, 2);
      await refused(['status', 'extra'], /takes no argument "extra"/, 2);
      await refused([], /LOCAL_CODER_LOG_LEVEL in the environment is "loud"/, 2, {
        LOCAL_CODER_LOG_LEVEL: 'loud',
      });
    });

    test('upgrade says where an upgrade comes from instead, or that there is none yet', async () => {
      const instead =
        /runs from its sources: update them|is a bundle that Node runs|No release of local-coder/;
      await refused(['upgrade'], instead, 1);
      await refused(['upgrade', '--to', 'new'], /--to new is no version/, 2);
    });

    test('folders that cannot be served', async (context) => {
      await refused(
        ['--workspace', join(folder, 'missing')],
        /does not exist.*Give --workspace an existing folder/,
        4,
      );
      await writeFile(join(folder, 'file'), '');
      await refused(['--workspace', 'file'], /is a file; name a folder/, 4);
      if (process.getuid?.() === 0) return context.diagnostic('an unreadable folder cannot be made for root');
      const closed = await mkdtemp(join(folder, 'closed-'));
      await chmod(closed, 0o000);
      await refused(['--workspace', closed], /cannot be read/, 4);
      await chmod(closed, 0o700);
    });

    test('a taken port says who holds it and what to do', async () => {
      const holder = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => holder.once('listening', resolve));
      const { port } = holder.address() as { port: number };
      try {
        // By the program's file: Node calls its thread "MainThread".
        const owner =
          process.platform === 'linux' ? ` by ${basename(process.execPath)} \\(pid ${process.pid}\\)` : '';
        const words = new RegExp(`Port ${port} is taken${owner}.*--port N.*--replace`);
        await refused(['--port', String(port)], words, 3);
        await refused(['--port', String(port), '--replace'], words, 3);
      } finally {
        holder.close();
      }
    });

    test('status and stop find the instance of this folder, and nobody else’s', async () => {
      const none = await run(['status']);
      assert.equal(none.code, 1);
      assert.match(none.stdout, /No instance is running for/);
      const server = await start();
      const status = await untilFound(() => run(['status']));
      assert.match(status.stdout, new RegExp(`Address {3}http://127.0.0.1:${server.port}/mcp`));
      assert.match(status.stdout, new RegExp(`Folder {4}${folder}`));
      const elsewhere = await run(['stop'], {}, tmpdir());
      assert.equal(elsewhere.code, 1);
      assert.match(elsewhere.stdout, /Running: .* \(name one with --port N\)/);
      const stopped = await run(['stop']);
      assert.equal(stopped.code, 0);
      assert.equal(await server.exited, 0);
    });

    test('--replace ends our own older instance on the port, and clients go on', async () => {
      const first = await start();
      await untilFound(() => run(['status']));
      const second = await start(['--port', String(first.port), '--replace']);
      assert.equal(await first.exited, 0);
      const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
      assert.equal((await post(second.url, list, { 'mcp-session-id': 'from-before' })).status, 200);
      await second.stop();
    });

    test('a signal lets a running call finish, stops what was started, and exits with 0', async () => {
      const server = await start();
      const call = (id: number, name: string, args: object) =>
        post(server.url, { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } });
      const background = await call(1, 'start_process', { command: 'exec sleep 300' });
      const pid = Number(/\\?"pid\\?":(\d+)/.exec(background.text)?.[1]);
      assert.ok(pid > 0, background.text);
      const running = call(2, 'run_command', { command: 'echo ready > ready; sleep 0.7; echo finished' });
      while (!(await exists(join(folder, 'ready')))) await new Promise((resolve) => setTimeout(resolve, 10));
      const stopping = server.stop();
      assert.match((await running).text, /finished/);
      assert.equal(await stopping, 0);
      assert.throws(() => process.kill(pid, 0), 'the process that the server started is gone');
    });

    test('one line for each request at log level info, none of it on stdout', async () => {
      const server = await start();
      await post(server.url, {
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'agent_status', arguments: {} },
      });
      await post(server.url, {
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'read_text_file', arguments: { path: 'no\u001b[31m' } },
      });
      await fetch(server.url, { headers: { origin: 'https://evil.example' } });
      await server.stop();
      assert.match(server.stderr, /POST \/mcp tools\/call agent_status → ok in \d+ ms/);
      assert.match(server.stderr, /POST \/mcp tools\/call read_text_file → FILE_NOT_FOUND in \d+ ms/);
      assert.match(server.stderr, /GET \/mcp → 403 in \d+ ms/);
      assert.doesNotMatch(server.stdout, /tools\/call/);
      assert.equal(server.stderr.includes('\u001b'), false);
    });

    test('missing git is an error of the git tools, with the next step', async () => {
      const empty = await mkdtemp(join(tmpdir(), 'lc-no-path-'));
      const server = await startServer({
        shape,
        cwd: folder,
        args: ['--state-dir', state],
        env: { PATH: empty },
      });
      const answer = await post(server.url, {
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'git_status', arguments: {} },
      });
      assert.match(answer.text, /GIT_NOT_FOUND/);
      await server.stop();
      await rm(empty, { recursive: true });
    });
  });
}

/** The instance enters itself into the register right after it has printed its address. */
async function untilFound(status: () => Promise<Ended>): Promise<Ended> {
  for (;;) {
    const ended = await status();
    if (ended.code === 0) return ended;
  }
}

async function exists(path: string): Promise<boolean> {
  return realpath(path).then(
    () => true,
    () => false,
  );
}
