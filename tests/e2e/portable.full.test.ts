import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { BUNDLE, EXECUTABLE, ensureBuilt } from '../support/built.ts';
import { connect, type TestClient } from '../support/clients.ts';
import { copyOfThisRepository, mainJob, succeed } from '../support/main-job.ts';
import { type Command, programEnvironment, type RunningServer, startServer } from '../support/programs.ts';

const run = promisify(execFile);
const onlyLinux = process.platform === 'linux' ? false : 'only on Linux';

/**
 * The real executable on a stick: every run of the main job leaves the host's home folder as it was, to the byte, and
 * nothing in its folder for temporary files.
 */
describe('a portable executable', { timeout: 600_000, skip: onlyLinux }, () => {
  let base: string;
  let repository: string;
  let job = 0;
  /** The folder that is carried around; the program lies in it. */
  let stick: string;
  let home: string;
  let temporary: string;
  let homeBefore: Record<string, string>;
  let server: RunningServer | undefined;
  let mounts: string | undefined;

  before(async () => {
    await ensureBuilt();
    base = await realpath(await mkdtemp(join(tmpdir(), 'lc-portable-')));
    repository = await copyOfThisRepository(base, 'repository');
    mounts = await mountsAreRefused(base);
  });
  after(() => rm(base, { recursive: true, force: true }));

  beforeEach(async () => {
    const own = await mkdtemp(join(base, 'case-'));
    stick = join(own, 'stick');
    home = join(own, 'home');
    temporary = join(own, 'tmp');
    for (const folder of [stick, home, temporary, join(home, '.config', 'git')])
      await mkdir(folder, { recursive: true });
    // Start files that leave traces, as completion dumps and caches do.
    for (const name of ['.bashrc', '.bash_profile', '.zshrc', '.zshenv', '.profile'])
      await writeFile(join(home, name), `date >> "$HOME/${name}-was-read"\n`);
    await writeFile(join(home, '.config', 'git', 'ignore'), '*.ignored\n');
    await copyFile(EXECUTABLE, join(stick, 'local-coder'));
    await chmod(join(stick, 'local-coder'), 0o755);
    homeBefore = await snapshot(home);
  });
  afterEach(async () => {
    await server?.stop();
    server = undefined;
    assert.deepEqual(await snapshot(home), homeBefore, 'the home folder is as it was');
    assert.deepEqual(await readdir(temporary), [], 'nothing is left among the temporary files');
    await rm(dirname(stick), { recursive: true, force: true });
  });

  const env = (): Record<string, string | undefined> => ({
    HOME: home,
    USERPROFILE: home,
    TMPDIR: temporary,
    XDG_STATE_HOME: undefined,
    XDG_CONFIG_HOME: undefined,
    XDG_CACHE_HOME: undefined,
    XDG_DATA_HOME: undefined,
    XDG_RUNTIME_DIR: undefined,
    SHELL: '/bin/bash',
  });
  const start = async (program: Command, args: string[] = [], cwd = repository) => {
    server = await startServer({ program, args, cwd, env: env() });
    return server;
  };
  const stop = async () => {
    assert.equal(await server?.stop(), 0);
    server = undefined;
  };
  const command = async (program: Command, args: string[], cwd = repository) => {
    const options = { cwd, env: programEnvironment(env()) };
    const ended = run(program.command, [...program.args, ...args], options);
    return ended.then(
      ({ stdout, stderr }) => ({ stdout, stderr, code: 0 }),
      (error: { stdout: string; stderr: string; code: number }) => error,
    );
  };
  const plain = (): Command => ({ command: join(stick, 'local-coder'), args: [] });
  const data = (...names: string[]) => join(stick, 'local-coder-data', ...names);

  /** All of it: what the main job does, a search, a process on a terminal, and a change taken back. */
  const wholeJob = async (url: string) => {
    const name = `portable-${++job}`;
    await mainJob('v2 auto', { url }, repository, name);
    const client = await connect('v1', { url });
    try {
      const ok = succeed(client);
      const started = await ok('start_process', { command: 'test -t 1 && echo on a terminal', pty: true });
      const output = await ok('process_output', {
        id: started.data['process_id'],
        cursor: '0',
        wait_ms: 5_000,
      });
      assert.match(output.bulk, /on a terminal/);
      const file = join(repository, `${name}.txt`);
      await ok('write_file', { path: file, content: 'first\n' });
      await ok('write_file', { path: file, content: 'second\n' });
      await undoLast(client);
      assert.equal(await readFile(file, 'utf8'), 'first\n');
      await rm(file);
    } finally {
      await client.close();
    }
  };

  test('in a folder: made by --portable, found from then on, and everything is in it', async () => {
    const first = await start(plain(), ['--portable']);
    assert.ok(first.stdout.includes(`Portable  ${data()} (nothing is kept on this computer)`), first.stdout);
    await wholeJob(first.url);
    const status = await command(plain(), ['status', '--port', String(first.port)]);
    assert.match(status.stdout, new RegExp(`Portable  ${data()}\n`));
    await stop();
    for (const name of ['portable.json', 'state.db', 'blobs', 'audit/audit.jsonl', 'bin'])
      await lstat(data(name));
    assert.equal((await lstat(data())).mode & 0o777, 0o700);

    const second = await start(plain());
    assert.ok(second.stdout.includes(`Portable  ${data()}`), second.stdout);
    await wholeJob(second.url);
    await stop();
    assert.match((await command(plain(), ['history'])).stdout, /write_file/);
    assert.match((await command(plain(), ['log'])).stdout, /apply_patch/);
    assert.match((await command(plain(), ['doctor'])).stdout, new RegExp(`state +portable: ${data()}`));
  });

  test('a killed server leaves no temporary folder for longer than until the next start', async (context) => {
    if (mounts !== undefined) return context.skip(mounts);
    const readOnly = readOnlyAt(stick, plain());
    const first = await start(readOnly, ['--portable']);
    assert.equal((await readdir(temporary)).length, 1);
    process.kill(first.pid, 'SIGKILL');
    await first.exited;
    server = undefined;
    const left = await readdir(temporary);
    assert.equal(left.length, 1, 'nobody could remove it');
    const second = await start(readOnly, ['--portable']);
    await succeedSoon(async () => assert.ok(!(await readdir(temporary)).includes(left[0]!)));
    await stop();
    assert.equal((await second.exited) ?? 0, 0);
  });

  test('one that ran something is cleaned up after at once, be it killed', async (context) => {
    if (mounts !== undefined) return context.skip(mounts);
    const running = await start(readOnlyAt(stick, plain()), ['--portable']);
    const client = await connect('v1', { url: running.url });
    await succeed(client)('git_status', { path: repository });
    await client.close();
    assert.equal((await readdir(temporary)).length, 1);
    process.kill(running.pid, 'SIGKILL');
    await running.exited;
    server = undefined;
    await succeedSoon(async () => assert.deepEqual(await readdir(temporary), []));
  });

  for (const hasData of [true, false]) {
    test(`read-only, ${hasData ? 'with a data folder' : 'without a data folder'}`, async (context) => {
      if (mounts !== undefined) return context.skip(mounts);
      if (hasData) {
        assert.equal((await command(plain(), ['token', 'list', '--portable'])).code, 0);
        await writeFile(data('config.json'), JSON.stringify({ workspace: [repository], yield: 9000 }));
      }
      const stickBefore = await snapshot(stick);
      const program = readOnlyAt(stick, plain());
      const running = await start(program, hasData ? [] : ['--portable'], hasData ? home : repository);
      assert.ok(
        running.stdout.includes(
          `Portable  ${data()} cannot be written: history, audit log, logins and logs of this run are not kept`,
        ),
        running.stdout,
      );
      assert.ok(running.stdout.includes(`Folder    ${repository}\n`), 'config.json is read');
      await wholeJob(running.url);
      await stop();
      assert.deepEqual(await snapshot(stick), stickBefore);
      const token = await command(program, ['token', 'list', '--portable']);
      assert.equal(token.code, 1);
      assert.match(token.stderr, /cannot be written, so nothing is kept there/);
      const doctor = await command(program, ['doctor', '--portable']);
      if (hasData) assert.match(doctor.stdout, /warn +state +portable: .* cannot be written \(EROFS\)/);
      assert.match(doctor.stdout, /ok +ripgrep +ripgrep \d/);
    });
  }

  test('a data folder from which no program can be started', async (context) => {
    if (mounts !== undefined) return context.skip(mounts);
    assert.equal((await command(plain(), ['token', 'list', '--portable'])).code, 0);
    const program = mountedAt(data(), data(), 'noexec', plain());
    const running = await start(program);
    assert.match(running.stdout, /no program can be started from there: they run from a temporary folder/);
    await wholeJob(running.url);
    await stop();
    assert.match((await command(program, ['doctor'])).stdout, /ok +ripgrep +ripgrep \d/);
    assert.match((await command(program, ['history'])).stdout, /write_file/);
  });

  test('a stick from which no program can be started: the bundle does the job', async (context) => {
    if (mounts !== undefined) return context.skip(mounts);
    await copyFile(BUNDLE, join(stick, 'local-coder.cjs'));
    const bundle = { command: process.execPath, args: [join(stick, 'local-coder.cjs')] };
    const running = await start(mountedAt(stick, stick, 'noexec', bundle), ['--portable']);
    assert.match(running.stdout, /no program can be started from there/);
    await mainJob('v2 auto', { url: running.url }, repository, `portable-${++job}`);
    await stop();
    await lstat(data('state.db'));
  });

  test('another mount point: the history of the folders on the stick is found again', async () => {
    const project = join(stick, 'projects', 'app');
    await mkdir(project, { recursive: true });
    const first = await start(plain(), ['--portable'], project);
    const client = await connect('v1', { url: first.url });
    await succeed(client)('write_file', { path: 'notes/a.txt', content: 'one\n' });
    await succeed(client)('write_file', { path: 'notes/a.txt', content: 'two\n' });
    await client.close();
    await stop();

    const elsewhere = join(dirname(stick), 'other name');
    await rename(stick, elsewhere);
    stick = elsewhere;
    const moved = join(stick, 'projects', 'app');
    const second = await start(plain(), [], moved);
    const again = await connect('v1', { url: second.url });
    try {
      const list = await succeed(again)('rewind', { action: 'list' });
      assert.equal((list.data['checkpoints'] as unknown[]).length, 2);
      await undoLast(again);
      assert.equal(await readFile(join(moved, 'notes', 'a.txt'), 'utf8'), 'one\n');
    } finally {
      await again.close();
    }
    await stop();
  });

  test('a folder that is not ours is told and not used', async () => {
    await mkdir(data());
    await writeFile(data('config.json'), '{"tools":"viewer"}');
    const named = await command(plain(), ['token', 'list', '--portable']);
    assert.equal(named.code, 2);
    assert.match(named.stderr, /was not made by this program/);
    const doctor = await command(plain(), ['doctor', '--state-dir', join(stick, 'named')]);
    assert.doesNotMatch(doctor.stdout, /portable:/);
    assert.deepEqual(await readdir(data()), ['config.json']);
  });
});

