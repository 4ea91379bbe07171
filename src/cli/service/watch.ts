import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { EXIT, type ExitCode } from '../../config/usage-error.ts';
import { processStartTime } from '../../runtime/process-identity.ts';
import { BoundedLog } from './bounded-log.ts';
import { logFile, type ProcessId, removeRecord, serviceFolder, writeRecord } from './run-record.ts';

const RESTART_MS = 5_000;
/** The server's own end takes at most about 5 s. */
const STOP_MS = 15_000;
/** Another start mends neither wrong usage nor a folder that is gone. */
const FINAL: readonly (number | null)[] = [EXIT.ok, EXIT.usage, EXIT.nothingToServe];

export interface WatchOptions {
  readonly name: string;
  readonly stateDir: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Aborted when the service is to end. */
  readonly signal: AbortSignal;
  readonly restartMs?: number;
}

/**
 * Runs the server, keeps what it prints in a log of bounded size, and starts it again when it fails: what systemd does
 * by itself. The server has no terminal here, so it prints no secret.
 */
export async function watchServer(options: WatchOptions): Promise<ExitCode> {
  const { name, stateDir, command, args, signal, restartMs = RESTART_MS } = options;
  await mkdir(serviceFolder(stateDir), { recursive: true, mode: 0o700 });
  const log = new BoundedLog(logFile(stateDir, name));
  const watcher = await identity(process.pid);
  const note = (text: string) => log.write(`${new Date().toISOString()} service ${name}: ${text}\n`);
  try {
    for (;;) {
      note(`starting ${[command, ...args].join(' ')}`);
      const exitCode = await runOnce(options, log, async (pid) => {
        await writeRecord(stateDir, name, { watcher, server: await identity(pid) });
      });
      note(exitCode === null ? 'the server was killed' : `the server ended with exit code ${exitCode}`);
      if (signal.aborted) return EXIT.ok;
      if (FINAL.includes(exitCode)) return exitCode === 0 ? EXIT.ok : EXIT.failed;
      await delay(restartMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return EXIT.ok;
    }
  } finally {
    await removeRecord(stateDir, name);
  }
}

async function identity(pid: number): Promise<ProcessId> {
  return { pid, startTime: (await processStartTime(pid)) ?? '' };
}

async function runOnce(
  { command, args, signal }: WatchOptions,
  log: BoundedLog,
  onStart: (pid: number) => Promise<void>,
): Promise<number | null> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => log.write(chunk));
  const ended = new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      log.write(`${error.message}\n`);
      resolve(EXIT.failed);
    });
    child.once('exit', resolve);
  });
  const stop = () => void end(child);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (child.pid !== undefined) await onStart(child.pid);
    return await ended;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  await Promise.race([
    new Promise((resolve) => child.once('exit', resolve)),
    delay(STOP_MS, undefined, { ref: false }),
  ]);
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
}
