import { forTerminal } from '../runtime/terminal.ts';
import type { AccessMode } from '../workspace/index.ts';
import {
  normalizedCode,
  type RandomBytes,
  readableCode,
  sameSecret,
  sha256,
  systemRandom,
} from './crypto.ts';
import { addressKey, RateLimit } from './rate-limit.ts';
import type { AuthStore } from './store.ts';

/** How long a request waits for the owner. */
export const CONSENT_MS = 10 * 60_000;
/** Requests with a code at once, and codes per caller's address and span of time: nobody can flood the terminal. */
const MAX_WAITING = 3;
const CODES = { max: 12, windowMs: 10 * 60_000 };
const MAX_WRONG_CODES = 5;

/** A request that waits for the owner, as the terminal and the local page show it. Nothing in it is secret. */
export interface PendingRequest {
  /** Names the request: shown on the page in the browser, taken by approve and deny. */
  readonly reference: string;
  /** Short, to tell requests apart by eye. */
  readonly number: string;
  readonly client: string;
  /** Where the answer goes. */
  readonly host: string;
  readonly askedAtMs: number;
  readonly expiresAtMs: number;
}

/** What is announced once per waiting request. The code is for the terminal and the owner's page, never for a log. */
export interface Announcement extends PendingRequest {
  readonly code: string;
}

/** The owner's side of consent, on this machine. */
export interface Owner {
  /** The requests that wait with a code, oldest first. */
  pending(): PendingRequest[];
  /**
   * Lets a request in without its code, with the named access or less. Takes the reference that the browser shows,
   * also of a request that is not pending because too many were; the browser's "Allow" then goes through.
   * @returns false for what is no reference
   */
  approve(reference: string, access?: AccessMode): Promise<boolean>;
  /** @returns false for what is no reference */
  deny(reference: string): Promise<boolean>;
  /** Calls back when pending() has changed. @returns the function that ends it */
  onChange(listener: () => void): () => void;
}

/** The line of a waiting request for the terminal: what strangers chose is escaped. */
export function announcementLine(request: Announcement): string {
  const client = forTerminal(request.client);
  const host = forTerminal(request.host);
  return `One-time code: ${request.code}  for request ${request.number}: "${client}" at ${host}, valid for ${CONSENT_MS / 60_000} minutes`;
}

interface Waiting extends PendingRequest {
  readonly code: string;
  readonly key: string;
  wrongCodes: number;
}

export type CodeCheck =
  | { readonly result: 'right' }
  | { readonly result: 'wrong'; readonly left: number }
  | { readonly result: 'none' };

/**
 * Requests that wait with a one-time code, at most three. One that comes while three wait gets no code, but its
 * reference can be approved on this machine like any other: filling the three places locks nobody out.
 */
export class ConsentDesk implements Owner {
  readonly #waiting = new Map<string, Waiting>();
  readonly #listeners = new Set<() => void>();
  readonly #codes = new RateLimit(CODES);
  readonly #store: AuthStore;
  readonly #now: () => number;
  readonly #random: RandomBytes;
  readonly #announce: (request: Announcement) => void;

  constructor(options: {
    readonly store: AuthStore;
    /** Called once for each request that waits with a code. Its code belongs on a terminal, not into a log. */
    readonly announce: (request: Announcement) => void;
    /** Milliseconds since 1970. */
    readonly clock?: () => number;
    readonly random?: RandomBytes;
  }) {
    this.#store = options.store;
    this.#now = options.clock ?? Date.now;
    this.#random = options.random ?? systemRandom;
    this.#announce = options.announce;
  }

