import { Backoff } from './backoff.ts';
import type { DataPath } from './data-path.ts';
import { pause } from './pause.ts';
import {
  type RunningTunnel,
  type TunnelAddress,
  TunnelError,
  type TunnelProvider,
  type TunnelStatus,
} from './types.ts';

/** What the user is told, in the order in which it happens. */
export interface SupervisorEvents {
  /** What is being waited for; never more than a few seconds apart. */
  progress(message: string): void;
  /** The address leads here, proven. `changed` is false when it is the one that was told last. */
  up(address: TunnelAddress, facts: { readonly streams: boolean; readonly changed: boolean }): void;
  /** There is no tunnel for now; it is being mended. */
  down(message: string, logTail: string | undefined): void;
  /** There will be no tunnel until the user does something; the local server goes on. */
  gaveUp(error: TunnelError): void;
}

export interface SupervisorOptions {
  readonly provider: TunnelProvider;
  /** Loopback port of the public listener. */
  readonly port: number;
  readonly dataPath: DataPath;
  readonly events: SupervisorEvents;
  readonly timings?: Partial<SupervisorTimings>;
}

/** All in milliseconds. */
export interface SupervisorTimings {
  readonly progressEvery: number;
  /** How long the address of a started tunnel may take to lead here. */
  readonly proof: number;
  readonly proofRetry: number;
  readonly probeEvery: number;
  readonly probeAfterFailure: number;
  readonly firstBackoff: number;
  readonly maxBackoff: number;
  /** A tunnel that lasted this long starts the backoff anew. */
  readonly steady: number;
}

const TIMINGS: SupervisorTimings = {
  progressEvery: 5_000,
  proof: 90_000,
  proofRetry: 1_500,
  probeEvery: 30_000,
  probeAfterFailure: 5_000,
  firstBackoff: 1_000,
  maxBackoff: 60_000,
  steady: 60_000,
};
const FAILED_PROBES = 3;

/**
 * Keeps a tunnel up: starts the provider, proves that its address leads here, looks again and again, and starts it
 * anew when it has died. Refused credentials are not tried again.
 */
