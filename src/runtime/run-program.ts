import { type ChildProcess, spawn } from 'node:child_process';
import { CodedError, systemCode } from './errors.ts';
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
      env: options.env,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      windowsHide: true,
      // Its own process group, so that helpers of helpers (git's filters and hooks) end with it.
      detached: !isWindows,
    });
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
            killGroup(child);
          }, options.timeoutMs);
    const onAbort = () => killGroup(child);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    const stop = () => {
      truncated = true;
      killGroup(child);
    };

    child.stdout?.on('data', (chunk: Buffer) => {
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
      if (errorBytes >= MAX_STDERR_BYTES) return;
      errorChunks.push(chunk.subarray(0, MAX_STDERR_BYTES - errorBytes));
      errorBytes += chunk.length;
    });
    // A program that exits without reading its input breaks the pipe; its exit code tells the story.
    child.stdin?.on('error', () => {});
    if (options.input !== undefined) child.stdin?.end(options.input);

    const settle = (act: () => void) => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
      act();
    };
    child.once('error', (error) => settle(() => reject(startError(file, error))));
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

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (isWindows) child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
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
