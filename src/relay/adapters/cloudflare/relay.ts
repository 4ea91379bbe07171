import { AuthStore } from '../../../auth/index.ts';
import { createRelay } from '../../core/relay.ts';
import { sealingKey } from '../../core/sealing-key.ts';
import { configuredMethods, type RelayEnvironment } from '../../identity/methods.ts';
import { AGENT_CONNECT_PATH } from '../../protocol.ts';
import { IDENTITY_HEADER } from './agent-session.ts';
import type { RelayEnv } from './env.ts';
import { fetchDocument } from './fetch-document.ts';
import { DurableObjectHub } from './hub.ts';
import type { ExecutionContext } from './runtime.ts';
import { d1Sql } from './sql.ts';

export { AgentSession } from './agent-session.ts';

/**
 * The Worker. A relay is made for each request: what one request holds (a stream, a timer, a promise) may not be
 * used by another here. What lasts is in D1 and in the Durable Objects.
 */
export default {
  async fetch(request: Request, env: RelayEnv, context: ExecutionContext): Promise<Response> {
    const onError = (error: unknown) => console.error(error);
    const sql = d1Sql(env.DB);
    const store = AuthStore.over(sql);
    const { DB: _, AGENTS: agents, ...variables } = env;
    const relay = createRelay({
      sql,
      store,
      hub: new DurableObjectHub(env, (work) => context.waitUntil(work), onError),
      publicUrl: env.PUBLIC_URL || new URL(request.url).origin,
      methods: configuredMethods(variables satisfies RelayEnvironment),
      key: await sealingKey(env.OAUTH_COOKIE_SECRET, store),
      // Cloudflare sets it on every request, whatever the caller sent.
      clientAddress: (incoming) => incoming.headers.get('cf-connecting-ip') ?? undefined,
      fetchDocument,
      maxToolMs: Number(env.RELAY_MAX_TOOL_MS) || undefined,
      longLived: false,
      onError,
    });
    relay.app.all(AGENT_CONNECT_PATH, async ({ req }) => {
      const identity = await relay.authenticateAgent(req.raw);
      if (identity instanceof Response) return identity;
      const headers = new Headers(req.raw.headers);
      headers.delete('authorization');
      headers.set(IDENTITY_HEADER, JSON.stringify(identity));
      return agents.getByName(identity.agentId).fetch(new Request(req.raw, { headers }));
    });
    return relay.app.fetch(request);
  },
};
