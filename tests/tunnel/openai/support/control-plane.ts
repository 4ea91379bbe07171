import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { checkRequest } from './contract.ts';

/** What goes wrong with one request. */
export type Fault =
  /** A status without effect. */
  | { readonly status: number; readonly code?: string; readonly retryAfter?: string }
  /** The connection breaks before the request had an effect. */
  | 'drop-before'
  /** The connection breaks after it had its effect, before any answer. */
  | 'drop-after'
  /** The connection breaks half way through the answer; a poll's commands are delivered again. */
  | 'cut'
  /** The whole answer of a poll arrives, but the service does not know it and delivers again. */
  | 'redeliver'
  /** 200 with a page of HTML, as captive portals send. */
  | 'html'
  /** No answer at all. */
  | 'hang';

export type RequestKind = 'metadata' | 'poll' | 'notify' | 'final';

export interface CommandOptions {
  readonly responseTimeout?: unknown;
  readonly headers?: Record<string, string[]>;
  readonly channel?: string;
  /** Further or other fields of the command as it is sent. */
  readonly fields?: Record<string, unknown>;
}

/** What came back for a command. */
export interface Answered {
  readonly requestId: string;
  /** Bodies of jsonrpc_notify, in their order. */
  readonly notifications: Payload[];
  /** The one final body. */
  readonly final: Payload;
  /** Exact text of the final body. */
  readonly text: string;
  readonly headers: IncomingMessage['headers'];
}

export interface Payload {
  readonly request_id: string;
  readonly channel?: string;
  readonly resp_json?: Record<string, unknown> & {
    result?: Record<string, unknown>;
    error?: { code: number };
  };
  readonly resp_headers?: Record<string, string[]>;
  readonly resp_code: number;
  readonly resp_type: string;
}

interface Pending {
  readonly fields: Record<string, unknown>;
  readonly tokens: Set<string>;
  readonly notifications: Payload[];
  readonly resolve: (answered: Answered) => void;
}

/** The service's side of the tunnel, from its contract; every request is held against it. */
export class TestControlPlane {
  readonly tunnelId = `tunnel_${randomBytes(16).toString('hex')}`;
  readonly apiKey = `sk-test-${randomBytes(12).toString('hex')}`;
  /** Breaches of the contract and of the rules around it. */
  readonly breaches: string[] = [];
  /** Each poll: what was asked for. */
  readonly polls: { limit: number; waitMs: number; atMs: number }[] = [];
  /** Ids of commands that were answered again after the end, with the outcome they were told. */
  readonly settledAgain: string[] = [];
  /** Decides what goes wrong, request by request. */
  fault: (kind: RequestKind, attempt: number) => Fault | undefined = () => undefined;
  /** More commands than a poll asked for are handed out at once. */
  overfill = false;
  /** The longest that a poll is held, whatever it asks for. */
  holdMs = 1_000;
  /** The service's own bound of one poll. */
  maxBatch = 25;
  readonly attempts: Record<RequestKind, number> = { metadata: 0, poll: 0, notify: 0, final: 0 };

  readonly #server: Server;
  readonly #pending = new Map<string, Pending>();
  readonly #settled = new Map<string, Record<string, unknown>>();
  #queue: string[] = [];
  #wake: () => void = () => {};
  #count = 0;

  /** @param tls serves https with this certificate */
  constructor(tls?: { key: string; cert: string }) {
    const handle: RequestListener = (request, response) => {
      this.#handle(request, response).catch((error: unknown) =>
        this.breaches.push(`control plane: ${error}`),
      );
    };
    this.#server = tls === undefined ? createServer(handle) : createSecureServer(tls, handle);
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get unanswered(): number {
    return this.#pending.size;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** Ends every connection, idle ones and those of a waiting poll. */
  breakConnections(): void {
    this.#server.closeAllConnections();
  }

  /** Queues a command; resolves with its final answer. */
  send(jsonrpc: unknown, options: CommandOptions = {}): Promise<Answered> {
    return this.sendCommand({ command_type: 'jsonrpc', jsonrpc }, options);
  }

  /** A tools/call of the 2025 era. */
  call(name: string, args: object, id: string | number, options?: CommandOptions): Promise<Answered> {
    return this.send(
      { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } },
      options,
    );
  }

