import { DurableObject } from 'cloudflare:workers';
import { AgentConnection } from '../../core/agent-connection.ts';
import { Agents } from '../../core/agents.ts';
import { failure } from '../../core/failures.ts';
import type { AgentCall, AgentIdentity, Outcome } from '../../core/ports.ts';
import { CLOSE, HEARD_WITHIN_MS, PING, PONG } from '../../protocol.ts';
import type { AgentSessionStub, RelayEnv } from './env.ts';
import { type DurableObjectState, OPEN, type WorkerWebSocket, workerGlobals } from './runtime.ts';
import { d1Sql } from './sql.ts';

/** What must outlive a hibernation of the object, at each socket. */
interface Attachment extends AgentIdentity {
  readonly acceptedMs: number;
  readonly ready: boolean;
}

/** Header by which the Worker, which has checked the credential, names the agent; nobody outside reaches this object. */
export const IDENTITY_HEADER = 'x-local-coder-agent';

/**
 * The connections of one agent. The object hibernates while nothing is called: the runtime keeps the sockets and
 * answers the heartbeat, and the next call builds the object anew.
 */
export class AgentSession extends DurableObject<RelayEnv> implements AgentSessionStub {
  readonly #agents: Agents;
  readonly #connections = new Map<WorkerWebSocket, AgentConnection>();
  /** Tells one life of the object from the next. */
  readonly #life = crypto.randomUUID();

  constructor(ctx: DurableObjectState, env: RelayEnv) {
    super(ctx, env);
    this.#agents = new Agents(d1Sql(env.DB));
    const { WebSocketRequestResponsePair } = workerGlobals;
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
  }

  /** Takes the WebSocket of a request that the Worker let through. */
  async fetch(request: Request): Promise<Response> {
    const identity = JSON.parse(request.headers.get(IDENTITY_HEADER) ?? '') as AgentIdentity; // written by connect
    const { 0: client, 1: server } = new workerGlobals.WebSocketPair();
    this.ctx.acceptWebSocket(server, ['agent']);
    const attachment: Attachment = { ...identity, acceptedMs: Date.now(), ready: false };
    server.serializeAttachment(attachment);
    const init = { status: 101, webSocket: client }; // a field that only this runtime's Response knows
    return new Response(null, init);
  }

  async dispatch(call: AgentCall): Promise<Outcome> {
    const connection = this.#alive();
    return connection === undefined ? failure('AGENT_OFFLINE') : connection.dispatch(call);
  }

  async cancel(callId: string): Promise<void> {
    for (const connection of this.#connections.values()) connection.calls.cancel(callId);
  }

  async online(): Promise<boolean> {
    return this.#alive() !== undefined;
  }

  async revoked(): Promise<void> {
    for (const socket of this.ctx.getWebSockets()) {
      this.#connection(socket).close(CLOSE.revoked, 'the credential was revoked');
    }
  }

  /** Changes with each life of the object. */
  async life(): Promise<string> {
    return this.#life;
  }

  async webSocketMessage(socket: WorkerWebSocket, data: string | ArrayBuffer): Promise<void> {
    await this.#connection(socket).receive(typeof data === 'string' ? data : new Uint8Array(data));
  }

  webSocketClose(socket: WorkerWebSocket, code: number, reason: string): void {
    this.#gone(socket);
    // The closing handshake is answered here, or the other side waits for it; 1005 and 1006 may not be sent.
    socket.close(code === 1005 || code === 1006 ? 1000 : code, reason);
  }

  webSocketError(socket: WorkerWebSocket): void {
    this.#gone(socket);
  }

  #gone(socket: WorkerWebSocket): void {
    this.#connections.get(socket)?.closed();
    this.#connections.delete(socket);
  }

  /** The connection that counts, if its data path answered lately. */
  #alive(): AgentConnection | undefined {
    const nowMs = Date.now();
    for (const socket of this.ctx.getWebSockets('agent')) {
      if (socket.readyState !== OPEN) continue;
      const connection = this.#connection(socket);
      if (connection.alive(nowMs, this.#heardMs(socket, connection))) return connection;
    }
    return undefined;
  }

  /** The heartbeat is answered by the runtime, without this object's knowledge: it is asked when that was. */
  #heardMs(socket: WorkerWebSocket, connection: AgentConnection): number {
    const answered = this.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0;
    return Math.max(answered, connection.heardMs);
  }

  /** The connection of a socket, made anew when the object was. */
  #connection(socket: WorkerWebSocket): AgentConnection {
    const known = this.#connections.get(socket);
    if (known !== undefined) return known;
    const attachment = socket.deserializeAttachment() as Attachment; // written by fetch
    const connection = new AgentConnection({
      identity: { agentId: attachment.agentId, userId: attachment.userId },
      socket: {
        send: (text) => socket.send(text),
        close: (code, reason) => socket.close(code, reason),
      },
      agents: this.#agents,
      ready: attachment.ready,
      heardMs: attachment.acceptedMs,
      onReady: () => this.#newest(socket, attachment),
      onError: (error) => console.error(error),
      now: Date.now,
    });
    this.#connections.set(socket, connection);
    return connection;
  }

  #newest(socket: WorkerWebSocket, attachment: Attachment): void {
    const ready: Attachment = { ...attachment, ready: true };
    socket.serializeAttachment(ready);
    const nowMs = Date.now();
    for (const other of this.ctx.getWebSockets()) {
      if (other === socket) continue;
      const older = this.#connection(other);
      if (older.ready) older.close(CLOSE.replaced, 'another agent uses this credential');
      // Nothing wakes this object for a socket that never says hello: the next agent clears it away.
      else if (nowMs - this.#heardMs(other, older) > HEARD_WITHIN_MS)
        older.close(CLOSE.silent, 'hello did not come');
    }
  }
}
