import { formatCursor, type Output, wholeOutput } from './answer.ts';
import type { ManagedProcess } from './managed-process.ts';
import type { ProcessTable } from './process-table.ts';
import type { CallLinks, CommandResult } from './types.ts';
import { allowedWaitMs, reportProgress, waitFor } from './wait.ts';

/** A result that nobody got waits this long for the caller's next try. */
const UNDELIVERED_MS = 10 * 60 * 1000;

/** One command or program that calls wait for. */
interface Run {
  readonly process: ManagedProcess;
  /** Settles when it ended and its shell's state was taken over. */
  readonly completed: Promise<void>;
  /** Its whole output, read while its state is being read; undefined when nobody waits. */
  readonly output: Promise<Output | undefined>;
  /** Calls that are waiting for it or reading its output. */
  waiters: number;
  /** An answer named its id: its output must stay readable. */
  idGiven: boolean;
}

/**
 * The answers of commands: a call waits for its command up to the yield time; the same call made again while the
 * command runs, or after its answer got lost, joins it instead of starting it twice.
 */
export class Runs {
  readonly #table: ProcessTable;
  readonly #byCall = new Map<string, Promise<Run>>();

  constructor(table: ProcessTable) {
    this.#table = table;
  }

  /**
   * @param callKey what makes two calls the same; undefined: never joined
   * @param again start a new one even so
   */
  async answer(
    callKey: string | undefined,
    again: boolean,
    start: () => Promise<{ process: ManagedProcess; completed: Promise<void> }>,
    yieldMs: number,
    links: CallLinks,
  ): Promise<CommandResult> {
    links.signal.throwIfAborted();
    const waitStartMs = performance.now();
    const earlier = again || callKey === undefined ? undefined : this.#byCall.get(callKey);
    const starting = earlier ?? start().then(newRun);
    if (!earlier && callKey !== undefined) this.#remember(callKey, starting);
    const run = await starting;
    run.waiters++;
    links.started?.(run.process.id);
    const stopReporting = reportProgress(run.process, links);
    try {
      const spentMs = performance.now() - waitStartMs;
      const end = await waitFor(run.completed, allowedWaitMs(Math.max(0, yieldMs - spentMs), links), links);
      stopReporting();
      if (end === 'cancelled') {
        // A joined command belongs to the call that started it as well: it ends with the last of them.
        if (run.waiters === 1) {
          if (callKey !== undefined) this.#forgetCall(callKey, starting);
          await run.process.stop({ graceMs: 1000 });
        }
        throw links.signal.reason;
      }
      const result = await compileResult(run, earlier !== undefined);
      const delivered = !links.abandoned.aborted;
      if (delivered && (result.running || result.truncated || result.leftBackground)) run.idGiven = true;
      if (delivered && !run.process.running && callKey !== undefined) this.#forgetCall(callKey, starting);
      return { ...result, kept: run.idGiven };
    } finally {
      stopReporting();
      run.waiters--;
      this.#dropIfDone(run, callKey, starting);
    }
  }

  #remember(callKey: string, starting: Promise<Run>): void {
    this.#byCall.set(callKey, starting);
    const expire = () => {
      const timer = setTimeout(() => this.#forgetCall(callKey, starting), UNDELIVERED_MS);
      timer.unref();
    };
    starting.then(
      (run) => {
        run.completed.then(() => {
          // Its yield was delivered with an id: the caller knows where to ask.
          if (run.idGiven) this.#forgetCall(callKey, starting);
          else expire();
        });
      },
      () => this.#forgetCall(callKey, starting),
    );
  }

  #forgetCall(callKey: string, starting: Promise<Run>): void {
    if (this.#byCall.get(callKey) !== starting) return;
    this.#byCall.delete(callKey);
    starting.then((run) => this.#dropIfDone(run, callKey, starting)).catch(() => {});
  }

  /** The answer had everything: neither the record nor the logs are needed any more. */
  #dropIfDone(run: Run, callKey: string | undefined, starting: Promise<Run>): void {
    if (run.process.running || run.waiters > 0 || run.idGiven || run.process.leftBackground) return;
    if (callKey !== undefined && this.#byCall.get(callKey) === starting) return;
    this.#table.forget(run.process).catch(() => {});
  }
}

function newRun(started: { process: ManagedProcess; completed: Promise<void> }): Run {
  const { process, completed } = started;
  const output = process.ended.then(() => (run.waiters > 0 ? wholeOutput(process) : undefined));
  output.catch(() => {});
  const run: Run = { process, completed, output, waiters: 0, idGiven: false };
  return run;
}

async function compileResult(run: Run, attached: boolean): Promise<CommandResult> {
  const { process } = run;
  let output = process.running ? await wholeOutput(process) : undefined;
  // What ended while its output was read is told as ended, and then with its last words.
  if (!process.running) output = await run.output;
  output ??= await wholeOutput(process);
  return {
    processId: process.id,
    command: process.command,
    cwd: process.cwd,
    running: process.running,
    exitCode: process.exit?.code ?? null,
    signal: process.exit?.signal ?? null,
    stdout: output.stdout,
    stderr: output.stderr,
    durationMs: process.durationMs,
    timedOut: process.timedOut,
    stopped: process.stopped && !process.timedOut,
    truncated: output.truncated,
    lossy: output.lossy,
    totalBytes: output.totalBytes,
    cursor: formatCursor(output.cursor, process),
    kept: true,
    leftBackground: process.leftBackground,
    attached,
  };
}
