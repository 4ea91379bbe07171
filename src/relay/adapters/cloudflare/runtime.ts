/**
 * What this adapter uses of the Workers runtime, as types: `@cloudflare/workers-types` redeclares globals that the rest
 * of the program takes from Node's types, and two dozen lines are enough.
 */

/** https://developers.cloudflare.com/d1/worker-api/ */
export interface D1Database {
  prepare(sql: string): D1PreparedStatement;
  batch(statements: readonly D1PreparedStatement[]): Promise<unknown>;
}

export interface D1PreparedStatement {
  bind(...values: (string | number | null)[]): D1PreparedStatement;
  first(): Promise<Record<string, string | number | null> | null>;
  all(): Promise<{ readonly results: Record<string, string | number | null>[] }>;
}

/** https://developers.cloudflare.com/durable-objects/api/namespace/; `Stub` is the object's class. */
export interface DurableObjectNamespace<Stub> {
  getByName(name: string): Stub;
}

/** https://developers.cloudflare.com/durable-objects/api/state/ */
export interface DurableObjectState {
  acceptWebSocket(socket: WorkerWebSocket, tags: readonly string[]): void;
  getWebSockets(tag?: string): WorkerWebSocket[];
  setWebSocketAutoResponse(pair: unknown): void;
  /** When the automatic answer was last sent on this socket. */
  getWebSocketAutoResponseTimestamp(socket: WorkerWebSocket): Date | null;
}

/** https://developers.cloudflare.com/workers/runtime-apis/context/ */
export interface ExecutionContext {
  waitUntil(work: Promise<unknown>): void;
}

export interface WorkerWebSocket {
  readonly readyState: number;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  serializeAttachment(value: unknown): void;
  deserializeAttachment(): unknown;
}

/** Globals of the runtime. */
export interface WorkerGlobals {
  readonly WebSocketPair: new () => Readonly<Record<'0' | '1', WorkerWebSocket>>;
  readonly WebSocketRequestResponsePair: new (request: string, response: string) => unknown;
}

/** globalThis under its type here. */
export const workerGlobals = globalThis as unknown as WorkerGlobals;

/** WebSocket.OPEN */
export const OPEN = 1;
