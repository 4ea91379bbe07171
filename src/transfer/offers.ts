import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { CodedError } from '../runtime/errors.ts';

/** How long an offered file can be fetched, once. */
export const OFFER_MS = 10 * 60_000;
const MAX_OFFERS = 1_000;

export interface Offer {
  /** Absolute path, checked when it was offered; whoever serves it checks it again. */
  readonly path: string;
  readonly mimeType: string;
}

/**
 * Files that send_file offers to the chat, each under an unguessable address that works once and for ten minutes.
 */
export class FileOffers {
  readonly #offers = new Map<string, Offer & { expiresMs: number }>();
  #baseUrl: string | undefined;

  /** The address under which this process can be reached, once it is known; without one nothing can be offered. */
  setBaseUrl(url: string | undefined): void {
    this.#baseUrl = url;
  }

  /** @returns the one-time address of a file */
  add(offer: Offer): string {
    if (this.#baseUrl === undefined) {
      throw new CodedError(
        'NOT_AVAILABLE',
        'There is no address under which a file could be fetched: this client is served over stdio.',
        'Return the content with read_text_file or read_file_base64 instead.',
      );
    }
    this.#forgetExpired();
    if (this.#offers.size >= MAX_OFFERS) {
      throw new CodedError(
        'BUSY',
        `${MAX_OFFERS} files are on offer already.`,
        'Fetch some of them, or wait ten minutes.',
      );
    }
    const token = randomBytes(32).toString('base64url');
    this.#offers.set(token, { ...offer, expiresMs: performance.now() + OFFER_MS });
    return `${this.#baseUrl}/files/${token}/${encodeURIComponent(basename(offer.path))}`;
  }

  /** The offer behind a token; it is used up by this. */
  take(token: string): Offer | undefined {
    this.#forgetExpired();
    const offer = this.#offers.get(token);
    this.#offers.delete(token);
    return offer;
  }

  #forgetExpired(): void {
    const now = performance.now();
    for (const [token, offer] of this.#offers) if (offer.expiresMs <= now) this.#offers.delete(token);
  }
}