export class TunnelSupervisor {
  readonly #options: SupervisorOptions;
  readonly #timings: SupervisorTimings;
  readonly #stopped = new AbortController();
  readonly #backoff: Backoff;
  #running: RunningTunnel | undefined;
  #lastAddress: string | undefined;
  #message: string | undefined = 'starting';
  #proven = false;
  #gaveUp = false;
  #loop: Promise<void> = Promise.resolve();

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#timings = { ...TIMINGS, ...options.timings };
    this.#backoff = new Backoff(this.#timings.firstBackoff, this.#timings.maxBackoff);
  }

  /**
   * Starts. Resolves when the first address is proven, or when `stop` was called before.
   * @throws {TunnelError} when a program or a setting is missing or credentials are refused before there was any tunnel
   */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#loop = this.#run(resolve, reject).finally(resolve);
    });
  }

  /** How it is now, for the page. */
  status(): TunnelStatus & { readonly address: TunnelAddress | undefined } {
    const own = this.#running?.status();
    const address = this.#proven ? this.#running?.address : undefined;
    if (this.#gaveUp || this.#stopped.signal.aborted)
      return { state: 'ended', message: this.#message, address };
    if (!this.#proven)
      return { state: this.#lastAddress ? 'reconnecting' : 'connecting', message: this.#message, address };
    // Without network the provider may not have noticed yet.
    if (this.#message !== undefined)
      return { ...own, state: 'reconnecting', message: this.#message, address };
    return { state: 'connected', message: undefined, ...own, address };
  }

  /** Ends the provider and everything it started. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running?.stop();
    await this.#loop;
  }

  async #run(firstUp: () => void, failed: (error: TunnelError) => void): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const startedAtMs = performance.now();
      const error = await this.#once(firstUp);
      this.#proven = false;
      if (signal.aborted) return;
      const hopeless = error.reason === 'refused' || error.reason === 'not-configured';
      if (this.#lastAddress === undefined && (hopeless || error.reason === 'missing-program')) {
        this.#gaveUp = true;
        this.#message = error.message;
        return failed(error);
      }
      if (hopeless) {
        this.#gaveUp = true;
        this.#message = error.message;
        return this.#options.events.gaveUp(error);
      }
      if (performance.now() - startedAtMs >= this.#timings.steady) this.#backoff.reset();
      const delayMs = this.#backoff.nextMs();
      const next = `Trying again in ${Math.max(1, Math.round(delayMs / 1000))} s.`;
      // The hint last: it may end with a path, after which nothing that follows would begin a sentence.
      this.#tellDown(`${error.message} ${next}${error.hint ? ` ${error.hint}` : ''}`, error.logTail);
      await pause(delayMs, signal);
    }
  }

  /** One life of the provider. @returns why it ended; anything when stopped */
  async #once(firstUp: () => void): Promise<TunnelError> {
    const { signal } = this.#stopped;
    const { provider, port } = this.#options;
    const progress = this.#progress(`${provider.name}: starting the tunnel`);
    let running: RunningTunnel;
    try {
      running = await provider.start({ port, signal, onProgress: progress.now });
    } catch (error) {
      return asTunnelError(error, provider.name);
    } finally {
      progress.end();
    }
    this.#running = running;
    const ended = running.ended.then((end) =>
      end.reason === 'error' ? end.error : new TunnelError('failed', `${provider.name}: stopped`, ''),
    );
    try {
      if (signal.aborted) return new TunnelError('failed', 'stopped', '');
      return await Promise.race([ended, this.#watch(running, firstUp)]);
    } finally {
      await running.stop();
      this.#running = undefined;
    }
  }

  /** Proves the address, then looks at it until it fails. @returns why the tunnel must be started anew */
  async #watch(running: RunningTunnel, firstUp: () => void): Promise<TunnelError> {
    const ended = new AbortController();
    void running.ended.then(() => ended.abort());
    const signal = AbortSignal.any([this.#stopped.signal, ended.signal]);
    let failures = 0;
    let proven: string | undefined;
    try {
      for (;;) {
        const { address } = running;
        if (proven !== keyOf(address)) {
          const why = await this.#prove(address, signal);
          if (why !== undefined) return why;
          proven = keyOf(address);
          failures = 0;
          firstUp();
        }
        await this.#untilNextLook(running, proven, failures, signal);
        signal.throwIfAborted();
        if (address.kind !== 'url' || proven !== keyOf(running.address)) continue;
        const result = await this.#options.dataPath.probe(address.origin, signal);
        if (result.ok) {
          if (failures > 0 || this.#message !== undefined) this.#message = undefined;
          failures = 0;
        } else if (result.offline) {
          this.#message = `This machine has no network (${result.why}); the tunnel comes back with it.`;
        } else if (++failures >= FAILED_PROBES) {
          return new TunnelError(
            'failed',
            `${address.origin} does not lead here any more: ${result.why}.`,
            'The tunnel is started anew.',
          );
        }
      }
    } catch (error) {
      return asTunnelError(error, this.#options.provider.name);
    }
  }

  /** Waits for the time of the next look; a changed address ends the wait. */
  async #untilNextLook(running: RunningTunnel, proven: string, failures: number, signal: AbortSignal) {
    const untilMs =
      performance.now() + (failures > 0 ? this.#timings.probeAfterFailure : this.#timings.probeEvery);
    const stepMs = Math.min(1_000, this.#timings.probeEvery);
    while (!signal.aborted && performance.now() < untilMs && keyOf(running.address) === proven) {
      await pause(Math.min(stepMs, Math.max(1, untilMs - performance.now())), signal);
    }
  }

  /** @returns why the address does not lead here, undefined when it does and was told */
  async #prove(address: TunnelAddress, signal: AbortSignal): Promise<TunnelError | undefined> {
    const { dataPath, events } = this.#options;
    let streams = true;
    if (address.kind === 'url') {
      const progress = this.#progress(`checking that ${address.origin} leads here`);
      try {
        const deadlineMs = performance.now() + this.#timings.proof;
        for (;;) {
          const result = await dataPath.probe(address.origin, signal);
          if (result.ok) break;
          if (performance.now() >= deadlineMs) {
            return new TunnelError(
              'failed',
              `${address.origin} did not lead here within ${Math.round(this.#timings.proof / 1000)} s: ${result.why}.`,
              'local-coder doctor checks name service, proxy variables and network.',
            );
          }
          progress.note(result.why);
          await pause(this.#timings.proofRetry, signal);
          signal.throwIfAborted();
        }
        streams = await dataPath.streams(address.origin, signal);
      } finally {
        progress.end();
      }
    }
    const changed = this.#lastAddress !== keyOf(address);
    this.#lastAddress = keyOf(address);
    this.#message = undefined;
    this.#proven = true;
    events.up(address, { streams, changed });
    return undefined;
  }

  #tellDown(message: string, logTail: string | undefined): void {
    this.#message = message;
    this.#options.events.down(message, logTail);
  }

  /** Says what is being waited for, at once and again every few seconds, with the time it has taken. */
  #progress(what: string) {
    const startedAtMs = performance.now();
    let text = what;
    const say = () => {
      const seconds = Math.round((performance.now() - startedAtMs) / 1000);
      this.#message = text;
      this.#options.events.progress(seconds < 1 ? text : `${text} (${seconds} s)`);
    };
    say();
    const timer = setInterval(say, this.#timings.progressEvery);
    return {
      /** Another text, told at once. */
      now: (message: string) => {
        if (message === text) return;
        text = message;
        say();
      },
      /** What went wrong last, told with the next line. */
      note: (why: string) => {
        text = `${what}; so far: ${why}`;
      },
      end: () => clearInterval(timer),
    };
  }
}

function keyOf(address: TunnelAddress): string {
  return address.kind === 'tunnel-id' ? address.id : address.origin;
}

function asTunnelError(error: unknown, name: string): TunnelError {
  if (error instanceof TunnelError) return error;
  return new TunnelError('failed', `${name}: ${error instanceof Error ? error.message : String(error)}`, '');
}
