import type { Answer } from './answer-payload.ts';
import type { Command } from './commands.ts';

const MAX_FINISHED = 2_000;
const MAX_KEPT_BYTES = 4 * 1024 * 1024;

/**
 * The commands that came. The service may deliver one again (its own storage can lose what it knew, or it saw the
 * connection break within a poll's answer): the tool must not run twice for it.
 */
export class KnownRequests {
  readonly #running = new Map<string, Command>();
  readonly #finished = new Map<string, Answer | undefined>();
  #keptBytes = 0;

  get runningCount(): number {
    return this.#running.size;
  }

  /**
   * Tells whether a command is new. One that still runs gets the token and the time of its newest delivery.
   * @returns `new`, `running`, or `finished` with the answer it had, as long as that is kept
   */
  admit(command: Command): { state: 'new' | 'running' } | { state: 'finished'; answer: Answer | undefined } {
    const running = this.#running.get(command.requestId);
    if (running !== undefined) {
      running.shardToken = command.shardToken;
      running.deadlineMs = command.deadlineMs;
      return { state: 'running' };
    }
    if (this.#finished.has(command.requestId)) {
      return { state: 'finished', answer: this.#finished.get(command.requestId) };
    }
    this.#running.set(command.requestId, command);
    return { state: 'new' };
  }

  /** @param answer undefined where there was none */
  finish(command: Command, answer: Answer | undefined): void {
    this.#running.delete(command.requestId);
    this.#finished.set(command.requestId, answer);
    this.#keptBytes += sizeOf(answer);
    for (const [oldest, kept] of this.#finished) {
      if (this.#finished.size <= MAX_FINISHED && this.#keptBytes <= MAX_KEPT_BYTES) break;
      this.#finished.delete(oldest);
      this.#keptBytes -= sizeOf(kept);
    }
  }
}

function sizeOf(answer: Answer | undefined): number {
  return answer?.json?.length ?? 0;
}
