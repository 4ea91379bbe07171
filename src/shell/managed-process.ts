import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { CodedError, systemCode } from '../runtime/errors.ts';
import { isWindows } from '../runtime/platform.ts';
import { groupIsAlive, listTree, MARKER_VARIABLE, stopTree } from '../runtime/process-tree.ts';
import { OutputLog } from './output-log.ts';

/** What a timer can count, 24 days; nothing that runs longer needs a limit to end it. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Who started it decides how long it is kept and what its answer says. */
export type ProcessKind = 'command' | 'process' | 'program';

export interface LaunchRequest {
  readonly id: string;
  readonly kind: ProcessKind;
  /** As shown to people; never parsed. */
  readonly command: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly name?: string;
  readonly shellName?: string;
  /** Path without extension; `.out` and `.err` are added. */
  readonly logPath: string;
  /** One log for both streams, in the order of writing. */
  readonly mergeStderr?: boolean;
  /** Gives the process a stdin that `write` feeds; otherwise it is closed. */
  readonly openStdin?: boolean;
  readonly markerPrefix: string;
  /** Windows only: the arguments are quoted already (cmd). */
  readonly verbatimArguments?: boolean;
}

export interface ProcessExit {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly endedAtMs: number;
}

/** How a running process is fed and ended; a child of ours or a pseudo-terminal. */
export interface ProcessControl {
  readonly pid: number;
  write(text: string): Promise<void>;
  closeInput(): void;
}

