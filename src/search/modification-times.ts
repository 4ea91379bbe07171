import { lstat } from 'node:fs';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';

/** The first files of a search go through the thread pool: most searches find no more than these. */
const WORTH_A_THREAD = 250;
/** The thread ends when nobody asked for anything for so long. */
const IDLE_MS = 30_000;

/**
 * Runs in the thread. Synchronous on purpose: 3,000 files take 5 ms here, off the server's thread, and 8 to 10 ms of
 * the server's own thread through the pool. Self-contained, because its source text is all that the thread gets.
 */
function threadMain(): void {
  const { parentPort } = process.getBuiltinModule('node:worker_threads');
  const { lstatSync } = process.getBuiltinModule('node:fs');
  parentPort?.on('message', ({ id, prefix, list }: { id: number; prefix: string; list: string }) => {
    const paths = list.split('\0');
    const times = new Float64Array(paths.length);
    paths.forEach((path, index) => {
      try {
        times[index] = lstatSync(prefix + path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
      } catch {
        // Unreadable counts as very old.
      }
    });
    parentPort.postMessage({ id, times }, [times.buffer]);
  });
}

/** Finds out when files were last changed, in batches, away from the event loop. */
export class ModificationTimes {
  #worker: Worker | undefined;
  #broken = false;
  #lastId = 0;
  #idle: NodeJS.Timeout | undefined;
  readonly #waiting = new Map<number, { resolve: (times: Float64Array) => void; fallBack: () => void }>();

  /**
   * @param paths relative to the folder
   * @param soFar how many the search has found, these included
   * @returns milliseconds since 1970, in the order of the paths; 0 for a file that is gone or unreadable
   */
  async of(folder: string, paths: readonly string[], soFar: number): Promise<Float64Array> {
    if (soFar < WORTH_A_THREAD || this.#broken) return throughPool(folder, paths);
    const worker = await this.#start();
    if (!worker) return throughPool(folder, paths);
    return new Promise((resolve) => {
      const id = ++this.#lastId;
      this.#waiting.set(id, { resolve, fallBack: () => resolve(throughPool(folder, paths)) });
      clearTimeout(this.#idle);
      worker.ref();
      // One string crosses to the thread at a fraction of what an array of them costs.
      worker.postMessage({ id, prefix: join(folder, '/'), list: paths.join('\0') });
    });
  }

  async #start(): Promise<Worker | undefined> {
    const { Worker } = await import('node:worker_threads');
    if (this.#worker || this.#broken) return this.#worker;
    try {
      const worker = new Worker(`(${threadMain})()`, { eval: true });
      worker.on('message', (answer: { id: number; times: Float64Array }) => {
        this.#waiting.get(answer.id)?.resolve(answer.times);
        this.#waiting.delete(answer.id);
        if (this.#waiting.size === 0) this.#rest(worker);
      });
      worker.on('error', () => this.#giveUp());
      worker.unref();
      this.#worker = worker;
    } catch {
      this.#giveUp();
    }
    return this.#worker;
  }

  /** An idle thread must neither keep the process alive nor its memory for ever. */
  #rest(worker: Worker): void {
    worker.unref();
    this.#idle = setTimeout(() => {
      this.#worker = undefined;
      void worker.terminate();
    }, IDLE_MS).unref();
  }

  #giveUp(): void {
    this.#broken = true;
    this.#worker = undefined;
    for (const { fallBack } of this.#waiting.values()) fallBack();
    this.#waiting.clear();
  }
}

function throughPool(folder: string, paths: readonly string[]): Promise<Float64Array> {
  const times = new Float64Array(paths.length);
  let left = paths.length;
  if (left === 0) return Promise.resolve(times);
  return new Promise((resolve) => {
    paths.forEach((path, index) => {
      lstat(join(folder, path), (error, stats) => {
        if (!error) times[index] = stats.mtimeMs;
        if (--left === 0) resolve(times);
      });
    });
  });
}
