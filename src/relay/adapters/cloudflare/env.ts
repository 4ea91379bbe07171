import type { AgentCall, Outcome } from '../../core/ports.ts';
import type { D1Database, DurableObjectNamespace } from './runtime.ts';

/** What the Worker asks of the Durable Object of an agent (agent-session.ts). */
export interface AgentSessionStub {
  fetch(request: Request): Promise<Response>;
  /** See SessionHub.dispatch; `cancel` stands for the signal, which does not travel. */
  dispatch(call: AgentCall): Promise<Outcome>;
  cancel(callId: string): Promise<void>;
  online(): Promise<boolean>;
  revoked(): Promise<void>;
}

/** Bindings and variables of the Worker (wrangler.jsonc, docs/relay.md). */
export interface RelayEnv {
  readonly DB: D1Database;
  readonly AGENTS: DurableObjectNamespace<AgentSessionStub>;
  /** Origin of the relay; the origin of the request when it is left out. */
  readonly PUBLIC_URL?: string;
  readonly GITHUB_CLIENT_ID?: string;
  readonly GITHUB_CLIENT_SECRET?: string;
  readonly GITHUB_ALLOWED_LOGINS?: string;
  readonly GITHUB_URL?: string;
  readonly GITHUB_API_URL?: string;
  readonly OAUTH_COOKIE_SECRET?: string;
  readonly REVIEW_EMAIL?: string;
  readonly REVIEW_PASSWORD_HASH?: string;
  readonly REVIEW_PROVIDER_SUBJECT?: string;
  readonly RELAY_MAX_TOOL_MS?: string;
}
