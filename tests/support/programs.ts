/** Starts the real program, in each of the shapes in which it is used, for end-to-end tests. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { BUNDLE, EXECUTABLE, ensureBuilt, ROOT } from './built.ts';

/** The sources under Node, the bundle under Node, the single executable, the sources under Deno. */
export type Shape = 'source' | 'bundle' | 'executable' | 'deno';

const ALL_SHAPES: readonly Shape[] = ['source', 'bundle', 'executable', 'deno'];

/** The shapes that an end-to-end test covers: all with `npm run test:full`, else the sources. */
export function shapesUnderTest(): readonly Shape[] {
  return process.env['LOCAL_CODER_TEST_FULL'] === '1' ? ALL_SHAPES : ['source'];
}

export interface Command {
  /** Absolute path. */
  readonly command: string;
  readonly args: string[];
}

/** How to run the program with the given arguments; builds dist/ first where the shape needs it. */
export async function programCommand(shape: Shape, args: readonly string[] = []): Promise<Command> {
  const main = join(ROOT, 'src/main.ts');
  switch (shape) {
    case 'source':
      return { command: process.execPath, args: [main, ...args] };
    case 'bundle':
      await ensureBuilt();
      return { command: process.execPath, args: [BUNDLE, ...args] };
    case 'executable':
      await ensureBuilt();
      return { command: EXECUTABLE, args: [...args] };
    case 'deno':
      return { command: denoFile(), args: ['run', '-A', '--no-remote', main, ...args] };
  }
}

/** How an MCP client starts the program over stdio. */
export function stdioCommand(shape: Shape, args: readonly string[] = []): Promise<Command> {
  return programCommand(shape, ['--stdio', ...args]);
}

export interface StartOptions {
  /** Default `source`. */
  readonly shape?: Shape;
  /** Another file or copy of the program, in the place of a shape; the arguments come after its own. */
  readonly program?: Command;
  /** Arguments; `--port 0` is added where they name no port. */
  readonly args?: readonly string[];
  /** Merged into this process's environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Working folder, and so the served folder where `args` name none. */
  readonly cwd?: string;
}

export interface RunningServer {
  /** `http://127.0.0.1:PORT/mcp` */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Settles when the process has ended, with its exit code (null: by a signal). */
  readonly exited: Promise<number | null>;
  /** Ends it politely and waits for it. @throws when it must be killed after 10 s */
  stop(): Promise<number | null>;
}

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 10_000;

/** Children that still run; killed when the test process ends before its `stop()` calls were reached. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts the server and waits until it prints its address. @throws with its output when it does not */
export async function startServer(options: StartOptions = {}): Promise<RunningServer> {
  const given = options.args ?? [];
  const namesPort = given.some((argument) => /^--port(=|$)/.test(argument));
  const started = await start({ ...options, args: namesPort ? given : [...given, '--port', '0'] });
  const port = await printedPort(started);
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    port,
    pid: started.child.pid ?? -1,
    get stdout() {
      return started.output.stdout;
    },
    get stderr() {
      return started.output.stderr;
    },
    exited: started.exited,
    stop: () => stop(started),
  };
}

/** Runs a command that ends by itself (`--version`, `status`, wrong usage). */
export async function runToEnd(
  options: StartOptions = {},
): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const started = await start(options);
  const timer = setTimeout(() => started.child.kill('SIGKILL'), START_LIMIT_MS);
  try {
    const exitCode = await started.exited;
    return { exitCode, ...started.output };
  } finally {
    clearTimeout(timer);
  }
}

/** The environment of a started program: this process's (isolated by tests/run.ts) with changes. */
export function programEnvironment(changes: StartOptions['env'] = {}): NodeJS.ProcessEnv {
  return {
    ...process.env,
    // A test runner that a tool starts would otherwise take itself for a part of this one.
    NODE_TEST_CONTEXT: undefined,
    // Deno keeps what it compiled; in the isolated home it would start from nothing in every test file.
    DENO_DIR: process.env['DENO_DIR'] ?? join(ROOT, '.cache/deno'),
    DENO_NO_UPDATE_CHECK: '1',
    ...changes,
  };
}

interface Started {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  readonly exited: Promise<number | null>;
}

async function start(options: StartOptions): Promise<Started> {
  const { command, args } = options.program
    ? { command: options.program.command, args: [...options.program.args, ...(options.args ?? [])] }
    : await programCommand(options.shape ?? 'source', options.args);
  const child = spawn(command, args, {
    cwd: options.cwd ?? ROOT,
    env: programEnvironment(options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  });
  running.add(child);
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      output[name] += chunk;
    });
  }
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const forget = () => running.delete(child);
  exited.then(forget, forget);
  return { child, output, exited };
}

function printedPort({ child, output, exited }: Started): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (what: string) => reject(new Error(`${what} Output:\n${output.stdout}\n${output.stderr}`));
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`No address within ${START_LIMIT_MS / 1000} s.`);
    }, START_LIMIT_MS);
    const look = () => {
      const found = /http:\/\/[^\s/]+:(\d+)\/mcp/.exec(output.stdout + output.stderr);
      if (!found) return;
      clearTimeout(timer);
      for (const stream of [child.stdout, child.stderr]) stream?.off('data', look);
      resolve(Number(found[1]));
    };
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', look);
    exited
      .then((exitCode) => fail(`The program ended with ${exitCode} before it served.`), reject)
      .finally(() => clearTimeout(timer));
  });
}

async function stop({ child, output, exited }: Started): Promise<number | null> {
  if (running.has(child)) child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  const exitCode = await exited;
  clearTimeout(timer);
  if (child.signalCode === 'SIGKILL') {
    throw new Error(
      `Not ended within ${STOP_LIMIT_MS / 1000} s. Output:\n${output.stdout}\n${output.stderr}`,
    );
  }
  return exitCode;
}

/** The real Deno, not its npm wrapper: a signal to the wrapper would not reach it. */
function denoFile(): string {
  const target = `${process.platform}-${process.arch}${process.platform === 'linux' ? '-glibc' : ''}`;
  const require = createRequire(import.meta.url);
  const manifest = createRequire(require.resolve('deno/package.json')).resolve(
    `@deno/${target}/package.json`,
  );
  return join(manifest, '..', process.platform === 'win32' ? 'deno.exe' : 'deno');
}