/** Takes the newest change back. */
async function undoLast(client: TestClient): Promise<void> {
  const { data } = await succeed(client)('rewind', { action: 'list' });
  const [newest] = data['checkpoints'] as { checkpoint_id: string }[];
  await succeed(client)('rewind', { action: 'restore', checkpoint_id: newest?.checkpoint_id });
}

/** The program in a mount namespace of its own, in which `from` is also to be found at `to`, with options. */
function mountedAt(from: string, to: string, options: string, program: Command): Command {
  const script = `mount --bind "$1" "$2" && mount -o remount,bind,${options} "$2" && shift 2 && exec "$@"`;
  const asRoot = process.getuid?.() === 0 ? [] : ['-r'];
  return {
    command: 'unshare',
    args: [...asRoot, '-m', 'sh', '-c', script, 'sh', from, to, program.command, ...program.args],
  };
}

function readOnlyAt(folder: string, program: Command): Command {
  return mountedAt(folder, folder, 'ro', program);
}

/** @returns why not, for the skip */
async function mountsAreRefused(folder: string): Promise<string | undefined> {
  const probe = readOnlyAt(folder, { command: 'true', args: [] });
  return run(probe.command, probe.args).then(
    () => undefined,
    () => 'mounting is not permitted here',
  );
}

/** Names, kinds, modes, times and contents of everything below a folder. */
async function snapshot(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of ['.', ...(await readdir(folder, { recursive: true })).sort()]) {
    const path = join(folder, entry);
    const stats = await lstat(path);
    const content = stats.isSymbolicLink()
      ? await readlink(path)
      : stats.isFile()
        ? createHash('sha256')
            .update(await readFile(path))
            .digest('hex')
        : '';
    found[entry] = `${stats.mode.toString(8)} ${stats.mtimeMs} ${content}`;
  }
  return found;
}

/** Tries until it holds. */
async function succeedSoon(look: () => Promise<void>): Promise<void> {
  const untilMs = Date.now() + 5_000;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (Date.now() > untilMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
