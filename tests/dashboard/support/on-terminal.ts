/** Runs the real program on a pseudo-terminal: some things are shown there alone. */
import { spawn } from '@lydell/node-pty';
import { programCommand, programEnvironment, type Shape } from '../../support/programs.ts';

export interface OnTerminal {
  /** Everything that was printed. */
  readonly text: string;
  readonly pid: number;
  /** Settles with the exit code. */
  readonly exited: Promise<number>;
  press(keys: string): void;
  stop(): Promise<number>;
}

const LIMIT_MS = 10_000;

export async function onTerminal(options: {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly shape?: Shape;
}): Promise<OnTerminal> {
  const { command, args } = await programCommand(options.shape ?? 'source', options.args);
  const terminal = spawn(command, args, {
    name: 'xterm-256color',
    // Wide enough that nothing wraps.
    cols: 400,
    rows: 60,
    cwd: options.cwd,
    env: Object.fromEntries(
      Object.entries({ ...programEnvironment(options.env), NO_COLOR: '1' }).filter(
        ([, value]) => value !== undefined,
      ),
    ) as Record<string, string>, // without the undefined ones
  });
  let text = '';
  terminal.onData((chunk) => {
    text += chunk;
  });
  const exited = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)));
  return {
    get text() {
      return text;
    },
    pid: terminal.pid,
    exited,
    press: (keys) => terminal.write(keys),
    async stop() {
      process.kill(terminal.pid, 'SIGTERM');
      const timer = setTimeout(() => process.kill(terminal.pid, 'SIGKILL'), LIMIT_MS);
      const exitCode = await exited;
      clearTimeout(timer);
      return exitCode;
    },
  };
}

/** The tokens of the links that were printed so far. */
export function linksIn(text: string): { url: string; token: string }[] {
  return [...text.matchAll(/(http:\/\/[^\s/]+)\/#login=([\w-]{43})/g)].map(([, url = '', token = '']) => ({
    url,
    token,
  }));
}
