import type { WireCallResult } from '../protocol.ts';

/** A tool call on its way to an agent. */
export interface AgentCall {
  /** Made by the relay, unguessable; the agent's answer carries it. */
  readonly id: string;
  readonly tool: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** What the agent may take. */
  readonly timeoutMs: number;
  /** The agent's own id of the workspace. */
  readonly workspaceId?: string | undefined;
  readonly conversation?: string | undefined;
  readonly access?: 'full' | 'workspace' | 'read-only' | undefined;
}

/** Why an agent gave no result. A type, not an interface: it goes through Cloudflare's RPC. */
export type CallFailure = { readonly code: string; readonly message: string; readonly hint: string };

/** What became of a call. */
export type Outcome =
  | { readonly ok: true; readonly result: WireCallResult }
  | { readonly ok: false; readonly error: CallFailure };

/** The live connections of agents: one process's memory (Node), or one Durable Object for each agent (Cloudflare). */
export interface SessionHub {
  /**
   * Hands a call to the agent's connection. Never rejects: whatever happens is an outcome, within the call's timeout
   * and RELAY_GRACE_MS.
   * @param signal aborted when nobody waits for the outcome any more; the agent is told
   */
  dispatch(agentId: string, call: AgentCall, signal: AbortSignal): Promise<Outcome>;
  /** Those of the agents whose data path answered lately. */
  online(agentIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Ends the agent's connections because its credential is worth nothing any more. */
  revoked(agentId: string): Promise<void>;
}

/** Which agent a credential belongs to, and whose it is. */
export interface AgentIdentity {
  readonly agentId: string;
  readonly userId: string;
}
