import type { Worker } from 'node:worker_threads';
import { CodedError } from '../runtime/errors.ts';
import { REGEX_WORKER_SOURCE } from './regex-worker-source.ts';

export interface RegexJob {
  readonly text: string;
  readonly pattern: string;
  readonly flags: string;
  readonly replacement: string;
  /** Bound of the result's length. */
  readonly maxChars: number;
  /** Bound of the number of places that change. */
  readonly maxRegions: number;
}

export type RegexReply =
  | {
      readonly ok: true;
      readonly text: string;
      readonly matches: number;
      /** Four numbers per region: oldStart, oldEnd, newStart, newEnd. */
      readonly regions: readonly number[];
    }
  | { readonly ok: false; readonly message: string; readonly tooLarge: boolean; readonly tooMany: boolean };

/** More patterns than this at once wait: a thread costs memory, and a stuck one a core. */
const MAX_WORKERS = 2;
/** An idle worker is kept this long; starting one costs 20 ms. */
const IDLE_MS = 30_000;
const MAX_WORKER_HEAP_MB = 1024;

let running = 0;
const idle: { worker: Worker; timer: NodeJS.Timeout }[] = [];
const waiting: (() => void)[] = [];

/**
 * Runs a job in a worker thread, where it can be stopped: a regular expression cannot be interrupted in its own thread.
 * @throws {CodedError} TIMEOUT after `deadlineMs`, TOO_LARGE when it needs too much memory; the signal's reason
 */
export async function runRegexJob(
  job: RegexJob,
  deadlineMs: number,
  signal: AbortSignal | undefined,
): Promise<RegexReply> {
  await takeSlot(signal);
  try {
    signal?.throwIfAborted();
    return await runIn(await takeWorker(), job, deadlineMs, signal);
  } finally {
    running--;
    waiting.shift()?.();
  }
}

async function takeSlot(signal: AbortSignal | undefined): Promise<void> {
  while (running >= MAX_WORKERS) {
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => {
        const index = waiting.indexOf(onFree);
        if (index !== -1) waiting.splice(index, 1);
        reject(signal?.reason);
      };
      const onFree = () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      waiting.push(onFree);
    });
  }
  running++;
}

async function takeWorker(): Promise<Worker> {
  const ready = idle.pop();
  if (ready) {
    clearTimeout(ready.timer);
    ready.worker.ref();
    return ready.worker;
  }
  // Loaded here: it takes 2 ms of every start, and hardly a session needs it.
  const { Worker } = await import('node:worker_threads');
  const worker = new Worker(REGEX_WORKER_SOURCE, {
    eval: true,
    // Flags of the main process (a loader, the inspector) are not for this.
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: MAX_WORKER_HEAP_MB },
  });
  // One that dies while idle is only forgotten; while it works, runIn listens too.
  worker.on('error', () => forget(worker));
  return worker;
}

function runIn(
  worker: Worker,
  job: RegexJob,
  deadlineMs: number,
  signal: AbortSignal | undefined,
): Promise<RegexReply> {
  return new Promise((resolve, reject) => {
    const stop = (reason: unknown) => {
      settle();
      void worker.terminate();
      reject(reason);
    };
    const timer = setTimeout(() => stop(tooSlow(deadlineMs)), deadlineMs);
    const onAbort = () => stop(signal?.reason);
    const onMessage = (reply: RegexReply) => {
      settle();
      keep(worker);
      resolve(reply);
    };
    const onError = (error: Error) =>
      stop('code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooMuchMemory() : error);
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      worker.off('message', onMessage);
      worker.off('error', onError);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    worker.on('message', onMessage);
    worker.on('error', onError);
    if (signal?.aborted) onAbort();
    else worker.postMessage(job);
  });
}

/** Keeps a worker for the next job without keeping the process alive for it. */
function keep(worker: Worker): void {
  worker.unref();
  const timer = setTimeout(() => {
    forget(worker);
    void worker.terminate();
  }, IDLE_MS);
  timer.unref();
  idle.push({ worker, timer });
}

function forget(worker: Worker): void {
  const index = idle.findIndex((entry) => entry.worker === worker);
  if (index !== -1) idle.splice(index, 1);
}

function tooSlow(deadlineMs: number): CodedError {
  return new CodedError(
    'TIMEOUT',
    `The pattern was stopped after ${deadlineMs / 1000} s. Nothing was changed.`,
    'Nested repetitions such as (a+)+ take exponential time: make the pattern more specific, or use edit_file.',
  );
}

function tooMuchMemory(): CodedError {
  return new CodedError(
    'TOO_LARGE',
    'The replacement needed too much memory. Nothing was changed.',
    'Replace in smaller steps, or use run_command with sed.',
  );
}
