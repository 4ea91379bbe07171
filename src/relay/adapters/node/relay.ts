import { once } from 'node:events';
import { createServer, type IncomingMessage, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { WebSocketServer } from 'ws';
import type { FetchDocument } from '../../../auth/index.ts';
import type { CallRecord } from '../../../mcp/call.ts';
import { Agents } from '../../core/agents.ts';
import { createRelay, type Relay } from '../../core/relay.ts';
import { sealingKey } from '../../core/sealing-key.ts';
import type { SignInMethod } from '../../identity/identity.ts';
import { AGENT_CONNECT_PATH, MAX_FRAME_BYTES } from '../../protocol.ts';
import { NodeHub } from './hub.ts';
import type { RelayDatabase } from './sql.ts';

const HEADERS_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** How long an agent may take for the closing handshake. */
const CLOSE_TIMEOUT_MS = 1_000;

export interface NodeRelayOptions {
  readonly database: RelayDatabase;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Where a proxy or tunnel makes the relay reachable; the listening address when it is left out. */
  readonly publicUrl?: string | undefined;
  /** Ways to sign in; a function of the database, where the owner's codes are. */
  readonly methods: readonly SignInMethod[];
  /** OAUTH_COOKIE_SECRET; else one is made and kept in the database. */
  readonly cookieSecret?: string | undefined;
  /** Header in which the proxy in front says who calls. */
  readonly clientAddressHeader?: string | undefined;
  readonly fetchDocument?: FetchDocument;
  readonly maxToolMs?: number | undefined;
  readonly onCall?: (record: CallRecord, userId: string) => void;
  readonly onRequest?: (method: string, path: string, status: number) => void;
  readonly onError: (error: unknown) => void;
  readonly now?: () => number;
}

export interface NodeRelay {
  readonly url: string;
  readonly port: number;
  readonly hub: NodeHub;
  readonly core: Relay;
  /** Stops accepting, tells the agents, and drops what is left after `graceMs`. Leaves the database open. */
  close(graceMs: number): Promise<void>;
}

/** Starts the relay in this process. @throws the system error of `listen` */
export async function startNodeRelay(options: NodeRelayOptions): Promise<NodeRelay> {
  const { database, onError } = options;
  const now = options.now ?? Date.now;
  const hub = new NodeHub({ agents: new Agents(database.sql), onError, now });
  const key = await sealingKey(options.cookieSecret, database.store);
  const addresses = new WeakMap<Request, string>();

  const server = createServer({
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: 65_000,
  });
  server.listen(options.port, options.host);
  await once(server, 'listening').catch((error: unknown) => {
    hub.close();
    throw error;
  });
  const { port } = server.address() as AddressInfo; // a listening TCP server has an AddressInfo
  const url =
    options.publicUrl ?? `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`;

  const { sql, store } = database;
  const { methods, fetchDocument, maxToolMs, onCall } = options;
  const core = createRelay({
    ...{ sql, store, hub, key, methods, fetchDocument, maxToolMs, onCall, onError, now },
    publicUrl: new URL(url).origin,
    clientAddress: (request) => addresses.get(request),
    longLived: true,
  });
  core.app.all(AGENT_CONNECT_PATH, async (context) => {
    const refused = await core.authenticateAgent(context.req.raw);
    // A WebSocket never comes here: the server hands it over as an upgrade.
    return refused instanceof Response ? refused : new Response(null, { status: 426 });
  });

  const listener = getRequestListener(async (request, { incoming }) => {
    const address = addressOf(incoming as IncomingMessage, options.clientAddressHeader);
    if (address !== undefined) addresses.set(request, address);
    const response = await core.app.fetch(request);
    options.onRequest?.(request.method, new URL(request.url).pathname, response.status);
    return response;
  });
  server.on('request', listener);

  const socketOptions = {
    noServer: true,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false, // results are compressed by themselves, and an idle context costs 300 kB
    closeTimeout: CLOSE_TIMEOUT_MS,
    clientTracking: false,
  };
  const sockets = new WebSocketServer(socketOptions); // closeTimeout is newer than the types
  const upgrade = async (incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const path = (incoming.url ?? '').split('?', 1)[0];
    const headers = new Headers();
    for (const name of ['authorization', 'upgrade'] as const) {
      const value = incoming.headers[name];
      if (value !== undefined) headers.set(name, value);
    }
    const identity =
      path === AGENT_CONNECT_PATH
        ? await core.authenticateAgent(new Request(`${url}${AGENT_CONNECT_PATH}`, { headers }))
        : Response.json({ error: 'not_found' }, { status: 404 });
    options.onRequest?.('GET', path ?? '', identity instanceof Response ? identity.status : 101);
    if (identity instanceof Response) return refuse(socket, identity);
    sockets.handleUpgrade(incoming, socket, head, (accepted) => hub.accept(identity, accepted));
  };
  server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    upgrade(incoming, socket, head).catch((error: unknown) => {
      onError(error);
      socket.destroy();
    });
  });

  return {
    url,
    port,
    hub,
    core,
    async close(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      hub.close();
      const idle = setInterval(() => server.closeIdleConnections(), 20);
      const timer = setTimeout(() => {
        hub.terminate();
        server.closeAllConnections();
      }, graceMs);
      await closed;
      clearInterval(idle);
      clearTimeout(timer);
      hub.terminate();
    },
  };
}

/** The caller's address, where it is known: the proxy's word if one was configured, else the peer unless that is a proxy here. */
function addressOf(incoming: IncomingMessage, header: string | undefined): string | undefined {
  if (header !== undefined) {
    const value = incoming.headers[header.toLowerCase()];
    const list = Array.isArray(value) ? value.join(',') : (value ?? '');
    return list.split(',').at(-1)?.trim() || undefined; // the last one is what our own proxy wrote
  }
  const address = incoming.socket.remoteAddress?.replace(/^::ffff:/, '');
  return address === undefined || /^(127\.|::1$)/.test(address) ? undefined : address;
}

async function refuse(socket: Duplex, response: Response): Promise<void> {
  const body = await response.text();
  const lines = [
    `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ''}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}
