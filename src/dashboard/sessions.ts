import { hashOf, newSecret } from './login-links.ts';

const IDLE_MS = 12 * 3600_000;
/** Browsers at once; the one that was idle longest is logged out for a new one. */
const MAX_SESSIONS = 16;

export interface Session {
  /** Ended by logout, by idleness found at the next look, and by the end of the server. */
  readonly ended: AbortSignal;
}

interface Kept extends Session {
  readonly csrfHash: string;
  readonly end: AbortController;
  usedMs: number;
}

/** Who is logged in to the page. A session lives in the tab's sessionStorage and here as a hash; nothing is a cookie. */
export class Sessions {
  readonly #sessions = new Map<string, Kept>();
  readonly #now: () => number;

  constructor(clock: () => number = Date.now) {
    this.#now = clock;
  }

  open(): { readonly session: string; readonly csrf: string } {
    const [session, csrf] = [newSecret(), newSecret()];
    const end = new AbortController();
    this.#sessions.set(hashOf(session), {
      csrfHash: hashOf(csrf),
      end,
      ended: end.signal,
      usedMs: this.#now(),
    });
    for (const [hash] of this.#sessions) {
      if (this.#sessions.size <= MAX_SESSIONS) break;
      this.#end(hash);
    }
    return { session, csrf };
  }

  /** The session that a request names. Looked up by hash: how long that takes tells nothing of the secret. */
  find(session: string | undefined): Session | undefined {
    if (session === undefined) return undefined;
    const hash = hashOf(session);
    const found = this.#sessions.get(hash);
    if (found === undefined) return undefined;
    if (found.usedMs + IDLE_MS <= this.#now()) {
      this.#end(hash);
      return undefined;
    }
    found.usedMs = this.#now();
    // The order is that of the last use.
    this.#sessions.delete(hash);
    this.#sessions.set(hash, found);
    return found;
  }

  /** Whether the CSRF token belongs to this very session. */
  proves(session: string | undefined, csrf: string | undefined): boolean {
    if (session === undefined || csrf === undefined) return false;
    return this.#sessions.get(hashOf(session))?.csrfHash === hashOf(csrf);
  }

  close(session: string): void {
    this.#end(hashOf(session));
  }

  closeAll(): void {
    for (const hash of [...this.#sessions.keys()]) this.#end(hash);
  }

  #end(hash: string): void {
    const session = this.#sessions.get(hash);
    this.#sessions.delete(hash);
    session?.end.abort();
  }
}
