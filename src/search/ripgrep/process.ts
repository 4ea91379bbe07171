import { spawn } from 'node:child_process';
import type { Confinement } from '../../access/sandbox/index.ts';
import { CodedError, systemCode } from '../../runtime/errors.ts';
import { helperEnvironment, noticeHelper } from '../../runtime/long-helpers.ts';
import type { Limits } from '../engine.ts';

const MAX_STDERR_BYTES = 64 * 1024;

export interface RipgrepProgram {
  /** Absolute. */
  readonly path: string;
  readonly confinement: Confinement | undefined;
}

export interface RipgrepEnd {
  /** 0 found, 1 nothing found, 2 an error (with or without findings), null when it was stopped. */
  readonly exitCode: number | null;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/**
 * Runs ripgrep and hands over its output as it comes. It has neither children nor anything to clean up, so that it
 * is killed at once and alone: no process group, which is what makes the start of a program cheap.
 *
 * @param onOutput returning false ends the program; what it printed further is dropped
 * @throws {CodedError} FILE_NOT_FOUND when the folder is gone; the signal's reason when aborted
 */
export async function runRipgrep(
  program: RipgrepProgram,
  args: readonly string[],
  folder: string,
  limits: Limits,
  onOutput: (chunk: Buffer) => boolean,
): Promise<RipgrepEnd> {
  // Nothing is begun for which there is no time left: how far it came would be a matter of luck.
  if (limits.deadlineMs <= performance.now()) return { exitCode: null, stderr: '', timedOut: true };
  const env = environment();
  // A folder that is swapped for a link while it is being searched leads nowhere where there is nothing else.
  const sandbox = await program.confinement?.orNone();
  const start = sandbox?.wrap(program.path, args, {
    cwd: folder,
    env,
    read: [program.path],
    rootsOnly: true,
  }) ?? { file: program.path, args, env };
  return new Promise((resolve, reject) => {
    limits.signal?.throwIfAborted();
    const child = spawn(start.file, start.args, {
      cwd: folder,
      env: helperEnvironment(start.env),
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
    noticeHelper(child);
    let stopped = false;
    let timedOut = false;
    let stderr = '';
    let failure: unknown;
    const stop = () => {
      stopped = true;
      child.kill('SIGKILL');
    };
    const timer = setTimeout(
      () => {
        timedOut = true;
        stop();
      },
      Math.max(limits.deadlineMs - performance.now(), 0),
    );
    limits.signal?.addEventListener('abort', stop, { once: true });
    child.stdout.on('data', (chunk: Buffer) => {
      if (stopped) return;
      try {
        if (!onOutput(chunk)) stop();
      } catch (error) {
        failure = error;
        stop();
      }
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (stderr.length < MAX_STDERR_BYTES) stderr += text;
    });
    const settle = (act: () => void) => {
      clearTimeout(timer);
      limits.signal?.removeEventListener('abort', stop);
      act();
    };
    child.once('error', (error) => settle(() => reject(startError(folder, error))));
    child.once('close', (exitCode) =>
      settle(() => {
        if (limits.signal?.aborted) reject(limits.signal.reason);
        else if (failure !== undefined) reject(failure);
        else resolve({ exitCode, stderr, timedOut });
      }),
    );
  });
}

/** What ripgrep may know: where the user's git excludes are. Above all not RIPGREP_CONFIG_PATH. */
function environment(): NodeJS.ProcessEnv {
  const names = ['HOME', 'USERPROFILE', 'XDG_CONFIG_HOME', 'SystemRoot', 'TMPDIR', 'TEMP'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

function startError(folder: string, error: unknown): Error {
  const code = systemCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new CodedError(
      'FILE_NOT_FOUND',
      `The folder "${folder}" or the search program is no longer there.`,
      'Look at the parent with list_directory and try again.',
    );
  }
  if (code === 'EACCES') {
    return new CodedError(
      'PERMISSION_DENIED',
      `The folder "${folder}" may not be entered.`,
      'Search another folder.',
    );
  }
  return error instanceof Error ? error : new Error(String(error));
}
