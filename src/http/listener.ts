import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';

export interface Listener {
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
 * @throws the system error of `listen` (EADDRINUSE, EADDRNOTAVAIL, EACCES)
 */
export async function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  address: { host: string; port: number },
): Promise<Listener> {
  const { createServer } = await import('node:http');
  const server: Server = createServer(
    { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: 65_000 },
    getRequestListener(fetch),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.listen(address.port, address.host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port, // a listening TCP server has an AddressInfo
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
