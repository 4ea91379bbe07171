import type { IncomingMessage } from 'node:http';
import type { RawData, WebSocket } from 'ws';
import { createAgent, describeNetworkError } from '../../runtime/http-agent.ts';
import { ProxySettingError, proxyFor } from '../../runtime/proxy.ts';
import { VERSION } from '../../runtime/version.ts';
import {
  CLOSE,
  cancel,
  HEARTBEAT_MS,
  HELLO_WITHIN_MS,
  type Hello,
  MAX_FRAME_BYTES,
  PING,
  PONG,
  PONG_WITHIN_MS,
  request,
  STOP_CODES,
  type WorkspaceSync,
  welcome,
} from '../protocol.ts';
import { CallDesk, type ServeCall } from './call-desk.ts';

/** Milliseconds; tests shorten them. */
export interface ConnectionTimings {
  readonly handshakeMs: number;
  readonly welcomeMs: number;
  readonly heartbeatMs: number;
  readonly pongMs: number;
}

export const TIMINGS: ConnectionTimings = {
  handshakeMs: 15_000,
  welcomeMs: HELLO_WITHIN_MS,
  heartbeatMs: HEARTBEAT_MS,
  pongMs: PONG_WITHIN_MS,
};

/** Closing waits this long for the other side, then breaks off. */
const CLOSE_MS = 1_000;

