import { type ChildProcess, spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { systemCode } from '../runtime/errors.ts';
import { isWindows } from '../runtime/platform.ts';
import { MARKER_VARIABLE, stopTree } from '../runtime/process-tree.ts';
import { endLeftovers, noteProgram } from './leftovers.ts';
import { OutputLines } from './output-lines.ts';
import { pause } from './pause.ts';
import { ProgramLog } from './program-log.ts';
import {
  type RunningTunnel,
  type TunnelAddress,
  type TunnelEnd,
  TunnelError,
  type TunnelName,
  type TunnelStartOptions,
  type TunnelStatus,
} from './types.ts';

/** What a line of a program's output means. */
export interface LineMeaning {
  /** The public origin, also when it has changed. */
  readonly origin?: string | undefined;
  /** It will not get better by trying again. */
  readonly error?: TunnelError | undefined;
  /** Undefined when the line says nothing of it. */
  readonly state?: 'connected' | 'reconnecting' | undefined;
  /** For the user while the address is waited for. */
  readonly progress?: string | undefined;
}

/** How a tunnel program is started and understood. */
export interface TunnelProgram {
  readonly name: TunnelName;
  /** Absolute path. */
  readonly file: string;
  readonly args: readonly string[];
  /** Windows: the arguments are put together as they are, for a program with quoting rules of its own (cmd). */
  readonly verbatimArguments?: boolean;
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Masked wherever the program prints them. */
  readonly secrets?: readonly string[];
  readonly readLine: (line: string) => LineMeaning | undefined;
  /** Asks the program for the public origin by another way than its output; undefined while it has none. */
  readonly askOrigin?: (signal: AbortSignal) => Promise<string | undefined>;
  /** Waits until an address that is known is served, where the program can tell. */
  readonly untilReady?: (signal: AbortSignal) => Promise<void>;
  /** Milliseconds from the start to the address. */
  readonly addressTimeoutMs?: number;
  /** What its end means; without it any end may go better next time. */
  readonly whyEnded?: (lines: string, exitCode: number | null) => TunnelError | undefined;
  /** Removes what was made for it; called once, when nothing of it runs any more. */
  readonly cleanUp?: () => Promise<void>;
}

const ADDRESS_TIMEOUT_MS = 60_000;
const ASK_EVERY_MS = 250;
const STOP_GRACE_MS = 3_000;
let started = 0;

/**
 * Starts a tunnel program and waits for its address.
 * @throws {TunnelError}, or the signal's reason; nothing is left running then
 */
export async function startProgramTunnel(
  program: TunnelProgram,
  { signal, onProgress }: TunnelStartOptions,
): Promise<RunningTunnel> {
  signal.throwIfAborted();
  const folder = dirname(program.logFile);
  await endLeftovers(folder).catch(() => {});
  signal.throwIfAborted();
  const log = await ProgramLog.open(program.logFile, program.secrets ?? []);
  const running = new RunningProgram(program, log);
  void running.note(folder);
  const onAbort = () => running.giveUp(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    onProgress(`${program.name}: waiting for an address`);
    running.onProgress = (message) => onProgress(`${program.name}: ${message}`);
    const first = running.firstOrigin;
    await running.untilReady(program.addressTimeoutMs ?? ADDRESS_TIMEOUT_MS, first);
    return running;
  } catch (error) {
    await running.stop();
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

class RunningProgram implements RunningTunnel {
  readonly ended: Promise<TunnelEnd>;
  readonly firstOrigin: Promise<string>;
  onProgress: (message: string) => void = () => {};
  readonly #program: TunnelProgram;
  readonly #log: ProgramLog;
  readonly #child: ChildProcess;
  readonly #marker = `tunnel.${process.pid}.${++started}`;
  readonly #over = new AbortController();
  readonly #lines: string[] = [];
  #origin: string | undefined;
  #state: TunnelStatus['state'] = 'connecting';
  #message: string | undefined;
  #foundOrigin: (origin: string) => void = () => {};
  #failedStart: (reason: unknown) => void = () => {};
  #end: (end: TunnelEnd) => void = () => {};
  #stopping: Promise<void> | undefined;
  #forget: Promise<() => Promise<void>> | undefined;
  /** A second Ctrl-C ends this process at once: nothing that waits is done any more, but this is. */
  readonly #onProcessExit = () => {
    try {
      if (this.#child.pid !== undefined)
        process.kill(isWindows ? this.#child.pid : -this.#child.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  };
  #hasEnded = false;

  constructor(program: TunnelProgram, log: ProgramLog) {
    this.#program = program;
    this.#log = log;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.firstOrigin = new Promise((resolve, reject) => {
      this.#foundOrigin = resolve;
      this.#failedStart = reject;
    });
    this.firstOrigin.catch(() => {}); // whoever started it is told by untilReady
    this.#child = spawn(program.file, [...program.args], {
      cwd: isWindows ? undefined : '/',
      env: { ...program.env, [MARKER_VARIABLE]: this.#marker },
      // ssh ends its session when its input ends; nothing is ever written to it.
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
      windowsVerbatimArguments: program.verbatimArguments ?? false,
      // Its own group: a Ctrl-C on the terminal reaches us, and we end the whole tree.
      detached: !isWindows,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      const lines = new OutputLines((line) => this.#onLine(line));
      stream?.on('data', (chunk: Buffer) => lines.add(chunk));
      stream?.once('end', () => lines.end());
    }
    this.#child.stdin?.on('error', () => {});
    this.#child.once('error', (error) => this.#onStartError(error));
    this.#child.once('exit', (code) => void this.#onExit(code));
    process.once('exit', this.#onProcessExit);
  }

  get address(): TunnelAddress {
    return { kind: 'url', origin: this.#origin ?? '' };
  }

  status(): TunnelStatus {
    return { state: this.#hasEnded ? 'ended' : this.#state, message: this.#message };
  }

  /** Leaves a note for the next start, should this process be killed. */
  async note(folder: string): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined) return;
    this.#forget = noteProgram(folder, { pid, marker: this.#marker });
    await this.#forget.catch(() => {});
  }

  /** Waits for the address and for the program's word that it is served. */
  async untilReady(timeoutMs: number, firstOrigin: Promise<string>): Promise<void> {
    const over = this.#over.signal;
    const timer = setTimeout(() => this.giveUp(this.#tooSlow(timeoutMs)), timeoutMs);
    try {
      void this.#ask();
      this.#setOrigin(await firstOrigin);
      if (this.#program.untilReady) {
        this.onProgress('the address is known, connecting');
        const failed = new Promise<never>((_, reject) => {
          over.addEventListener('abort', () => reject(over.reason), { once: true });
        });
        await Promise.race([this.#program.untilReady(over), failed]);
      }
      over.throwIfAborted();
      this.#state = 'connected';
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the wait for an address, with the reason. */
  giveUp(reason: unknown): void {
    this.#failedStart(reason);
    if (!this.#over.signal.aborted) this.#over.abort(reason);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop({ reason: 'stopped' });
    return this.#stopping;
  }

  async #stop(end: TunnelEnd): Promise<void> {
    if (!this.#over.signal.aborted) this.#over.abort(new Error('stopped'));
    await stopTree({ pid: this.#child.pid, marker: this.#marker }, { graceMs: STOP_GRACE_MS });
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) stream?.destroy();
    process.removeListener('exit', this.#onProcessExit);
    await (await this.#forget?.catch(() => undefined))?.();
    await this.#program.cleanUp?.().catch(() => {});
    await this.#log.close();
    this.#hasEnded = true;
    this.#end(end);
  }

  async #ask(): Promise<void> {
    const ask = this.#program.askOrigin;
    const signal = this.#over.signal;
    while (ask !== undefined && this.#origin === undefined && !signal.aborted) {
      const origin = await ask(signal).catch(() => undefined);
      if (origin !== undefined) this.#setOrigin(origin);
      else await pause(ASK_EVERY_MS, signal);
    }
  }

  #onLine(line: string): void {
    const kept = this.#log.add(line);
    this.#lines.push(kept);
    if (this.#lines.length > 200) this.#lines.shift();
    const meaning = this.#program.readLine(line);
    if (meaning === undefined) return;
    if (meaning.origin !== undefined) this.#setOrigin(meaning.origin);
    if (meaning.progress !== undefined && this.#origin === undefined) this.onProgress(meaning.progress);
    if (meaning.state !== undefined && this.#state !== 'connecting') {
      this.#state = meaning.state;
      this.#message = meaning.state === 'connected' ? undefined : kept.trim().slice(0, 300);
    }
    if (meaning.error !== undefined) this.#endWith(meaning.error);
  }

  #setOrigin(origin: string): void {
    this.#origin = origin;
    this.#foundOrigin(origin);
  }

  #onStartError(error: Error): void {
    const code = systemCode(error);
    const missing = code === 'ENOENT';
    this.#endWith(
      new TunnelError(
        missing ? 'missing-program' : 'failed',
        `${this.#program.file} could not be started (${code ?? error.message}).`,
        'Check that the file exists, belongs to this platform and may be executed; --tunnel-bin names another one.',
      ),
    );
  }

  async #onExit(code: number | null): Promise<void> {
    // What it printed last may still be in the pipe, which a child of it can hold open for ever.
    await pause(100, this.#over.signal);
    const lines = this.#lines.join('\n');
    const known = this.#program.whyEnded?.(lines, code);
    const how = code === null ? 'was killed' : `ended with exit code ${code}`;
    const { name } = this.#program;
    this.#endWith(
      known ?? new TunnelError('failed', `${name}: the program ${how}.`, `Its log: ${this.#log.file}`),
    );
  }

  #endWith(error: TunnelError): void {
    const withTail = new TunnelError(
      error.reason,
      error.message,
      error.hint,
      error.logTail ?? this.#log.tail,
    );
    this.giveUp(withTail);
    this.#stopping ??= this.#stop({ reason: 'error', error: withTail });
  }

  #tooSlow(timeoutMs: number): TunnelError {
    return new TunnelError(
      'failed',
      `${this.#program.name}: the program gave no address within ${Math.ceil(timeoutMs / 1000)} s.`,
      `Its log: ${this.#log.file}`,
      this.#log.tail,
    );
  }
}