  sendCommand(fields: Record<string, unknown>, options: CommandOptions = {}): Promise<Answered> {
    const { promise, resolve } = Promise.withResolvers<Answered>();
    const requestId = `req_${++this.#count}`;
    this.#pending.set(requestId, {
      fields: {
        request_id: requestId,
        created_at: new Date().toISOString(),
        channel: options.channel ?? 'main',
        headers: options.headers ?? {},
        ...(options.responseTimeout === undefined ? {} : { response_timeout: options.responseTimeout }),
        ...fields,
        ...options.fields,
      },
      tokens: new Set(),
      notifications: [],
      resolve,
    });
    this.#queue.push(requestId);
    this.#wake();
    return promise;
  }

  /** Delivers a command once more after its end, as a service that has lost its memory does. */
  redeliver({ requestId }: Answered): Promise<Answered> {
    const { promise, resolve } = Promise.withResolvers<Answered>();
    const fields = this.#settled.get(requestId);
    if (fields === undefined) throw new Error(`${requestId} is not settled`);
    this.#settled.delete(requestId);
    this.#pending.set(requestId, { fields, tokens: new Set(), notifications: [], resolve });
    this.#queue.push(requestId);
    this.#wake();
    return promise;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const url = new URL(request.url ?? '', this.baseUrl);
    const { path, breaches } = checkRequest({
      method: request.method ?? '',
      url,
      headers: request.headers,
      body,
    });
    this.breaches.push(...breaches.map((breach) => `${request.method} ${url.pathname}: ${breach}`));
    this.#checkHeaders(request);
    switch (path) {
      case '/v1/tunnels/{tunnel_id}':
        return this.#metadata(response);
      case '/v1/tunnels/{tunnel_id}/poll':
        return this.#poll(url, response);
      case '/v1/tunnels/{tunnel_id}/response':
        return this.#answer(request, body, response);
      default:
        return sendError(response, { status: 404 });
    }
  }

  #checkHeaders({ url, headers }: IncomingMessage): void {
    const expect = (holds: boolean, what: string) => holds || this.breaches.push(`${url}: ${what}`);
    expect(headers.authorization === `Bearer ${this.apiKey}`, 'not the bearer key');
    expect(url?.includes(`/v1/tunnels/${this.tunnelId}`) === true, 'not the tunnel id');
    expect(url?.includes(this.apiKey) === false, 'the key is in the URL');
    expect(headers['x-tunnel-client-name'] === 'local-coder', 'no client name');
    expect(/^\d+\.\d+\.\d+/.test(String(headers['x-tunnel-client-version'])), 'no client version');
    expect(/^[\w-]{20,}$/.test(String(headers['x-tunnel-client-instance-id'])), 'no instance id');
    expect(
      headers['x-tunnel-mcp-server-info'] ===
        '{"version":1,"channels":[{"name":"main","proc_affinity":true}]}',
      'not the server information',
    );
  }

  #metadata(response: ServerResponse): void {
    const fault = this.fault('metadata', ++this.attempts.metadata);
    const record = { id: this.tunnelId, name: 'Test tunnel', description: '', owner: { ignored: true } };
    send(response, 200, JSON.stringify(record), fault);
  }

  async #poll(url: URL, response: ServerResponse): Promise<void> {
    const limit = Number(url.searchParams.get('limit'));
    const waitMs = Number(url.searchParams.get('timeout_ms'));
    this.polls.push({ limit, waitMs, atMs: performance.now() });
    const fault = this.fault('poll', ++this.attempts.poll);
    if (fault === 'drop-before' || fault === 'html' || typeof fault === 'object')
      return send(response, 200, '', fault);
    if (this.#queue.length === 0) await this.#untilQueued(Math.min(waitMs, this.holdMs), response);
    if (response.socket?.destroyed !== false) return; // what is queued waits for the next poll
    const taken = this.#queue.splice(
      0,
      this.overfill ? Number.POSITIVE_INFINITY : Math.min(limit, this.maxBatch),
    );
    const commands = taken.map((requestId) => this.#deliver(requestId));
    // What the service cannot know to have arrived is delivered again.
    if (fault !== undefined) this.#queue.unshift(...taken);
    if (commands.length === 0 && fault === undefined) return send(response, 204, '');
    send(response, 200, JSON.stringify({ commands }), fault === 'redeliver' ? undefined : fault);
  }

  #deliver(requestId: string): Record<string, unknown> {
    const pending = this.#pending.get(requestId);
    const token = `token-${randomBytes(6).toString('hex')}`;
    pending?.tokens.add(token);
    return { shard_token: token, ...pending?.fields };
  }

  #untilQueued(waitMs: number, response: ServerResponse): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      response.once('close', this.#wake);
    });
  }

  #answer(request: IncomingMessage, body: string, response: ServerResponse): void {
    const payload = JSON.parse(body) as Payload;
    const kind = payload.resp_type === 'jsonrpc_notify' ? 'notify' : 'final';
    const fault = this.fault(kind, ++this.attempts[kind]);
    const effective = fault === undefined || fault === 'drop-after' || fault === 'cut';
    const token = String(request.headers['x-tunnel-shard-token']);
    if (body.includes(token)) this.breaches.push('the shard token is in a body');
    if (!effective) {
      send(response, 200, '', fault);
      return;
    }
    const pending = this.#pending.get(payload.request_id);
    if (pending === undefined) {
      if (!this.#settled.has(payload.request_id)) this.breaches.push(`${payload.request_id} is nobody's`);
      this.settledAgain.push(payload.request_id);
      sendError(response, { status: 404, code: 'pending_request_not_found' });
      return;
    }
    if (!pending.tokens.has(token)) this.breaches.push(`${payload.request_id}: not one of its tokens`);
    if (payload.channel !== pending.fields['channel'])
      this.breaches.push(`${payload.request_id}: not its channel`);
    if (kind === 'notify') pending.notifications.push(payload);
    else this.#settle(pending, payload, body, request);
    send(response, 200, '{"status":"ok"}', fault);
  }

  #settle(pending: Pending, final: Payload, body: string, { headers }: IncomingMessage): void {
    const requestId = final.request_id;
    this.#pending.delete(requestId);
    this.#settled.set(requestId, pending.fields);
    this.#queue = this.#queue.filter((queued) => queued !== requestId);
    pending.resolve({ requestId, notifications: pending.notifications, final, text: body, headers });
  }
}

function send(response: ServerResponse, status: number, body: string, fault?: Fault): void {
  if (fault === 'hang') return;
  if (fault === 'drop-before' || fault === 'drop-after') {
    response.destroy();
  } else if (fault === 'cut') {
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length + 10 });
    response.write(body.slice(0, body.length / 2), () => response.destroy());
  } else if (fault === 'html') {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Sign in to the network</html>');
  } else if (typeof fault === 'object') {
    sendError(response, fault);
  } else if (status === 204) {
    response.writeHead(204).end();
  } else {
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  }
}

function sendError(
  response: ServerResponse,
  { status, code, retryAfter }: { status: number; code?: string; retryAfter?: string },
): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
  });
  const error = { message: 'As the test wants it.', type: 'test', param: null, code: code ?? null };
  response.end(JSON.stringify({ error }));
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
