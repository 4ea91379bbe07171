import { Hono } from 'hono';
import {
  type Auth,
  type AuthStore,
  addressKey,
  createAuth,
  type FetchDocument,
  type Sql,
} from '../../auth/index.ts';
import type { CallRecord } from '../../mcp/call.ts';
import { createMcpEndpoint, type McpEndpoint } from '../../mcp/http.ts';
import { jsonRpcError } from '../../mcp/json-rpc.ts';
import { PlainAnswer } from '../../mcp/plain-answer.ts';
import type { SignInMethod } from '../identity/identity.ts';
import { mountAccountRoutes } from './account-routes.ts';
import { authenticateAgent, mountAgentRoutes } from './agent-routes.ts';
import { Agents } from './agents.ts';
import { Browser } from './browser.ts';
import { CallRouter } from './call-router.ts';
import { RelayConsent } from './consent.ts';
import type { Caller } from './contracts.ts';
import { limitedRequest } from './limited-request.ts';
import { Limits } from './limits.ts';
import { Pairings } from './pairing.ts';
import { responseOf } from './plain-response.ts';
import type { AgentIdentity, SessionHub } from './ports.ts';
import { UserTools } from './user-tools.ts';
import { Users } from './users.ts';

/** Bytes of an MCP request: the arguments of looking tools, and of a write_file through a full agent. */
const MAX_REQUEST_BYTES = 768 * 1024;
const MAX_ENDPOINTS = 1_000;
const LIMIT_WINDOW_MS = 10 * 60_000;

const INSTRUCTIONS =
  'Looks into project folders on the computers of the user, through agents that run there. Start with listWorkspaces; its workspaceId goes into every other tool. ' +
  'When it lists nothing, createAgentPairingCode makes a code that connects a computer. AGENT_OFFLINE means that the agent there is not running. If a tool seems to be missing, list the tools again.';

