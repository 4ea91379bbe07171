import { cancelledError } from './call.ts';

/**
 * Running calls of 2025-era HTTP clients, which `notifications/cancelled` can cancel. Stateless requests share nothing
 * but the session id, and every client counts from id 1: both must match.
 */
export class RunningCalls {
  readonly #controllers = new Map<string, AbortController>();

  /** Runs `work` with a signal that `cancel` aborts; without a session id nothing can. */
  async run<T>(
    sessionId: string | undefined,
    requestId: string | number,
    work: (cancelled: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const controller = new AbortController();
    if (sessionId === undefined) return work(controller.signal);
    const key = keyOf(sessionId, requestId);
    this.#controllers.set(key, controller);
    try {
      return await work(controller.signal);
    } finally {
      if (this.#controllers.get(key) === controller) this.#controllers.delete(key);
    }
  }

  /** Cancels the call when it is one of this session's. */
  cancel(sessionId: string | undefined, requestId: unknown): void {
    if (sessionId === undefined) return;
    this.#controllers.get(keyOf(sessionId, requestId))?.abort(cancelledError());
  }
}

function keyOf(sessionId: string, requestId: unknown): string {
  return JSON.stringify([sessionId, requestId]);
}
