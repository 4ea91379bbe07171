import { setTimeout as delay } from 'node:timers/promises';
import type { RequestLine } from '../../http/request-log.ts';
import type { McpEndpoint } from '../../mcp/http.ts';
import type { Answer } from './answer-payload.ts';
import type { Command } from './commands.ts';
import { Delivery, type DeliveryOptions, type DeliveryOutcome } from './delivery.ts';
import { KnownRequests } from './known-requests.ts';
import { runCommand } from './run-command.ts';

export interface CommandDeskOptions extends DeliveryOptions {
  readonly mcp: McpEndpoint;
  readonly onRequest: ((line: RequestLine) => void) | undefined;
}

/** Below the registry's own bound, so that what waits does so at the service and is not answered BUSY. */
const MAX_RUNNING = 400;

/** Takes the commands of the polls, runs each by itself and sends its answers, in whatever order they are done. */
export class CommandDesk {
  readonly #options: CommandDeskOptions;
  readonly #known = new KnownRequests();
  readonly #running = new Set<Promise<void>>();
  #freed = Promise.withResolvers<void>();
  #answered = 0;
  #lastCommandAtMs: number | undefined;

  constructor(options: CommandDeskOptions) {
    this.#options = options;
  }

  get runningCount(): number {
    return this.#known.runningCount;
  }

  get answeredCount(): number {
    return this.#answered;
  }

  /** Epoch milliseconds. */
  get lastCommandAtMs(): number | undefined {
    return this.#lastCommandAtMs;
  }

  /** How many more commands can be taken; more than that are taken too. */
  get freePlaces(): number {
    return MAX_RUNNING - this.#running.size;
  }

  /** Resolves when a command has ended. */
  nextEnd(): Promise<void> {
    return this.#freed.promise;
  }

  take(command: Command): void {
    this.#lastCommandAtMs = Date.now();
    const work = this.#serve(command).catch((error: unknown) => {
      this.#options.log.error(`openai tunnel: ${error instanceof Error ? error.stack : error}`);
    });
    this.#running.add(work);
    void work.then(() => {
      this.#running.delete(work);
      this.#freed.resolve();
      this.#freed = Promise.withResolvers<void>();
    });
  }

  /** Resolves when nothing runs any more and no more commands come, or after `graceMs`. */
  async drain(graceMs: number, noMoreCommands: Promise<void>): Promise<void> {
    const timer = new AbortController();
    const grace = delay(graceMs, undefined, { signal: timer.signal }).catch(() => {});
    await Promise.race([noMoreCommands.then(() => Promise.all(this.#running)), grace]);
    timer.abort();
  }

  async #serve(command: Command): Promise<void> {
    const { log } = this.#options;
    if (command.type !== 'jsonrpc' && command.type !== 'session_termination') {
      log.warn(`openai tunnel: command ${command.requestId} of unknown type "${command.type}" is skipped`);
      return;
    }
    if ((command.deadlineMs ?? Number.POSITIVE_INFINITY) <= performance.now()) {
      log.debug(`openai tunnel: the time of command ${command.requestId} was over when it came`);
      return;
    }
    const known = this.#known.admit(command);
    if (known.state === 'running') return;
    if (known.state === 'finished') {
      if (known.answer !== undefined) await this.#finish(command, known.answer, this.#delivery(command));
      return;
    }
    const delivery = this.#delivery(command);
    let answer: Answer | undefined;
    try {
      const { mcp, signal, onRequest } = this.#options;
      const onNotification = (notification: Answer) => delivery.notify(notification);
      answer = await runCommand(command, { mcp, log, signal, onNotification, onRequest });
      if (answer !== undefined) await this.#finish(command, answer, delivery);
    } finally {
      this.#known.finish(command, answer);
    }
  }

  #delivery(command: Command): Delivery {
    return new Delivery(command, this.#options);
  }

  async #finish(command: Command, answer: Answer, delivery: Delivery): Promise<void> {
    let outcome: DeliveryOutcome;
    let token: string;
    do {
      token = command.shardToken;
      outcome = await delivery.finish(answer);
      // Delivered again meanwhile: a service that has lost what it knew waits for an answer to this delivery.
    } while (token !== command.shardToken && (outcome === 'delivered' || outcome === 'settled'));
    if (outcome === 'delivered') this.#answered++;
    else this.#options.log.debug(`openai tunnel: answer to ${command.requestId}: ${outcome}`);
  }
}
