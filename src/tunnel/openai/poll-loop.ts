import { type HttpAnswer, HttpFailure } from '../../runtime/http-client.ts';
import type { Log } from '../../runtime/log.ts';
import { TunnelError, type TunnelStatus } from '../types.ts';
import type { CommandDesk } from './command-desk.ts';
import { parseCommands } from './commands.ts';
import type { ControlPlane } from './control-plane.ts';
import type { OpenAiTunnelCredentials } from './credentials.ts';
import { throwIfProxySetting } from './metadata.ts';
import { type BackoffBounds, backoffMs, parseRetryAfter, pause } from './retry.ts';
import { describeServiceError, readServiceError, refusal, unknownTunnel } from './service-errors.ts';

export interface PollLoopOptions {
  readonly controlPlane: ControlPlane;
  readonly credentials: OpenAiTunnelCredentials;
  readonly log: Log;
  readonly desk: CommandDesk;
  readonly waitMs: number;
  readonly backoff: BackoffBounds;
  /** The loop has ended by itself: the service will not have us. */
  readonly onEnd: (error: TunnelError) => void;
}

/** The contract's bound. */
const MAX_LIMIT = 25;
/** The first poll asks for no wait, so that it is known at once whether the credentials are accepted. */
const FIRST_WAIT_MS = 1;
/** What the start waits for it. */
const FIRST_POLL_MS = 5_000;
/** A service that answers "nothing" without waiting must not be asked a thousand times a second. */
const HASTY_MS = 100;
const HASTY_PAUSE: BackoffBounds = { minMs: 50, maxMs: 2_000 };

/** Asks for commands until it is stopped or refused. */
export class PollLoop {
  readonly #options: PollLoopOptions;
  readonly #stopped = new AbortController();
  readonly #first = Promise.withResolvers<void>();
  #state: 'connecting' | 'connected' | 'reconnecting' = 'connecting';
  #message: string | undefined;
  #failures = 0;
  #failingSinceMs = 0;
  #hasty = 0;
  #limit = MAX_LIMIT;
  #run: Promise<void> = Promise.resolve();

  constructor(options: PollLoopOptions) {
    this.#options = options;
  }

  /** Settles with the first poll, or after some seconds. @throws {TunnelError} when the service refused it */
  get first(): Promise<void> {
    return this.#first.promise;
  }

  status(): Pick<TunnelStatus, 'state' | 'message'> {
    return { state: this.#state, message: this.#message };
  }

  start(): void {
    const timer = setTimeout(() => this.#first.resolve(), FIRST_POLL_MS);
    this.#run = this.#keepPolling()
      .catch((error: unknown) => {
        this.fail(
          error instanceof TunnelError
            ? error
            : new TunnelError('failed', `The openai tunnel failed: ${error}`, 'Start it again.'),
        );
      })
      .finally(() => clearTimeout(timer));
  }

  /**
   * Ends the loop; a poll whose answer has begun to arrive is still read and its commands are taken.
   * Resolves when no more will come.
   */
  stop(): Promise<void> {
    this.#stopped.abort(new DOMException('The tunnel has ended.', 'AbortError'));
    this.#first.resolve();
    return this.#run;
  }

  /** Ends the loop because of an error that more polls would not mend. */
  fail(error: TunnelError): void {
    if (this.#stopped.signal.aborted) return;
    this.#first.reject(error);
    this.#first.promise.catch(() => {}); // after the start nobody waits for it any more
    void this.stop();
    this.#options.onEnd(error);
  }

  async #keepPolling(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const { desk } = this.#options;
      if (desk.freePlaces <= 0) {
        await Promise.race([desk.nextEnd(), pause(this.#options.waitMs, signal)]);
        continue;
      }
      const waitMs = await this.#poll(Math.min(this.#limit, desk.freePlaces));
      this.#first.resolve();
      if (waitMs > 0) await pause(waitMs, signal);
    }
  }

  /** One poll. @returns how long to wait before the next; @throws {TunnelError} when there must be none */
  async #poll(limit: number): Promise<number> {
    const { controlPlane, waitMs } = this.#options;
    const { signal } = this.#stopped;
    const startedMs = performance.now();
    const firstTime = this.#state === 'connecting';
    let answer: HttpAnswer;
    try {
      answer = await controlPlane.poll(limit, firstTime ? FIRST_WAIT_MS : waitMs, signal);
    } catch (error) {
      if (signal.aborted) return 0;
      throwIfProxySetting(error);
      if (!(error instanceof HttpFailure)) throw error;
      // One command at a time fits where 25 were too much.
      if (error.tooLarge) this.#limit = 1;
      return this.#failed(`cannot be reached: ${error.message}`);
    }
    if (answer.status === 204) return this.#empty(startedMs, firstTime);
    if (answer.status === 200) return this.#commands(answer, startedMs, firstTime);
    return this.#refused(answer, firstTime);
  }

  #commands(answer: HttpAnswer, startedMs: number, firstTime: boolean): number {
    const { desk, log } = this.#options;
    const list = parseCommands(answer.body, answer.headersAtMs);
    if (list === undefined) return this.#failed('sent something that is no list of commands');
    for (const problem of list.problems) log.warn(`openai tunnel: ${problem}; it is skipped`);
    if (list.commands.length === 0) return this.#empty(startedMs, firstTime);
    this.#hasty = 0;
    this.#limit = Math.min(this.#limit * 2, MAX_LIMIT);
    this.#connected();
    for (const command of list.commands) desk.take(command);
    return 0;
  }

  #empty(startedMs: number, firstTime: boolean): number {
    this.#connected();
    const hasty = !firstTime && performance.now() - startedMs < HASTY_MS;
    this.#hasty = hasty ? this.#hasty + 1 : 0;
    return this.#hasty < 2 ? 0 : backoffMs(this.#hasty - 1, HASTY_PAUSE);
  }

  #refused(answer: HttpAnswer, firstTime: boolean): number {
    const { credentials } = this.#options;
    const error = readServiceError(answer);
    if (answer.status === 401 || answer.status === 403) throw refusal(error, credentials);
    const unknown = answer.status === 404 && firstTime;
    if (unknown || error.code === 'invalid_tunnel_id_format') throw unknownTunnel(error, credentials);
    return this.#failed(
      `answered with ${describeServiceError(error, credentials.apiKey)}`,
      parseRetryAfter(answer.headers['retry-after']),
    );
  }

  #failed(what: string, retryAfterMs = 0): number {
    const { log, backoff, credentials } = this.#options;
    this.#failures++;
    const waitMs = backoffMs(this.#failures, backoff, retryAfterMs);
    const seconds = waitMs < 950 ? 'less than a second' : `${Math.round(waitMs / 1000)} s`;
    this.#message = `${credentials.baseUrl.host} ${what}; trying again in ${seconds}.`;
    if (this.#failures === 1) this.#failingSinceMs = performance.now();
    // The first failures tell what there is to tell.
    if (this.#failures <= 2) log.warn(`openai tunnel: ${this.#message}`);
    else log.debug(`openai tunnel: ${this.#message}`);
    if (this.#state === 'connected') this.#state = 'reconnecting';
    return waitMs;
  }

  #connected(): void {
    if (this.#failures > 0) {
      const seconds = Math.round((performance.now() - this.#failingSinceMs) / 1000);
      this.#options.log.info(`openai tunnel: connected again after ${seconds} s`);
    }
    this.#failures = 0;
    this.#message = undefined;
    this.#state = 'connected';
  }
}
