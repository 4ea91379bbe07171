import { createHash, randomBytes } from 'node:crypto';

/** How long the link of the start card waits to be opened; one that `local-coder page` gives is for now. */
export const CARD_LINK_MS = 12 * 3600_000;
export const COMMAND_LINK_MS = 10 * 60_000;
/** Links that wait at once. */
const MAX_LINKS = 8;

/** 256 random bits in characters that a fragment of an address may hold. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** The only form in which a login token, a session or its CSRF token is kept. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** The address that opens the page: the token is in the fragment, which no request and no log ever holds. */
export function pageLink(origin: string, token: string): string {
  return `${origin}/#login=${token}`;
}

/** One-time tokens for the links that this process printed. */
export class LoginLinks {
  readonly #expiresMs = new Map<string, number>();
  readonly #now: () => number;

  constructor(clock: () => number = Date.now) {
    this.#now = clock;
  }

  /** @returns the token, of which only the hash is kept */
  add(validMs: number): string {
    const token = newSecret();
    this.#expiresMs.set(hashOf(token), this.#now() + validMs);
    for (const [hash] of this.#expiresMs) {
      if (this.#expiresMs.size <= MAX_LINKS) break;
      this.#expiresMs.delete(hash);
    }
    return token;
  }

  /** Uses a token up. @returns false for one that is unknown, used or expired */
  take(hash: string): boolean {
    const expiresMs = this.#expiresMs.get(hash);
    this.#expiresMs.delete(hash);
    return expiresMs !== undefined && expiresMs > this.#now();
  }
}
