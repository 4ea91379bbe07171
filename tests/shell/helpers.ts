import { accessSync, constants, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  type CallLinks,
  type CommandRequest,
  type CommandResult,
  createShell,
  type Shell,
} from '../../src/shell/index.ts';

export const FULL = process.env['LOCAL_CODER_TEST_FULL'] === '1';

export interface TestShell {
  readonly shell: Shell;
  /** Folder that shells start in. */
  readonly root: string;
  readonly stateDir: string;
  run(
    command: string,
    options?: Partial<CommandRequest> & { links?: Partial<CallLinks> },
  ): Promise<CommandResult>;
  /** stdout of a command that must succeed. */
  out(command: string, options?: Partial<CommandRequest>): Promise<string>;
  /** A second server on the same state, after the first was closed. */
  restart(): Promise<TestShell>;
  close(): Promise<void>;
}

export interface TestShellOptions {
  readonly shell?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly shellTimeoutSeconds?: number;
  readonly home?: string;
}

/** A shell on temporary folders, with a clean home. */
export async function openShell(options: TestShellOptions = {}): Promise<TestShell> {
  const base = await realpath(await mkdtemp(join(tmpdir(), 'local-coder-shell-')));
  const root = join(base, 'root');
  const home = options.home ?? join(base, 'home');
  await mkdir(root);
  await mkdir(home, { recursive: true });
  const env = { PATH: process.env['PATH'], HOME: home, LANG: 'C.UTF-8', ...options.env };
  const remove = () => rm(base, { recursive: true, force: true });
  return open(base, root, env, options, remove);
}

async function open(
  base: string,
  root: string,
  env: NodeJS.ProcessEnv,
  options: TestShellOptions,
  remove: () => Promise<void>,
): Promise<TestShell> {
  const stateDir = join(base, 'state');
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const shell = createShell({
    stateDir,
    defaultShell: options.shell ?? 'bash',
    shellTimeoutSeconds: options.shellTimeoutSeconds,
    yieldMs: 20_000,
    env,
  });
  const run: TestShell['run'] = (command, { links: given, ...request } = {}) =>
    shell.runCommand({ command, root, ...request }, links(given));
  return {
    shell,
    root,
    stateDir,
    run,
    async out(command, request) {
      const result = await run(command, request);
      if (result.exitCode !== 0)
        throw new Error(`${command}: exit ${result.exitCode}\n${result.stdout}${result.stderr}`);
      return result.stdout;
    },
    async restart() {
      await shell.close({ graceMs: 500 });
      return open(base, root, env, options, remove);
    },
    async close() {
      await shell.close({ graceMs: 500 });
      await remove();
    },
  };
}

export function links(given: Partial<CallLinks> = {}): CallLinks {
  return {
    conversation: undefined,
    signal: new AbortController().signal,
    abandoned: new AbortController().signal,
    answerByMs: performance.now() + 40_000,
    progress: () => {},
    ...given,
  };
}

/** Waits until a condition holds; fails after `timeoutMs`. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Absolute path of a program on PATH. */
export function findProgram(name: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(':')) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // The next folder may have it.
    }
  }
  return undefined;
}

/** Middle of several measurements, in milliseconds. */
export async function p50(times: number, work: () => Promise<unknown>): Promise<number> {
  const spent: number[] = [];
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await work();
    spent.push(performance.now() - start);
  }
  return spent.sort((a, b) => a - b)[Math.floor(times / 2)] ?? Number.NaN;
}

/** True while a process runs; a zombie that nobody collected does not. */
export function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    if (process.platform !== 'linux') return true;
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

/** Bytes that are still referenced, after a collection: what grows here is kept, not merely not yet collected. */
export async function usedMemory(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  for (let round = 0; round < 3; round++) {
    if (typeof collect === 'function') collect();
    // What a buffer held is given back by a later turn.
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  // Not what is outside of the heap: the type stripper's memory comes and goes there.
  return process.memoryUsage().heapUsed;
}