export interface ConnectionOptions {
  /** ws: or wss: */
  readonly url: string;
  readonly token: string;
  readonly hello: Hello;
  readonly serve: ServeCall;
  readonly env: NodeJS.ProcessEnv;
  readonly timings: ConnectionTimings;
  /** Certificates to trust instead of the system's. */
  readonly ca?: string | undefined;
  /** The relay has accepted the agent. */
  readonly onWelcome: (account: string) => void;
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** How a connection ended: to be made again, or not by itself. */
export interface ConnectionEnd {
  readonly kind: 'lost' | 'stop';
  readonly message: string;
  /** Of a `stop`: the credential is worth nothing (any more). */
  readonly refused?: boolean;
}

export interface AgentConnection {
  /** Resolves when the connection has ended, never rejects. */
  readonly ended: Promise<ConnectionEnd>;
  sync(message: WorkspaceSync): void;
  /** Closes from this side; `ended` resolves soon. */
  close(): void;
}

/** Opens one connection to the relay and serves its calls until it ends. */
export async function connect(options: ConnectionOptions): Promise<AgentConnection> {
  const { WebSocket } = await import('ws');
  const httpUrl = new URL(options.url.replace(/^ws/, 'http'));
  let socket: WebSocket;
  try {
    const proxy = proxyFor(httpUrl, options.env);
    socket = new WebSocket(options.url, {
      headers: { authorization: `Bearer ${options.token}`, 'user-agent': `local-coder/${VERSION}` },
      handshakeTimeout: options.timings.handshakeMs,
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: false,
      followRedirects: false,
      ...(options.ca !== undefined && { ca: options.ca }),
      // Not in the types of ws yet.
      ...({ closeTimeout: CLOSE_MS } as object),
      ...(proxy !== undefined &&
        httpUrl.protocol === 'https:' && {
          agent: await createAgent({
            protocol: 'https:',
            proxy,
            keepAlive: false,
            ca: options.ca,
            maxConnections: 1,
          }),
        }),
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const kind = error instanceof ProxySettingError ? 'stop' : 'lost';
    return { ended: Promise.resolve({ kind, message }), sync: () => {}, close: () => {} };
  }
  return new OpenConnection(socket, options);
}

class OpenConnection implements AgentConnection {
  readonly ended: Promise<ConnectionEnd>;
  readonly #socket: WebSocket;
  readonly #options: ConnectionOptions;
  readonly #calls: CallDesk;
  readonly #end: (end: ConnectionEnd) => void;
  #isWelcome = false;
  /** Runs while something has to come. */
  #timer: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #failure: string | undefined;

  constructor(socket: WebSocket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#calls = new CallDesk({
      serve: options.serve,
      send: (frame) => this.#send(frame),
      onError: options.onError,
    });
    let end: (value: ConnectionEnd) => void = () => {};
    this.ended = new Promise((resolve) => {
      end = resolve;
    });
    this.#end = end;
    socket.on('open', () => {
      this.#send(JSON.stringify(options.hello));
      this.#expect(options.timings.welcomeMs, 'the relay did not accept the agent in time');
    });
    socket.on('message', (data, isBinary) => {
      if (!isBinary) this.#receive(textOf(data));
    });
    socket.on('unexpected-response', (_request, response) => this.#refusedWith(response));
    socket.on('error', (error) => {
      this.#failure ??= describeNetworkError(error);
    });
    socket.on('close', (code, reason) => this.#closed(code, reason.toString('utf8')));
  }

  sync(message: WorkspaceSync): void {
    if (this.#isWelcome) this.#send(JSON.stringify(message));
  }

  close(): void {
    this.#failure ??= 'closed';
    this.#calls.close();
    this.#socket.close(1000);
  }

  #send(frame: string | Uint8Array): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(frame, (error) => {
      if (error) this.#options.onError?.(error);
    });
  }

  /** Ends a connection over which nothing comes, without waiting for a dead line to agree. */
  #expect(withinMs: number, otherwise: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#failure = otherwise;
      this.#socket.terminate();
    }, withinMs);
  }

  #expectNothing(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #receive(text: string): void {
    // Whatever comes proves that the line is alive.
    if (this.#isWelcome) this.#expectNothing();
    if (text === PONG) return;
    const message = objectOf(text);
    if (message === undefined) return;
    switch (message['type']) {
      case 'welcome': {
        const parsed = welcome.safeParse(message);
        if (!parsed.success || this.#isWelcome) return;
        this.#isWelcome = true;
        this.#expectNothing();
        this.#startHeartbeat();
        this.#options.onWelcome(parsed.data.account);
        return;
      }
      case 'request': {
        const parsed = request.safeParse(message);
        if (parsed.success) this.#calls.take(parsed.data);
        else this.#refuseInvalid(message['id'], parsed.error.issues[0]);
        return;
      }
      case 'cancel': {
        const parsed = cancel.safeParse(message);
        if (parsed.success) this.#calls.cancel(parsed.data.id);
        return;
      }
      default: // a newer relay says what this agent need not know
    }
  }

  /** Sent whatever else goes to and fro: the relay counts on it. */
  #startHeartbeat(): void {
    const { heartbeatMs, pongMs } = this.#options.timings;
    this.#heartbeat = setInterval(() => {
      this.#send(PING);
      if (this.#timer === undefined) this.#expect(pongMs, 'the relay does not answer any more');
    }, heartbeatMs);
  }

  #refuseInvalid(id: unknown, issue: { path: PropertyKey[]; message: string } | undefined): void {
    if (typeof id !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(id)) return;
    this.#calls.refuseInvalid(id, `"${issue?.path.join('.')}": ${issue?.message}`);
  }

  #refusedWith(response: IncomingMessage): void {
    const status = response.statusCode ?? 0;
    response.resume();
    if (status === 401) {
      this.#finish({
        kind: 'stop',
        refused: true,
        message:
          'The relay does not know this agent any more (401): it was revoked. Run local-coder unpair, then pair again.',
      });
    } else if (status === 403) {
      this.#finish({
        kind: 'stop',
        refused: true,
        message: 'The relay refuses this agent (403): the account is suspended, or may not use it.',
      });
    } else {
      this.#finish({ kind: 'lost', message: `the relay answers with status ${status}` });
    }
    this.#socket.terminate();
  }

  #closed(code: number, reason: string): void {
    const said = reason === '' ? `code ${code}` : `code ${code}: ${reason}`;
    if (!STOP_CODES.has(code)) {
      this.#finish({ kind: 'lost', message: this.#failure ?? `the relay closed the connection (${said})` });
      return;
    }
    const message =
      code === CLOSE.replaced
        ? 'Another agent has connected with the same credential, and the newer one wins. To run both, pair each with a code of its own.'
        : code === CLOSE.revoked
          ? 'The relay has revoked this agent. Run local-coder unpair, then pair again.'
          : code === CLOSE.unsupportedProtocol
            ? `The relay speaks another version of the protocol (${reason}). Update the older of the two.`
            : `The relay refuses this agent (${said}). Run local-coder unpair, then pair again.`;
    this.#finish({ kind: 'stop', message, refused: code !== CLOSE.replaced });
  }

  #finish(end: ConnectionEnd): void {
    clearTimeout(this.#timer);
    clearInterval(this.#heartbeat);
    this.#calls.close();
    this.#end(end);
  }
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8');
  return Buffer.isBuffer(data) ? data.toString('utf8') : Buffer.from(data).toString('utf8');
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>) // checked in this line
      : undefined;
  } catch {
    return undefined;
  }
}