/** One process tree that this server started, with its output on disk. */
export class ManagedProcess {
  readonly id: string;
  readonly kind: ProcessKind;
  readonly command: string;
  readonly cwd: string;
  readonly name: string | undefined;
  readonly shellName: string | undefined;
  readonly marker: string;
  readonly stdout: OutputLog;
  /** Undefined when both streams share one log. */
  readonly stderr: OutputLog | undefined;
  readonly startedAtMs = Date.now();
  readonly acceptsInput: boolean;
  /** Settles when the process itself has ended, whatever it left running. */
  readonly ended: Promise<ProcessExit>;
  exit: ProcessExit | undefined;
  timedOut = false;
  /** Somebody asked for its end: its exit code says nothing, its shell state is not kept. */
  stopped = false;
  /** The process ended but others of its group go on (`server &`). */
  leftBackground = false;
  #control: ProcessControl | undefined;
  #settle: (exit: ProcessExit) => void = () => {};
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(request: Omit<LaunchRequest, 'file' | 'args' | 'env'>) {
    this.id = request.id;
    this.kind = request.kind;
    this.command = request.command;
    this.cwd = request.cwd;
    this.name = request.name;
    this.shellName = request.shellName;
    this.marker = request.markerPrefix + request.id;
    this.stdout = new OutputLog(`${request.logPath}.out`);
    this.stderr = request.mergeStderr ? undefined : new OutputLog(`${request.logPath}.err`);
    this.acceptsInput = request.openStdin === true;
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  get pid(): number | undefined {
    return this.#control?.pid;
  }

  get running(): boolean {
    return this.exit === undefined;
  }

  get durationMs(): number {
    return (this.exit?.endedAtMs ?? Date.now()) - this.startedAtMs;
  }

  /** Called once by whoever started it. */
  attach(control: ProcessControl): void {
    this.#control = control;
  }

  /** Called once when it ended. */
  finish(code: number | null, signal: string | null): void {
    if (this.exit) return;
    clearTimeout(this.#timer);
    const exit = { code, signal, endedAtMs: Date.now() };
    this.exit = exit;
    this.leftBackground = this.#control !== undefined && groupIsAlive(this.#control.pid);
    if (!this.leftBackground) this.#settle(exit);
    else this.refreshBackground().finally(() => this.#settle(exit));
  }

  /** Looks again whether the background that it left is still there; a group of zombies is not. */
  async refreshBackground(): Promise<void> {
    const pid = this.pid;
    if (!this.leftBackground || pid === undefined) return;
    this.leftBackground = groupIsAlive(pid) && (await listTree({ pid })).length > 0;
  }

  /** Ends the tree after this time; the only thing that kills without being asked at that moment. */
  limitTime(timeoutMs: number): void {
    // A longer timer would fire at once.
    if (timeoutMs > MAX_TIMER_MS) return;
    this.#timer = setTimeout(() => {
      this.timedOut = true;
      this.stop({ graceMs: 2000 }).catch(() => {});
    }, timeoutMs);
    this.#timer.unref();
  }

  /**
   * Ends the tree, and what it left in the background.
   * @returns pids that could not be killed
   */
  async stop(options: { readonly graceMs: number }): Promise<number[]> {
    if (this.running) this.stopped = true;
    const pid = this.pid;
    const known = pid !== undefined && (this.running || this.leftBackground);
    const left = await stopTree({ marker: this.marker, ...(known ? { pid } : {}) }, options);
    // The exit event of a killed child may come a moment after the process is gone from the table.
    if (left.length === 0) await this.ended;
    await this.refreshBackground();
    return left;
  }

  /** @throws {CodedError} INVALID_PARAMS when its stdin is closed or it ended */
  async write(text: string): Promise<void> {
    if (!this.running) {
      throw new CodedError(
        'INVALID_PARAMS',
        `Process ${this.id} has ended and reads no input.`,
        `Read what it printed with process_output {"id":"${this.id}"}.`,
      );
    }
    if (!this.acceptsInput || !this.#control) {
      throw new CodedError(
        'INVALID_PARAMS',
        `Process ${this.id} was started by run_command, whose stdin is closed.`,
        'Start it with start_process to feed its stdin, or give the input in the command: a here-document, a pipe, a flag such as --yes.',
      );
    }
    await this.#control.write(text);
  }

  closeInput(): void {
    this.#control?.closeInput();
  }
}

/**
 * Starts a program whose output goes straight into log files.
 * @throws {CodedError} when it cannot be started
 */
export async function launch(request: LaunchRequest): Promise<ManagedProcess> {
  const managed = new ManagedProcess(request);
  const [out, err] = await Promise.all([
    open(managed.stdout.path, 'ax', 0o600),
    managed.stderr ? open(managed.stderr.path, 'ax', 0o600) : undefined,
  ]).catch((error: unknown) => {
    throw stateFolderError(error);
  });
  try {
    const child = spawn(request.file, request.args, {
      cwd: request.cwd,
      env: { ...request.env, [MARKER_VARIABLE]: managed.marker },
      stdio: [request.openStdin ? 'pipe' : 'ignore', out.fd, err?.fd ?? out.fd],
      // A session of its own: no terminal to prompt on, and a group that can be ended as a whole.
      detached: !isWindows,
      windowsHide: true,
      windowsVerbatimArguments: request.verbatimArguments === true,
    });
    await started(child);
    managed.attach(childControl(child));
    child.once('exit', (code, signal) => managed.finish(code, signal));
    if (child.exitCode !== null || child.signalCode !== null)
      managed.finish(child.exitCode, child.signalCode);
    return managed;
  } catch (error) {
    await Promise.all([managed.stdout.remove(), managed.stderr?.remove()]);
    throw startError(request, error);
  } finally {
    // The process has its own descriptors; ours would only run out.
    Promise.all([out.close(), err?.close()]).catch(() => {});
  }
}

function started(child: ChildProcess): Promise<void> | undefined {
  // Node reports a failed start by an event on the next tick, and then there is no pid.
  if (child.pid !== undefined) {
    child.on('error', () => {});
    return undefined;
  }
  return new Promise((_resolve, reject) => child.once('error', reject));
}

function childControl(child: ChildProcess): ProcessControl {
  // A process that ends without reading its input breaks the pipe; its exit code tells the story.
  child.stdin?.on('error', () => {});
  return {
    pid: child.pid ?? -1,
    write: (text) =>
      new Promise((resolve, reject) => {
        const input = child.stdin;
        if (!input?.writable) return reject(inputClosed());
        // A program that does not read must not hold the call: what the pipe cannot take waits in memory.
        if (input.writableLength > 1024 * 1024) return reject(inputFull());
        input.write(text);
        resolve();
      }),
    closeInput: () => child.stdin?.end(),
  };
}

function inputClosed(): CodedError {
  return new CodedError('INVALID_PARAMS', 'The input of this process is closed.', 'Start the process again.');
}

function inputFull(): CodedError {
  return new CodedError(
    'BUSY',
    'The process does not read its input; more than 1 MiB is waiting.',
    'Look at its output with process_output, or end it with stop_process.',
  );
}

/** What keeps the state folder from taking a file, said so that it can be helped. */
export function stateFolderError(error: unknown): unknown {
  const code = systemCode(error);
  if (code === undefined || error instanceof CodedError) return error;
  const hints: Readonly<Record<string, string>> = {
    ENOSPC: 'Free some space; clear_processes removes the logs of finished processes.',
    EDQUOT: 'Free some space; clear_processes removes the logs of finished processes.',
  };
  return new CodedError(
    code in hints ? 'DISK_FULL' : 'PERMISSION_DENIED',
    `The state folder, where output is kept, takes no file (${code}).`,
    hints[code] ?? 'Restart the server, with --state-dir if the folder may not be written to.',
  );
}

function startError(request: LaunchRequest, error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  const code = systemCode(error);
  if (code === 'E2BIG') {
    return new CodedError(
      'TOO_LARGE',
      'The command and its environment are too large for this system to start.',
      'Put the text into a file with write_file and run the file.',
    );
  }
  if (code === 'EAGAIN' || code === 'EMFILE' || code === 'ENFILE') {
    return new CodedError(
      'BUSY',
      `The system has no room for another process (${code}).`,
      'Stop some with stop_process (process_status lists them), then try again.',
    );
  }
  return new CodedError(
    code === 'EACCES' ? 'PERMISSION_DENIED' : 'COMMAND_NOT_FOUND',
    `"${request.file}" could not be started in ${request.cwd} (${code ?? String(error)}).`,
    'Check that the folder exists and the program is installed.',
  );
}
