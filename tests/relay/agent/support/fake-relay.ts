import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { inflateResult, splitFrame } from '../../../../src/relay/frames.ts';
import {
  AGENT_CONNECT_PATH,
  AGENT_PAIR_PATH,
  AGENT_UNPAIR_PATH,
  agentMessage,
  CLOSE,
  type Hello,
  MAX_FRAME_BYTES,
  PING,
  PONG,
  PROTOCOL_VERSION,
  type Request,
  type Result,
} from '../../../../src/relay/protocol.ts';

export const TOKEN = 'token-of-the-fake-relay-0123456789abcdef';
export const AGENT_ID = 'agent_1';
export const CODE = 'GOOD-CODE-1';

/** What the relay has of one agent that is connected. */
export interface Connected {
  readonly socket: WebSocket;
  readonly hello: Hello;
  /** Every message after hello, in order. */
  readonly messages: Record<string, unknown>[];
  /** Frames as they came, for their sizes. */
  readonly frames: { readonly isBinary: boolean; readonly bytes: number }[];
  request(request: Partial<Request> & Pick<Request, 'id' | 'tool'>): void;
  cancel(id: string): void;
  result(id: string): Promise<Result>;
}

/** A relay that speaks protocol.ts and does as it is told, in the process of the test. */
export class FakeRelay {
  readonly connections: Connected[] = [];
  /** Answers to the upgrade, in order; without one the connection is accepted. */
  readonly refusals: number[] = [];
  readonly revoked: string[] = [];
  readonly authorizations: (string | undefined)[] = [];
  attempts = 0;
  /** Does not answer pings, hello or anything: a line that is dead without being closed. */
  mute = false;
  /** What the newer of two with one credential does to the older. */
  replaces = true;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES });
  #wake: () => void = () => {};

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(tls?: { key: string; cert: string }): Promise<FakeRelay> {
    const listener = (request: IncomingMessage, response: ServerResponse) => {
      void relay.#answer(request).then(([status, body]) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(body === undefined ? undefined : JSON.stringify(body));
      });
    };
    const server: Server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
    const relay = new FakeRelay(server);
    server.on('upgrade', (request, socket, head) => {
      relay.attempts++;
      relay.authorizations.push(request.headers.authorization);
      const refusal =
        relay.refusals.shift() ?? (request.headers.authorization === `Bearer ${TOKEN}` ? undefined : 401);
      if (refusal !== undefined || request.url !== AGENT_CONNECT_PATH) {
        socket.end(`HTTP/1.1 ${refusal ?? 404} No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
        relay.#wake();
        return;
      }
      relay.#sockets.handleUpgrade(request, socket, head, (accepted) => relay.#accept(accepted));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Waits for something to be true; looked at again whenever anything has come. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        const others = this.#wake;
        this.#wake = () => {
          others();
          resolve();
        };
      });
    }
  }

  /** The n-th connection, counted from one, once it has said hello. */
  async connected(count = 1): Promise<Connected> {
    await this.until(() => this.connections.length >= count);
    return this.connections[count - 1]!;
  }

  async close(): Promise<void> {
    for (const { socket } of this.connections) socket.terminate();
    this.#sockets.close();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(socket: WebSocket): void {
    let connected: Connected | undefined;
    socket.on('error', () => {});
    socket.on('close', () => this.#tell());
    socket.on('message', (data: Buffer, isBinary) => {
      void this.#receive(socket, connected, data, isBinary).then((accepted) => {
        connected ??= accepted;
        this.#tell();
      });
    });
  }

  async #receive(
    socket: WebSocket,
    connected: Connected | undefined,
    data: Buffer,
    isBinary: boolean,
  ): Promise<Connected | undefined> {
    if (this.mute) return undefined;
    connected?.frames.push({ isBinary, bytes: data.length });
    if (isBinary) {
      const frame = splitFrame(new Uint8Array(data));
      const inflated = frame && (await inflateResult(frame.gzip));
      if (inflated === undefined || typeof inflated === 'string') throw new Error(`bad frame: ${inflated}`);
      connected?.messages.push(JSON.parse(inflated.json) as Record<string, unknown>);
      return undefined;
    }
    const text = data.toString('utf8');
    if (text === PING) {
      socket.send(PONG);
      return undefined;
    }
    const message = agentMessage.parse(JSON.parse(text)); // what an agent says has to be of the protocol
    if (message.type !== 'hello') {
      connected?.messages.push(message);
      return undefined;
    }
    if (this.replaces) {
      for (const older of this.connections) {
        if (older.socket.readyState === older.socket.OPEN) older.socket.close(CLOSE.replaced, 'replaced');
      }
    }
    socket.send(JSON.stringify({ type: 'welcome', protocol: PROTOCOL_VERSION, account: 'someone' }));
    const accepted = this.#connectedBy(socket, message);
    this.connections.push(accepted);
    return accepted;
  }

  #connectedBy(socket: WebSocket, hello: Hello): Connected {
    const messages: Record<string, unknown>[] = [];
    return {
      socket,
      hello,
      messages,
      frames: [],
      request: (request) =>
        socket.send(JSON.stringify({ type: 'request', input: {}, timeoutMs: 5_000, ...request })),
      cancel: (id) => socket.send(JSON.stringify({ type: 'cancel', id })),
      result: async (id) => {
        const find = () => messages.find((message) => message['type'] === 'result' && message['id'] === id);
        await this.until(() => find() !== undefined);
        return find() as Result;
      },
    };
  }

  async #answer(request: IncomingMessage): Promise<[number, unknown?]> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.url === AGENT_UNPAIR_PATH) {
      this.revoked.push(request.headers.authorization ?? '');
      return [204];
    }
    if (request.url !== AGENT_PAIR_PATH) return [404, { nothing: 'here' }];
    const { code } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { code: string };
    if (code !== CODE) return [403, { error: 'pairing_failed', message: 'The code is not valid.' }];
    return [
      200,
      {
        agentId: AGENT_ID,
        agentToken: TOKEN,
        account: 'some\u001b[2Jone@example.org',
        agentDisplayName: 'here',
      },
    ];
  }

  #tell(): void {
    const wake = this.#wake;
    this.#wake = () => {};
    wake();
  }
}
