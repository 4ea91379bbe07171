import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { programCommand, programEnvironment, type Shape } from '../../../support/programs.ts';
import { FakeRelay } from './fake-relay.ts';

/** A computer with a project, on which the program is run; everything is ended after the test. */
export interface Machine {
  readonly folder: string;
  readonly stateDir: string;
  readonly project: string;
  readonly relay: FakeRelay;
  /** Runs a command to its end, with these lines as its input. */
  run(args: readonly string[], input?: string): Promise<{ code: number | null; output: string }>;
  start(args: readonly string[]): Promise<Running>;
}

export interface Running {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exited: Promise<number | null>;
}

export async function machine(t: TestContext, shape: Shape): Promise<Machine> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'local-coder-machine-')));
  const [stateDir, project] = [join(folder, 'state'), join(folder, 'project')];
  await mkdir(project);
  await writeFile(join(project, 'hello.txt'), 'hello\n');
  const relay = await FakeRelay.start();
  const children: Running[] = [];
  t.after(async () => {
    for (const { child } of children) if (child.exitCode === null) child.kill('SIGKILL');
    await Promise.all(children.map(({ exited }) => exited));
    await relay.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  const start: Machine['start'] = async (args) => {
    const program = await programCommand(shape, [...args, '--state-dir', stateDir]);
    const child = spawn(program.command, program.args, {
      cwd: project,
      env: programEnvironment(),
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
      });
    }
    child.stdin.on('error', () => {});
    const exited = once(child, 'close').then(([code]) => code as number | null);
    const running = { child, output: () => output, exited };
    children.push(running);
    return running;
  };
  return {
    folder,
    stateDir,
    project,
    relay,
    start,
    async run(args, input = '') {
      const { child, output, exited } = await start(args);
      child.stdin?.end(input);
      return { code: await exited, output: output() };
    },
  };
}
