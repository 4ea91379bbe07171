import {
  CLOSE,
  HEARD_WITHIN_MS,
  hello,
  MAX_FRAME_BYTES,
  PING,
  PONG,
  PROTOCOL_VERSION,
  type RelayMessage,
  workspaceSync,
} from '../protocol.ts';
import type { Agents } from './agents.ts';
import { failure } from './failures.ts';
import { PendingCalls, parseObject } from './pending-calls.ts';
import type { AgentCall, AgentIdentity, Outcome } from './ports.ts';

/** hello and workspace_sync write to the database: an agent that sends more of them in a minute is out of order. */
const CONTROL_MESSAGES = 60;
const CONTROL_WINDOW_MS = 60_000;

/** What a runtime's WebSocket has to do here. */
export interface AgentSocket {
  /** Throws when the socket is not open. */
  send(text: string): void;
  close(code: number, reason: string): void;
}

export interface AgentConnectionOptions {
  readonly identity: AgentIdentity;
  readonly socket: AgentSocket;
  readonly agents: Agents;
  /** The agent has said hello and may be called; also called again when the connection outlived a hibernation. */
  readonly onReady: (connection: AgentConnection) => void;
  /** True for a connection that has said hello in an earlier life of this object. */
  readonly ready?: boolean;
  /** When something last came, if the connection is not new. */
  readonly heardMs?: number;
  readonly onError: (error: unknown) => void;
  readonly now: () => number;
}

/** One WebSocket of an agent, whatever the runtime: reads its messages, and has its calls. */
export class AgentConnection {
  readonly identity: AgentIdentity;
  readonly calls: PendingCalls;
  /** When something came from the agent. */
  heardMs: number;
  ready: boolean;
  readonly #options: AgentConnectionOptions;
  /** hello and workspace_sync write to the database: one after the other, in the order in which they came. */
  #control: Promise<void> = Promise.resolve();
  #controlled = { sinceMs: 0, count: 0 };

  constructor(options: AgentConnectionOptions) {
    this.#options = options;
    this.identity = options.identity;
    this.ready = options.ready ?? false;
    this.heardMs = options.heardMs ?? options.now();
    this.calls = new PendingCalls((message) => this.#send(message));
  }

  /** True when the data path answered lately; a socket alone proves nothing. */
  alive(nowMs: number, heardMs: number = this.heardMs): boolean {
    return this.ready && nowMs - heardMs <= HEARD_WITHIN_MS;
  }

  /** Takes one WebSocket message. Resolves when it has had its effect. */
  async receive(data: string | Uint8Array<ArrayBuffer>): Promise<void> {
    this.heardMs = this.#options.now();
    if (data === PING) return this.#options.socket.send(PONG);
    if (data.length > MAX_FRAME_BYTES) return this.#protocolError('the message is too large');
    if (typeof data !== 'string') {
      if (!(await this.calls.compressed(data)))
        this.#protocolError('the binary message is none of the protocol');
      return;
    }
    const message = parseObject(data);
    if (message === undefined) return this.#protocolError('the message is no JSON object');
    switch (message['type']) {
      case 'result':
        return this.calls.result(message);
      case 'hello':
        return this.#inOrder(() => this.#hello(message));
      case 'workspace_sync':
        return this.#inOrder(() => this.#sync(message));
      default: // a newer agent says what this relay need not know
    }
  }

  dispatch(call: AgentCall, signal?: AbortSignal): Promise<Outcome> {
    return this.ready ? this.calls.dispatch(call, signal) : Promise.resolve(failure('AGENT_OFFLINE'));
  }

  /** Closes from this side; the calls of this connection fail at once. */
  close(code: number, reason: string): void {
    this.ready = false;
    this.calls.failAll();
    try {
      this.#options.socket.close(code, reason);
    } catch {
      // closed already
    }
  }

  /** The socket was closed by the other side, or broke. */
  closed(): void {
    this.ready = false;
    this.calls.failAll();
  }

  async #hello(message: Record<string, unknown>): Promise<void> {
    const version = message['protocol'];
    if (typeof version === 'number' && version !== PROTOCOL_VERSION) {
      return this.close(CLOSE.unsupportedProtocol, `this relay speaks protocol ${PROTOCOL_VERSION}`);
    }
    const parsed = hello.safeParse(message);
    if (!parsed.success) return this.#protocolError('hello is not valid');
    const { identity, agents, now } = this.#options;
    if (parsed.data.agentId !== identity.agentId) {
      return this.close(CLOSE.wrongAgent, 'hello names another agent than the credential does');
    }
    const account = await agents.hello(identity, parsed.data, now());
    if (account === undefined) return this.close(CLOSE.revoked, 'the credential is not valid any more');
    this.ready = true;
    this.#send({ type: 'welcome', protocol: PROTOCOL_VERSION, account });
    this.#options.onReady(this);
  }

  async #sync(message: Record<string, unknown>): Promise<void> {
    const parsed = workspaceSync.safeParse(message);
    if (!parsed.success) return this.#protocolError('workspace_sync is not valid');
    if (!this.ready) return this.#protocolError('workspace_sync came before hello');
    if (!(await this.#options.agents.sync(this.identity, parsed.data.workspaces))) {
      this.close(CLOSE.revoked, 'the credential is not valid any more');
    }
  }

  #inOrder(work: () => Promise<void>): Promise<void> {
    if (this.heardMs - this.#controlled.sinceMs > CONTROL_WINDOW_MS) {
      this.#controlled = { sinceMs: this.heardMs, count: 0 };
    }
    if (++this.#controlled.count > CONTROL_MESSAGES) {
      this.#protocolError('too many messages');
      return this.#control;
    }
    this.#control = this.#control.then(work).catch((error: unknown) => {
      this.#options.onError(error);
      this.close(CLOSE.protocolError, 'the relay could not take the message');
    });
    return this.#control;
  }

  #protocolError(reason: string): void {
    this.close(CLOSE.protocolError, reason);
  }

  #send(message: RelayMessage): void {
    this.#options.socket.send(JSON.stringify(message));
  }
}
