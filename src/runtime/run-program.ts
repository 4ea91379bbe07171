import { type ChildProcess, spawn } from 'node:child_process';
import { CodedError, systemCode } from './errors.ts';
import { helperEnvironment, noticeHelper } from './long-helpers.ts';
import { isWindows } from './platform.ts';

export interface RunProgramOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Bytes for stdin; without it stdin is closed. */
  readonly input?: string | Uint8Array;
  /** Killed after this time; the result says `timedOut`. */
  readonly timeoutMs?: number;
  /** Bytes of stdout kept; when more come the program is killed and the result says `truncated`. Default 64 MiB. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  /** Called for every stdout chunk; returning false stops the program early (the result says `truncated`). */
  readonly onStdout?: (chunk: Buffer) => boolean | undefined;
  /**
   * Ends it with SIGTERM first and by force after this time, so that it can remove its lock files. Without it the
   * program is killed at once.
   */
  readonly politeMs?: number;
  /**
   * Resolve soon after the program itself has exited, although something that it left in the background (a
   * credential daemon, an ssh master connection, a hook's own child) still holds its output open.
   */
  readonly exitIsEnd?: boolean;
}

export interface ProgramResult {
  /** Null when a signal ended it (also when this function killed it). */
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  /** At most 64 KiB, the rest is dropped. */
  readonly stderr: string;
  readonly truncated: boolean;
  readonly timedOut: boolean;
}

const MAX_STDERR_BYTES = 64 * 1024;
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;

/**
 * Runs one program without a shell and collects bounded output. For short-lived helpers (git, ripgrep); what a
 * user or a model starts goes through the shell domain instead.
 *
 * @param file absolute path (see which.ts): a bare name could be found in the current folder on Windows
 * @throws {CodedError} COMMAND_NOT_FOUND when the file cannot be started; the signal's reason when aborted
 */
export function runProgram(
  file: string,
  args: readonly string[],
  options: RunProgramOptions,
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    options.signal?.throwIfAborted();
    const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: helperEnvironment(options.env),
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      windowsHide: true,
      // Its own process group, so that helpers of helpers (git's filters and hooks) end with it.
      detached: !isWindows,
    });
    noticeHelper(child);
    const chunks: Buffer[] = [];
    const errorChunks: Buffer[] = [];
    let bytes = 0;
    let errorBytes = 0;
    let truncated = false;
    let timedOut = false;
    const timer =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            end();
          }, options.timeoutMs);
    let force: NodeJS.Timeout | undefined;
    const end = () => {
      if (options.politeMs === undefined || isWindows) return killGroup(child);
      killGroup(child, 'SIGTERM');
      force ??= setTimeout(() => killGroup(child), options.politeMs);
    };
    const onAbort = () => end();
    options.signal?.addEventListener('abort', onAbort, { once: true });
    const stop = () => {
      truncated = true;
      end();
    };

    let received = 0;
    child.stdout?.on('data', (chunk: Buffer) => {
      received++;
      if (truncated) return;
      if (options.onStdout) {
        if (options.onStdout(chunk) === false) stop();
        return;
      }
      const room = maxBytes - bytes;
      chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
      bytes += Math.min(chunk.length, room);
      if (chunk.length > room) stop();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      received++;
      if (errorBytes >= MAX_STDERR_BYTES) return;
      errorChunks.push(chunk.subarray(0, MAX_STDERR_BYTES - errorBytes));
      errorBytes += chunk.length;
    });
    // A program that exits without reading its input breaks the pipe; its exit code tells the story.
    child.stdin?.on('error', () => {});
    if (options.input !== undefined) child.stdin?.end(options.input);

    const settle = (act: () => void) => {
      clearTimeout(timer);
      clearTimeout(force);
      options.signal?.removeEventListener('abort', onAbort);
      act();
    };
    child.once('error', (error) => settle(() => reject(startError(file, error))));
    if (options.exitIsEnd) child.once('exit', () => closeWhenQuiet(child, () => received));
    child.once('close', (exitCode) =>
      settle(() => {
        if (options.signal?.aborted) return reject(options.signal.reason);
        resolve({
          exitCode,
          stdout: Buffer.concat(chunks),
          stderr: Buffer.concat(errorChunks).toString('utf8'),
          truncated,
          timedOut,
        });
      }),
    );
  });
}

/** Milliseconds without output after the exit that mean: what is still open belongs to somebody else. */
const QUIET_MS = 150;

/** Closes the output of an exited program once nothing more arrives, which makes Node emit `close`. */
function closeWhenQuiet(child: ChildProcess, received: () => number): void {
  const before = received();
  const timer = setTimeout(() => {
    // After a stalled turn the timer comes before the data that waits: let that in, then look.
    setImmediate(() => {
      if (received() !== before) return closeWhenQuiet(child, received);
      child.stdout?.destroy();
      child.stderr?.destroy();
    });
  }, QUIET_MS);
  child.once('close', () => clearTimeout(timer));
}

function killGroup(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): void {
  if (child.pid === undefined) return;
  try {
    if (isWindows) child.kill('SIGKILL');
    else process.kill(-child.pid, signal);
  } catch {
    // It ended by itself in the meantime.
  }
}

function startError(file: string, error: unknown): CodedError {
  const code = systemCode(error);
  return new CodedError(
    code === 'EACCES' ? 'PERMISSION_DENIED' : 'COMMAND_NOT_FOUND',
    `"${file}" could not be started (${code ?? String(error)}).`,
    'Check that the program is installed and may be executed, and that the folder still exists.',
  );
}