export interface RelayOptions {
  readonly sql: Sql;
  /** Over the same database. */
  readonly store: AuthStore;
  readonly hub: SessionHub;
  /** Origin under which clients and agents reach the relay, without a slash at the end. */
  readonly publicUrl: string;
  readonly methods: readonly SignInMethod[];
  /** 32 bytes, the same in every process and isolate: seals what goes through browsers. */
  readonly key: Uint8Array;
  /** The caller's address where something vouches for it. */
  readonly clientAddress: (request: Request) => string | undefined;
  readonly fetchDocument?: FetchDocument;
  /** False where each request stands alone (Workers): then nothing is kept between requests. */
  readonly longLived: boolean;
  /** At most this for every tool, in milliseconds. */
  readonly maxToolMs?: number | undefined;
  readonly onCall?: (record: CallRecord, userId: string) => void;
  /** What no caller brought about. */
  readonly onError: (error: unknown) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export interface Relay {
  readonly app: Hono;
  readonly agents: Agents;
  readonly users: Users;
  /** Checks a request for a WebSocket. @returns who it is, or the answer to give */
  authenticateAgent(request: Request): Promise<AgentIdentity | Response>;
}

/** The relay, whatever it runs on. The adapter mounts AGENT_CONNECT_PATH, since each runtime upgrades in its own way. */
export function createRelay(options: RelayOptions): Relay {
  const { sql, store, hub, publicUrl, onError } = options;
  const now = options.now ?? Date.now;
  const users = new Users(sql);
  const agents = new Agents(sql);
  const pairings = new Pairings(sql);
  const limits = new Limits(sql);
  const browser = new Browser({ users, key: options.key, publicUrl, now });
  const auth = createAuth({
    store,
    publicUrl: () => publicUrl,
    accessMode: 'full',
    consent: (issueCode) => new RelayConsent(browser, issueCode),
    clientAddress: options.clientAddress,
    fetchDocument: options.fetchDocument,
    onError,
    clock: now,
  });
  const { maxToolMs, clientAddress } = options;
  const router = new CallRouter({ agents, pairings, limits, hub, publicUrl, maxToolMs, now });
  const mcp = mcpRoute({ ...options, auth, users, agents, router });

  const app = new Hono();
  app.get('/health', () => Response.json({ ok: true }, { headers: { 'cache-control': 'no-store' } }));
  app.all('/mcp', (context) => mcp(context.req.raw));
  mountAgentRoutes(app, { agents, pairings, limits, hub, clientAddress, now });
  mountAccountRoutes(app, { ...options, users, agents, pairings, limits, browser, now });
  for (const [path, max] of [
    ['/register', 10],
    ['/authorize', 60],
  ] as const) {
    // In the database: the limits of auth/ are those of one process, which a Worker is not.
    app.use(path, async (context, next) => {
      const address = addressKey(clientAddress(context.req.raw));
      if (address === undefined) return next();
      const allowed = await limits.take(`${path}:${address}`, { max, windowMs: LIMIT_WINDOW_MS }, now());
      return allowed ? next() : tooMany();
    });
  }
  app.route('/', auth.app);
  app.notFound(() => Response.json({ error: 'not_found' }, { status: 404 }));
  app.onError((error) => {
    onError(error);
    return Response.json({ error: 'server_error' }, { status: 500 });
  });
  return { app, agents, users, authenticateAgent: (request) => authenticateAgent(request, agents) };
}

interface Served {
  readonly endpoint: McpEndpoint;
  readonly tools: UserTools;
}

/** MCP for whoever proves himself; each grant has an endpoint of its own, so that nobody cancels another's calls. */
function mcpRoute(
  options: Pick<RelayOptions, 'hub' | 'longLived' | 'onCall' | 'onError'> & {
    readonly auth: Auth;
    readonly users: Users;
    readonly agents: Agents;
    readonly router: CallRouter;
  },
): (request: Request) => Promise<Response> {
  const { auth, users, agents, router, hub, onCall, onError } = options;
  const served = new Map<string, Served>();

  const serve = (caller: Caller): Served => {
    const tools = new UserTools({ router, caller, onCall, onDefect: onError });
    const instructions = () => Promise.resolve(INSTRUCTIONS);
    return { tools, endpoint: createMcpEndpoint({ registry: tools, instructions, onError }) };
  };

  const servedTo = (grantId: string, caller: Caller): Served => {
    if (!options.longLived) return serve(caller);
    const key = `${grantId} ${caller.access}`;
    const one = served.get(key) ?? serve(caller);
    served.delete(key);
    served.set(key, one);
    if (served.size > MAX_ENDPOINTS) served.delete(served.keys().next().value ?? '');
    return one;
  };

  return async (request) => {
    const who = await auth.authenticate(request);
    if (who instanceof Response) return who;
    const user = await users.get(who.subject);
    if (user === undefined || user.suspended) {
      // Whoever suspended the user may not have been able to reach the connections of the agents.
      for (const agent of await agents.list(who.subject)) await hub.revoked(agent.id);
      return Response.json(
        { error: 'forbidden', error_description: 'This account is suspended.' },
        { status: 403 },
      );
    }
    const { endpoint, tools } = servedTo(who.grantId, { userId: user.id, access: who.grantedAccess });
    await tools.refresh(user.hasFullAgents);
    const limited = await limitedRequest(request, MAX_REQUEST_BYTES);
    if (limited === undefined) return tooLarge();
    const gone = new AbortController();
    const signal = AbortSignal.any([request.signal, gone.signal]);
    const answer = await endpoint.fetch(new Request(limited, { signal }), {});
    return answer instanceof PlainAnswer ? responseOf(answer, () => gone.abort()) : answer;
  };
}

function tooMany(): Response {
  const description = 'Too many requests from this address; try again in ten minutes.';
  const body = { error: 'temporarily_unavailable', error_description: description };
  return Response.json(body, { status: 429, headers: { 'retry-after': '600' } });
}

function tooLarge(): Response {
  const message = `The request body is too large; at most ${MAX_REQUEST_BYTES} bytes are read.`;
  return jsonRpcError(413, -32000, message).toResponse();
}
