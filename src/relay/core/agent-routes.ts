import type { Hono } from 'hono';
import { addressKey, displayName, OAuthError, readJson } from '../../auth/index.ts';
import { AGENT_PAIR_PATH, AGENT_UNPAIR_PATH, type HttpRefusal, pairRequest } from '../protocol.ts';
import type { Agents } from './agents.ts';
import type { Limits } from './limits.ts';
import type { Pairings } from './pairing.ts';
import type { AgentIdentity, SessionHub } from './ports.ts';

const WINDOW_MS = 10 * 60_000;
const TRIES_PER_ADDRESS = { max: 10, windowMs: WINDOW_MS };
/** All callers together, where their addresses are not known. */
const TRIES = { max: 120, windowMs: WINDOW_MS };

export interface AgentRoutesOptions {
  readonly agents: Agents;
  readonly pairings: Pairings;
  readonly limits: Limits;
  readonly hub: SessionHub;
  readonly clientAddress: (request: Request) => string | undefined;
  readonly now: () => number;
}

/** What agents ask for over HTTP: a credential for a code, and its end. */
export function mountAgentRoutes(app: Hono, options: AgentRoutesOptions): void {
  const { agents, pairings, limits, hub, now } = options;

  app.post(AGENT_PAIR_PATH, async (context) => {
    const address = addressKey(options.clientAddress(context.req.raw));
    const allowed =
      address === undefined
        ? await limits.take('pair', TRIES, now())
        : await limits.take(`pair:${address}`, TRIES_PER_ADDRESS, now());
    if (!allowed) return refusal(429, 'rate_limited', 'Too many tries; wait ten minutes.');
    const body = pairRequest.safeParse(await bodyOf(context.req.raw));
    if (!body.success) return refusal(400, 'invalid_request', 'The body is not what the protocol says.');
    const { code, version, agentDisplayName } = body.data;
    const agent = { displayName: agentDisplayName && displayName(agentDisplayName), version };
    const paired = await pairings.redeem(code, agent, now());
    if (paired !== undefined) return Response.json(paired, { headers: NO_STORE });
    return refusal(
      403,
      'pairing_failed',
      'The code is not valid: unknown, used or expired. Ask for a new one with createAgentPairingCode or on the page of the relay.',
    );
  });

  app.post(AGENT_UNPAIR_PATH, async (context) => {
    const token = bearer(context.req.raw);
    const agent = token === undefined ? undefined : await agents.byToken(token);
    if (agent !== undefined && (await agents.revoke(agent.userId, agent.agentId))) {
      await hub.revoked(agent.agentId);
    }
    return new Response(null, { status: 204 });
  });
}

/** Who wants to connect, or the refusal: 401 for a credential that is worth nothing, 403 for a suspended user. */
export async function authenticateAgent(request: Request, agents: Agents): Promise<AgentIdentity | Response> {
  const token = bearer(request);
  const agent = token === undefined ? undefined : await agents.byToken(token);
  if (agent === undefined) {
    return refusal(
      401,
      'unauthorized',
      'The credential is not valid: unknown or revoked. Pair this computer again.',
    );
  }
  if (agent.suspended) return refusal(403, 'forbidden', 'The account of this agent is suspended.');
  if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') {
    return refusal(426, 'invalid_request', 'This address takes WebSocket connections only.');
  }
  return { agentId: agent.agentId, userId: agent.userId };
}

const NO_STORE = { 'cache-control': 'no-store' };

function refusal(status: number, error: string, message: string): Response {
  const body: HttpRefusal = { error, message };
  return Response.json(body, { status, headers: NO_STORE });
}

function bearer(request: Request): string | undefined {
  return /^Bearer +([\w.~+/-]{1,256}) *$/i.exec(request.headers.get('authorization') ?? '')?.[1];
}

async function bodyOf(request: Request): Promise<unknown> {
  try {
    return await readJson(request);
  } catch (error) {
    if (error instanceof OAuthError) return undefined;
    throw error;
  }
}
