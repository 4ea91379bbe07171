import { once } from 'node:events';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PlainAnswer } from '../mcp/plain-answer.ts';
import { answerEveryday, type Fetch } from './everyday.ts';

export interface Listener {
  /** The bound address, a number where a name was given. */
  readonly address: string;
  /** The bound port. */
  readonly port: number;
  /** Stops accepting, lets open answers end for up to `graceMs`, then drops what is left. */
  close(graceMs: number): Promise<void>;
}

/** Open connections at once; more wait in the accept queue. */
const MAX_CONNECTIONS = 2_048;
/** A request's headers and body must have arrived by then: slow senders hold a connection, nothing else. */
const HEADERS_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 120_000;
const IDLE_SWEEP_MS = 20;

/**
 * Listens on one address.
 * @param fetch the Hono app's `fetch`
 * @param options `strangers`: anybody may send; no body is read before the app has looked at the headers
 * @throws the system error of `listen` (EADDRINUSE, EADDRNOTAVAIL, EACCES)
 */
export async function listen(
  fetch: Fetch,
  address: { host: string; port: number },
  options: { readonly strangers?: boolean } = {},
): Promise<Listener> {
  const { createServer } = await import('node:http');
  const server: Server = createServer(
    { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: 65_000 },
    requestListener(fetch, options.strangers ?? false),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.listen(address.port, address.host);
  await once(server, 'listening');
  const { address: bound, port } = server.address() as AddressInfo; // a listening TCP server has one
  return {
    address: bound,
    port,
    async close(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // A connection that has been answered is kept alive for the next request: none will come.
      const idle = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS);
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearInterval(idle);
      clearTimeout(timer);
    },
  };
}

/** Everyday requests go to the app the short way; for all others the Web API is loaded, once, and @hono/node-server. */
function requestListener(fetch: Fetch, strangers: boolean): RequestListener {
  let web: Promise<RequestListener> | undefined;
  const loadWeb = async () => {
    const { getRequestListener } = await import('@hono/node-server');
    return getRequestListener(async (request) => {
      const answer: Response | PlainAnswer = await fetch(request);
      return answer instanceof PlainAnswer ? answer.toResponse() : answer;
    });
  };
  return async (incoming, outgoing) => {
    try {
      if (!strangers && (await answerEveryday(fetch, incoming, outgoing))) return;
      web ??= loadWeb();
      (await web)(incoming, outgoing);
    } catch {
      // The app answers its own errors: what is left is a connection that broke.
      outgoing.destroy();
    }
  };
}
