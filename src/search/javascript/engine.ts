import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Engine, type Finding, MAX_PROBLEMS, type MatchRequest } from '../engine.ts';
import { GlobOverride } from '../ignore-file.ts';
import { showWholeLine } from '../line-window.ts';
import { matchThread, type ThreadMessage, type ThreadTask } from './match-thread.ts';
import { literalRegex, translateRustRegex } from './rust-regex.ts';
import { walk } from './walk.ts';

/** Files that the thread is given ahead: enough to keep it busy, few enough to stop soon. */
const FILES_AHEAD = 128;

/** The engine for hosts on which no extracted program may run. */
export function createJavaScriptEngine(roots?: readonly string[]): Engine {
  return {
    name: 'javascript',
    listFiles: (request, onPaths) => walk(request, async (paths) => onPaths(paths)),

    async findMatches(request, onFinding) {
      const override = request.glob === undefined ? undefined : new GlobOverride(request.glob);
      const thread = new MatchThread(request, onFinding, roots);
      try {
        if (request.fileName !== undefined) {
          await thread.search([request.fileName]);
          return await thread.finish({ timedOut: false, problems: [], problemCount: 0 });
        }
        const ending = await walk(
          {
            folder: request.folder,
            below: '',
            hidden: request.hidden ?? false,
            ignoreRules: true,
            gitFolder: false,
            override,
            deadlineMs: request.deadlineMs,
            signal: request.signal,
          },
          (paths) => thread.search(paths),
        );
        return await thread.finish(ending);
      } finally {
        thread.close();
      }
    },
  };
}

type Ending = Awaited<ReturnType<Engine['findMatches']>>;

/** One search's thread, seen from the server: feeds it files, passes on findings, ends it in time. */
class MatchThread {
  readonly #request: MatchRequest;
  readonly #onFinding: (finding: Finding) => boolean;
  readonly #worker: Worker;
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort = () => this.#stop();
  readonly #problems: string[] = [];
  #problemCount = 0;
  #requestsAhead = 0;
  #filesAhead: number[] = [];
  #stopped = false;
  #timedOut = false;
  #failure: unknown;
  #wake: () => void = () => {};

  constructor(
    request: MatchRequest,
    onFinding: (finding: Finding) => boolean,
    roots: readonly string[] | undefined,
  ) {
    const regex = compile(request);
    const task: ThreadTask = {
      source: regex.source,
      flags: regex.flags,
      mode: request.mode,
      multiline: request.multiline,
      before: request.before,
      after: request.after,
      isExplicit: request.fileName !== undefined,
      roots,
    };
    this.#request = request;
    this.#onFinding = onFinding;
    this.#worker = new Worker(`(${matchThread})()`, { eval: true, workerData: task });
    this.#worker.on('message', (message: ThreadMessage) => this.#receive(message));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#timer = setTimeout(
      () => {
        this.#timedOut = true;
        this.#stop();
      },
      Math.max(request.deadlineMs - performance.now(), 0),
    );
    request.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Queues files; resolves when there is room for more, with false when no more are wanted. */
  async search(paths: readonly string[]): Promise<boolean> {
    if (!this.#stopped) {
      const files = paths.map((path) => ({ path, absolute: join(this.#request.folder, path) }));
      this.#worker.postMessage({ files });
      this.#filesAhead.push(files.length);
      this.#requestsAhead += files.length;
    }
    await this.#until(() => this.#requestsAhead <= FILES_AHEAD);
    return !this.#stopped;
  }

  async finish(walked: Ending): Promise<Ending> {
    await this.#until(() => this.#requestsAhead === 0);
    this.#request.signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure;
    return {
      timedOut: walked.timedOut || this.#timedOut,
      problems: [...walked.problems, ...this.#problems].slice(0, MAX_PROBLEMS),
      problemCount: walked.problemCount + this.#problemCount,
    };
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
    void this.#worker.terminate();
  }

  /** Several folders are walked at the same time and wait here together. */
  async #until(condition: () => boolean): Promise<void> {
    while (!this.#stopped && !condition()) {
      await new Promise<void>((resolve) => {
        const others = this.#wake;
        this.#wake = () => {
          others();
          resolve();
        };
      });
    }
  }

  #receive(message: ThreadMessage): void {
    if (this.#stopped) return;
    if ('done' in message) {
      this.#requestsAhead -= this.#filesAhead.shift() ?? 0;
      this.#wakeUp();
      return;
    }
    if ('problem' in message) {
      this.#problemCount++;
      if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(`${message.path}: ${message.problem}`);
      return;
    }
    try {
      if (!findings(message).every(this.#onFinding)) this.#stop();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#failure = error;
    this.#stop();
  }

  #stop(): void {
    this.#stopped = true;
    void this.#worker.terminate();
    this.#wakeUp();
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = () => {};
    wake();
  }
}

function findings(message: Exclude<ThreadMessage, { done: true } | { problem: string }>): Finding[] {
  const { path } = message;
  if ('binary' in message) return [{ path, number: 0, kind: 'binary', text: '' }];
  if ('count' in message) return [{ path, number: message.count, kind: 'file', text: '' }];
  return message.lines.map(({ number, isMatch, bytes, offset }) => ({
    path,
    number,
    kind: isMatch ? 'match' : 'context',
    text: showWholeLine(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), offset),
  }));
}

function compile({ pattern, fixedStrings, caseInsensitive, multiline }: MatchRequest): RegExp {
  return fixedStrings
    ? literalRegex(pattern, caseInsensitive)
    : translateRustRegex(pattern, { caseInsensitive, multiline });
}
