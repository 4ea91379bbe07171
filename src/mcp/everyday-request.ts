import type { IncomingHttpHeaders } from 'node:http';

/**
 * The part of the Web API's Request that the routes of everyday requests look at, without the cost of that API (see
 * PlainAnswer). The body has been read and parsed.
 */
export class EverydayRequest {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  /** The parsed body; undefined where there is none. */
  readonly message: unknown;
  readonly headers: { get(name: string): string | null };
  readonly #closed: () => AbortSignal;

  /** @param closed gives the signal that is aborted when the client closes the connection; asked for when needed */
  constructor(parts: {
    method: string;
    url: string;
    headers: IncomingHttpHeaders;
    message: unknown;
    closed: () => AbortSignal;
  }) {
    this.method = parts.method;
    this.url = parts.url;
    this.message = parts.message;
    this.headers = {
      get(name) {
        const value = parts.headers[name.toLowerCase()];
        return value === undefined ? null : String(value);
      },
    };
    this.#closed = parts.closed;
  }

  get signal(): AbortSignal {
    return this.#closed();
  }
}
