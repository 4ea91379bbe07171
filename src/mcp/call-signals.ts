import type { ToolCall } from './call.ts';

/** The signals of one call: those of its request, until the request is answered, and the server's own end. */
export class CallSignals {
  readonly #cancelled = new AbortController();
  readonly #abandoned: AbortController;
  readonly #unfollow: (() => void)[] = [];

  constructor({ cancelled, abandoned }: Pick<ToolCall, 'cancelled' | 'abandoned'>) {
    this.#abandoned = abandoned === cancelled ? this.#cancelled : new AbortController();
    this.#follow(cancelled, this.#cancelled);
    if (abandoned !== cancelled) this.#follow(abandoned, this.#abandoned);
  }

  /** To be put in the place of the request's own. */
  get signals(): Pick<ToolCall, 'cancelled' | 'abandoned'> {
    return { cancelled: this.#cancelled.signal, abandoned: this.#abandoned.signal };
  }

  /**
   * The request was answered: a client that now closes it cancels nothing. In 2026-07-28 every end of a request looks
   * like a cancel, and what a receipt promised must go on.
   */
  detach(): void {
    for (const unfollow of this.#unfollow.splice(0)) unfollow();
  }

  /** Ends the work, whatever became of the request. */
  abort(reason: unknown): void {
    this.#cancelled.abort(reason);
    this.#abandoned.abort(reason);
  }

  #follow(source: AbortSignal, controller: AbortController): void {
    const follow = () => controller.abort(source.reason);
    if (source.aborted) follow();
    else {
      source.addEventListener('abort', follow, { once: true });
      this.#unfollow.push(() => source.removeEventListener('abort', follow));
    }
  }
}