  /**
   * Takes a request in, or finds it again when the browser loads the same page anew.
   * @param key the same for the same request of the same browser
   * @returns its reference, and its number when it has a code
   */
  open(
    key: string,
    request: { readonly client: string; readonly host: string; readonly address: string | undefined },
  ): { readonly reference: string; readonly number: string | undefined; readonly expiresAtMs: number } {
    this.#forgetExpired();
    for (const waiting of this.#waiting.values()) if (waiting.key === key) return waiting;
    const nowMs = this.#now();
    const [reference, expiresAtMs] = [newReference(this.#random), nowMs + CONSENT_MS];
    if (this.#waiting.size >= MAX_WAITING || !this.#codes.take(addressKey(request.address) ?? '', nowMs)) {
      return { reference, number: undefined, expiresAtMs };
    }
    const waiting: Waiting = {
      reference,
      number: this.#freeNumber(),
      client: request.client,
      host: request.host,
      askedAtMs: nowMs,
      expiresAtMs,
      code: readableCode(this.#random, 2, 4),
      key,
      wrongCodes: 0,
    };
    this.#waiting.set(reference, waiting);
    const { key: _key, wrongCodes: _wrongCodes, ...announced } = waiting;
    this.#announce(announced);
    this.#changed();
    return waiting;
  }

  /** Checks a typed code. A right one ends the request; the fifth wrong one burns it. */
  async check(reference: string, typed: string): Promise<CodeCheck> {
    this.#forgetExpired();
    const expected = this.#waiting.get(reference)?.code;
    if (expected === undefined) return { result: 'none' };
    const right = await sameSecret(normalizedCode(typed), normalizedCode(expected));
    // Others may have been checked meanwhile: from here to the end nothing else runs.
    const waiting = this.#waiting.get(reference);
    if (waiting === undefined) return { result: 'none' };
    if (right) {
      this.close(reference);
      return { result: 'right' };
    }
    waiting.wrongCodes++;
    const left = MAX_WRONG_CODES - waiting.wrongCodes;
    if (left === 0) this.close(reference);
    return { result: 'wrong', left };
  }

  /** Ends a request's wait. */
  close(reference: string): void {
    if (this.#waiting.delete(reference)) this.#changed();
  }

  /** The answer that the owner gave on this machine, if there is one; it is used up by this. */
  async takeDecision(
    reference: string,
  ): Promise<{ readonly allowed: boolean; readonly access: AccessMode | undefined } | undefined> {
    const decision = await this.#store.decisions.take(await sha256(reference), this.#now());
    if (decision !== undefined) this.close(reference);
    return decision;
  }

  pending(): PendingRequest[] {
    this.#forgetExpired();
    return [...this.#waiting.values()].map(
      ({ code: _code, key: _key, wrongCodes: _wrong, ...shown }) => shown,
    );
  }

  /** The waiting requests with their codes, for the page on which the owner is logged in. */
  announced(): Announcement[] {
    this.#forgetExpired();
    return [...this.#waiting.values()].map(({ key: _key, wrongCodes: _wrong, ...shown }) => shown);
  }

  approve(reference: string, access?: AccessMode): Promise<boolean> {
    return this.#decide(reference, true, access);
  }

  deny(reference: string): Promise<boolean> {
    return this.#decide(reference, false);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #decide(typed: string, allowed: boolean, access?: AccessMode): Promise<boolean> {
    const reference = await decideLocally(this.#store, typed, { allowed, access, nowMs: this.#now() });
    if (reference !== undefined) this.close(reference);
    return reference !== undefined;
  }

  /** Four digits that no waiting request has. */
  #freeNumber(): string {
    for (;;) {
      const [high = 0, low = 0] = this.#random(2);
      const number = String(1_000 + ((high * 256 + low) % 9_000));
      if (![...this.#waiting.values()].some((waiting) => waiting.number === number)) return number;
    }
  }

  #forgetExpired(): void {
    const nowMs = this.#now();
    for (const waiting of this.#waiting.values()) {
      if (waiting.expiresAtMs <= nowMs) this.close(waiting.reference);
    }
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

/**
 * Writes the owner's answer for whichever instance the request waits at.
 * @returns the reference, undefined for what is none
 */
export async function decideLocally(
  store: AuthStore,
  typed: string,
  decision: { readonly allowed: boolean; readonly access?: AccessMode; readonly nowMs: number },
): Promise<string | undefined> {
  const bare = normalizedCode(typed);
  if (bare.length !== 2 * REFERENCE_GROUP || !/^[A-Z0-9]+$/.test(bare)) return undefined;
  const reference = `${bare.slice(0, REFERENCE_GROUP)}-${bare.slice(REFERENCE_GROUP)}`;
  const expiresMs = decision.nowMs + CONSENT_MS;
  await store.decisions.put(await sha256(reference), {
    allowed: decision.allowed,
    access: decision.access,
    expiresMs,
  });
  return reference;
}

/** 45 bits: who collects requests by the million still does not hold the one that the owner approves. */
const REFERENCE_GROUP = 5;

function newReference(random: RandomBytes): string {
  return readableCode(random, 2, REFERENCE_GROUP);
}
