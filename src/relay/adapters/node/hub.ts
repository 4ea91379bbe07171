import type { WebSocket } from 'ws';
import { AgentConnection } from '../../core/agent-connection.ts';
import type { Agents } from '../../core/agents.ts';
import { failure } from '../../core/failures.ts';
import type { AgentCall, AgentIdentity, Outcome, SessionHub } from '../../core/ports.ts';
import { CLOSE, HEARD_WITHIN_MS, HELLO_WITHIN_MS } from '../../protocol.ts';

const SWEEP_MS = 15_000;
/** Bytes that wait for an agent which does not read; with more it counts as offline. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;

export interface NodeHubOptions {
  readonly agents: Agents;
  readonly onError: (error: unknown) => void;
  readonly now: () => number;
}

/** The connections of agents in this process's memory. */
export class NodeHub implements SessionHub {
  readonly #options: NodeHubOptions;
  /** By agent: the connection that counts, the newest that said hello. */
  readonly #ready = new Map<string, AgentConnection>();
  readonly #sockets = new Map<AgentConnection, WebSocket>();
  readonly #byAgent = new Map<string, Set<AgentConnection>>();
  readonly #sweep: NodeJS.Timeout;

  constructor(options: NodeHubOptions) {
    this.#options = options;
    this.#sweep = setInterval(() => void this.sweep().catch(options.onError), SWEEP_MS).unref();
  }

  /** Takes a WebSocket whose credential was checked. */
  accept(identity: AgentIdentity, socket: WebSocket): void {
    const { agents, onError, now } = this.#options;
    const connection = new AgentConnection({
      identity,
      agents,
      onError,
      now,
      socket: {
        send(text) {
          if (socket.readyState !== socket.OPEN || socket.bufferedAmount > MAX_BUFFERED_BYTES) {
            throw new Error('the agent cannot be written to');
          }
          socket.send(text);
        },
        close: (code, reason) => socket.close(code, reason),
      },
      onReady: (ready) => this.#newest(ready),
    });
    this.#sockets.set(connection, socket);
    const ofAgent = this.#byAgent.get(identity.agentId) ?? new Set();
    this.#byAgent.set(identity.agentId, ofAgent.add(connection));
    const helloDue = setTimeout(() => {
      if (!connection.ready) connection.close(CLOSE.silent, 'hello did not come');
    }, HELLO_WITHIN_MS).unref();
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      const message = isBinary ? new Uint8Array(data) : data.toString();
      connection.receive(message).catch(onError);
    });
    socket.on('error', () => socket.terminate()); // a frame that is none, or too large; close follows
    socket.on('close', () => {
      clearTimeout(helloDue);
      this.#sockets.delete(connection);
      ofAgent.delete(connection);
      if (ofAgent.size === 0 && this.#byAgent.get(identity.agentId) === ofAgent) {
        this.#byAgent.delete(identity.agentId);
      }
      if (this.#ready.get(identity.agentId) === connection) this.#ready.delete(identity.agentId);
      connection.closed();
    });
  }

  dispatch(agentId: string, call: AgentCall, signal: AbortSignal): Promise<Outcome> {
    const connection = this.#ready.get(agentId);
    if (!connection?.alive(this.#options.now())) return Promise.resolve(failure('AGENT_OFFLINE'));
    return connection.dispatch(call, signal);
  }

  async online(agentIds: readonly string[]): Promise<ReadonlySet<string>> {
    const nowMs = this.#options.now();
    return new Set(agentIds.filter((id) => this.#ready.get(id)?.alive(nowMs)));
  }

  async revoked(agentId: string): Promise<void> {
    for (const connection of this.#of(agentId)) connection.close(CLOSE.revoked, 'the credential was revoked');
  }

  /** Connections at the moment. */
  get size(): number {
    return this.#sockets.size;
  }

  /** Drops agents that are silent, and those that another process revoked or whose user it suspended. */
  async sweep(): Promise<void> {
    const nowMs = this.#options.now();
    for (const [connection, socket] of this.#sockets) {
      if (nowMs - connection.heardMs <= 2 * HEARD_WITHIN_MS) continue;
      connection.close(CLOSE.silent, 'nothing was heard for too long');
      socket.terminate();
    }
    const ids = [...this.#byAgent.keys()];
    if (ids.length === 0) return;
    for (const agentId of await this.#options.agents.unwelcome(ids)) await this.revoked(agentId);
  }

  /** Tells every agent to come back in a moment. */
  close(): void {
    clearInterval(this.#sweep);
    for (const connection of this.#sockets.keys()) {
      connection.close(CLOSE.restarting, 'the relay ends; connect again');
    }
  }

  /** Drops what has not closed by itself. */
  terminate(): void {
    for (const socket of this.#sockets.values()) socket.terminate();
  }

  #newest(connection: AgentConnection): void {
    const { agentId } = connection.identity;
    this.#ready.set(agentId, connection);
    for (const older of this.#of(agentId)) {
      // One that has not said hello yet may be newer still.
      if (older !== connection && older.ready)
        older.close(CLOSE.replaced, 'another agent uses this credential');
    }
  }

  #of(agentId: string): AgentConnection[] {
    return [...(this.#byAgent.get(agentId) ?? [])];
  }
}
