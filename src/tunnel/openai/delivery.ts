import { type HttpAnswer, HttpFailure } from '../../runtime/http-client.ts';
import type { Log } from '../../runtime/log.ts';
import { type Answer, answerBody, MAX_ANSWER_BYTES, tooLargeAnswer } from './answer-payload.ts';
import type { Command } from './commands.ts';
import type { ControlPlane } from './control-plane.ts';
import { type BackoffBounds, backoffMs, parseRetryAfter, pause } from './retry.ts';
import { describeServiceError, readServiceError, type ServiceError } from './service-errors.ts';

/** Statuses after which a final answer is sent again. */
const RETRIED = new Set([408, 429, 502, 503, 504]);
const ATTEMPT_MS = 15_000;
/** A final answer without a deadline of its own is sent for this long; hosts have given up by then. */
const GIVE_UP_MS = 120_000;
const NOTIFICATION_ATTEMPTS = 3;
/** What a final answer waits for the notifications before it. */
const NOTIFICATIONS_FIRST_MS = 2_000;

export interface DeliveryOptions {
  readonly controlPlane: ControlPlane;
  readonly apiKey: string;
  readonly log: Log;
  /** Aborted when the tunnel ends for good. */
  readonly signal: AbortSignal;
  readonly backoff: BackoffBounds;
  /** The service does not accept the credentials any more. */
  readonly onRefused: (error: ServiceError) => void;
}

/**
 * - `delivered`: the service took it
 * - `settled`: the service waits for no answer to this command any more
 * - `late`: its time was over
 * - `failed`: refused, or the service could not be reached for as long as it made sense
 */
export type DeliveryOutcome = 'delivered' | 'settled' | 'late' | 'failed';

/** Sends the answers of one command in their order. */
export class Delivery {
  readonly #command: Command;
  readonly #options: DeliveryOptions;
  #notifications: Promise<void> = Promise.resolve();
  #notificationsOver = false;

  constructor(command: Command, options: DeliveryOptions) {
    this.#command = command;
    this.#options = options;
  }

  /** Sends a notification after those before it. One that fails ends them for this command: the answer matters. */
  notify(notification: Answer): void {
    if (this.#notificationsOver) return;
    this.#notifications = this.#notifications.then(async () => {
      if (!this.#notificationsOver && !(await this.#sendNotification(notification)))
        this.#notificationsOver = true;
    });
  }

  /** Sends the final answer until the service has it or it makes no sense any more. Never throws. */
  async finish(answer: Answer): Promise<DeliveryOutcome> {
    await this.#notificationsFirst();
    this.#notificationsOver = true;
    const body = answerBody(this.#command, answer);
    const tooLarge = Buffer.byteLength(body) > MAX_ANSWER_BYTES;
    return this.#sendFinal(tooLarge ? answerBody(this.#command, tooLargeAnswer(this.#command)) : body);
  }

  async #sendFinal(body: string): Promise<DeliveryOutcome> {
    const { signal, backoff, log, apiKey, onRefused } = this.#options;
    const giveUpAtMs = performance.now() + GIVE_UP_MS;
    for (let failures = 1; ; failures++) {
      const leftMs = this.#leftMs(giveUpAtMs);
      if (leftMs <= 0) return this.#isLate() ? 'late' : this.#failed('it could not be delivered');
      const answer = await this.#attempt(body, Math.min(ATTEMPT_MS, leftMs), false);
      if (signal.aborted) return 'failed';
      let retryAfterMs = 0;
      if ('status' in answer) {
        if (answer.status >= 200 && answer.status < 300) return 'delivered';
        if (answer.status === 404) return 'settled';
        const error = readServiceError(answer);
        const isRefusal = answer.status === 401 || answer.status === 403;
        // A mismatch is about this one command; the credentials are fine.
        if (isRefusal && error.code !== 'tunnel_request_mismatch') {
          onRefused(error);
          return 'failed';
        }
        if (answer.status === 413) return this.#sendInsteadOfTooLarge(body);
        if (!RETRIED.has(answer.status)) return this.#failed(describeServiceError(error, apiKey));
        retryAfterMs = parseRetryAfter(answer.headers['retry-after']);
        log.debug(`openai tunnel: an answer is sent again after ${describeServiceError(error, apiKey)}`);
      } else if (answer instanceof HttpFailure) {
        log.debug(`openai tunnel: an answer is sent again: ${answer.message}`);
      } else {
        return this.#failed(answer.message);
      }
      const waitMs = backoffMs(failures, backoff, retryAfterMs);
      if (waitMs >= this.#leftMs(giveUpAtMs)) {
        return this.#command.deadlineMs === undefined ? this.#failed('it could not be delivered') : 'late';
      }
      if (!(await pause(waitMs, signal))) return 'failed';
    }
  }

  /** The service's own bound is below ours: the caller is told so instead of waiting for nothing. */
  #sendInsteadOfTooLarge(refused: string): Promise<DeliveryOutcome> {
    const body = answerBody(this.#command, tooLargeAnswer(this.#command));
    if (body.length >= refused.length) return Promise.resolve(this.#failed('even the error is too large'));
    this.#options.log.warn('openai tunnel: an answer was too large for the service');
    return this.#sendFinal(body);
  }

  /** Sent again only where the service cannot have it: a notification must not come twice. */
  async #sendNotification(notification: Answer): Promise<boolean> {
    const { signal, backoff } = this.#options;
    const body = answerBody(this.#command, notification);
    for (let failures = 1; failures <= NOTIFICATION_ATTEMPTS; failures++) {
      const leftMs = this.#leftMs(performance.now() + ATTEMPT_MS);
      if (leftMs <= 0 || signal.aborted || this.#notificationsOver) return false;
      const answer = await this.#attempt(body, leftMs, true);
      let retryAfterMs = 0;
      if ('status' in answer) {
        if (answer.status !== 429) return answer.status >= 200 && answer.status < 300;
        retryAfterMs = parseRetryAfter(answer.headers['retry-after']);
      } else if (!(answer instanceof HttpFailure && answer.unsent)) {
        return false;
      }
      if (!(await pause(backoffMs(failures, backoff, retryAfterMs), signal))) return false;
    }
    return false;
  }

  async #attempt(body: string, timeoutMs: number, onlyOnce: boolean): Promise<HttpAnswer | Error> {
    const { controlPlane, signal } = this.#options;
    try {
      return await controlPlane.answer(this.#command, body, { timeoutMs, signal, onlyOnce });
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  #notificationsFirst(): Promise<unknown> {
    const waitMs = Math.min(NOTIFICATIONS_FIRST_MS, this.#leftMs(Number.POSITIVE_INFINITY) / 2);
    const done = new AbortController();
    const sent = this.#notifications.then(() => done.abort());
    return Promise.race([sent, pause(Math.max(waitMs, 0), done.signal)]);
  }

  #leftMs(giveUpAtMs: number): number {
    return Math.min(giveUpAtMs, this.#command.deadlineMs ?? Number.POSITIVE_INFINITY) - performance.now();
  }

  #isLate(): boolean {
    return (this.#command.deadlineMs ?? Number.POSITIVE_INFINITY) <= performance.now();
  }

  #failed(why: string): 'failed' {
    this.#options.log.warn(`openai tunnel: the answer to ${this.#command.requestId} is lost: ${why}`);
    return 'failed';
  }
}
