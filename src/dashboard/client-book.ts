import { ownBeginning } from '../runtime/own-text.ts';
import type { ClientModel, StatusModel } from './models.ts';

const MAX_CLIENTS = 50;
const SECONDS = 60;
const MINUTES = 30;

interface Seen {
  calls: number;
  lastSeenMs: number;
}

/** Counts per span of time, a fixed number of spans back. */
class Counts {
  readonly #spanMs: number;
  readonly #counts: Uint32Array;
  #newest = 0;

  constructor(spanMs: number, spans: number) {
    this.#spanMs = spanMs;
    this.#counts = new Uint32Array(spans);
  }

  add(nowMs: number): void {
    const slot = this.#advance(nowMs) % this.#counts.length;
    this.#counts[slot] = (this.#counts[slot] ?? 0) + 1;
  }

  /** The oldest first; the last is the present span. */
  list(nowMs: number): number[] {
    const newest = this.#advance(nowMs);
    const { length } = this.#counts;
    return Array.from(this.#counts, (_, index) => this.#counts[(newest + 1 + index) % length] ?? 0);
  }

  /** Empties the spans that have passed since the last look. */
  #advance(nowMs: number): number {
    const newest = Math.floor(nowMs / this.#spanMs);
    const passed = Math.min(newest - this.#newest, this.#counts.length);
    for (let step = 0; step < passed; step++) this.#counts[(newest - step) % this.#counts.length] = 0;
    this.#newest = Math.max(newest, this.#newest);
    return this.#newest;
  }
}

/** Which clients were seen, with or without calls, and how many calls there were when. */
export class ClientBook {
  readonly #seen = new Map<string, Seen>();
  readonly #perSecond = new Counts(1_000, SECONDS);
  readonly #perMinute = new Counts(60_000, MINUTES);
  #total = 0;
  #lastCallMs: number | undefined;

  /** A client sent any request. */
  seen(name: string | undefined, nowMs: number): void {
    this.#of(name, nowMs);
  }

  called(name: string | undefined, nowMs: number): void {
    this.#of(name, nowMs).calls++;
    this.#perSecond.add(nowMs);
    this.#perMinute.add(nowMs);
    this.#total++;
    this.#lastCallMs = nowMs;
  }

  /** Those seen last first. */
  clients(): ClientModel[] {
    return [...this.#seen]
      .map(([name, { calls, lastSeenMs }]) => ({ name, calls, lastSeenMs }))
      .sort((a, b) => b.lastSeenMs - a.lastSeenMs)
      .map(({ name, calls, lastSeenMs }) => ({
        name,
        calls,
        lastSeenAt: new Date(lastSeenMs).toISOString(),
      }));
  }

  requests(nowMs: number): StatusModel['requests'] {
    return {
      perMinute: this.#perSecond.list(nowMs).reduce((sum, count) => sum + count, 0),
      history: this.#perMinute.list(nowMs),
      total: this.#total,
      lastCallAt: this.#lastCallMs === undefined ? undefined : new Date(this.#lastCallMs).toISOString(),
    };
  }

  #of(name: string | undefined, nowMs: number): Seen {
    const key = ownBeginning(name ?? '', 100);
    let seen = this.#seen.get(key);
    if (seen === undefined) {
      seen = { calls: 0, lastSeenMs: nowMs };
      this.#seen.set(key, seen);
      if (this.#seen.size > MAX_CLIENTS) this.#forgetOldest();
    }
    seen.lastSeenMs = nowMs;
    return seen;
  }

  #forgetOldest(): void {
    let oldest: [string, Seen] | undefined;
    for (const one of this.#seen)
      if (oldest === undefined || one[1].lastSeenMs < oldest[1].lastSeenMs) oldest = one;
    if (oldest !== undefined) this.#seen.delete(oldest[0]);
  }
}
