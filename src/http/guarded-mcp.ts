import type { Hono } from 'hono';
import type { Auth } from '../auth/index.ts';
import type { McpEndpoint } from '../mcp/http.ts';
import { jsonRpcError } from '../mcp/json-rpc.ts';
import { PlainAnswer } from '../mcp/plain-answer.ts';
import type { AccessMode } from '../workspace/index.ts';
import { forHono } from './everyday.ts';
import { asPlainJson } from './plain-json.ts';
import type { AppEnv } from './request-log.ts';

/** Where answers are collected on the way, nobody sees progress: they leave sooner. */
const BUFFERED_ANSWER_MS = 15_000;

/** How callers prove themselves (access.md, "Authentication"). */
export type CallerAuth =
  | { readonly kind: 'oauth'; readonly auth: Auth }
  /** The segment after /mcp/ is the proof; see SecretUrl. */
  | { readonly kind: 'url'; readonly matches: (secret: string) => Promise<boolean> };

export interface GuardedMcpOptions {
  readonly auth: CallerAuth;
  /** The endpoint for a client that was granted this mode; undefined where this server cannot keep it. */
  readonly mcp: (granted: AccessMode | undefined) => McpEndpoint | undefined;
  /** False while what is between here and the client collects streams. */
  readonly streams: () => boolean;
}

/** Mounts MCP for whoever proves himself, and the OAuth endpoints. */
export function mountGuardedMcp(app: Hono<AppEnv>, options: GuardedMcpOptions): void {
  const { auth } = options;
  if (auth.kind === 'oauth') {
    app.on(['POST', 'GET', 'DELETE'], '/mcp', async (context) => {
      const who = await auth.auth.authenticate(context.req.raw);
      if (who instanceof Response) return who;
      return answerMcp(options, who.grantedAccess, context);
    });
    app.route('/', auth.auth.app);
    return;
  }
  app.on(['POST', 'GET', 'DELETE'], '/mcp/:secret', async (context) =>
    (await auth.matches(context.req.param('secret'))) ? answerMcp(options, undefined, context) : notFound(),
  );
}

/** What strangers are told of everything that is not there. */
export function notFound(): Response {
  return forHono(PlainAnswer.json('{"error":"not_found"}', { status: 404 }));
}

interface McpContext {
  readonly req: { readonly raw: Request };
  get<Key extends keyof AppEnv['Variables']>(key: Key): AppEnv['Variables'][Key];
}

async function answerMcp(
  options: GuardedMcpOptions,
  granted: AccessMode | undefined,
  context: McpContext,
): Promise<Response> {
  const mcp = options.mcp(granted);
  if (mcp === undefined) {
    const message = `This client was let in with the access mode ${granted} alone, which this server cannot keep; revoke it and let it in again.`;
    return forHono(jsonRpcError(403, -32000, message));
  }
  const streams = options.streams();
  const limits = streams ? undefined : { answerByMs: performance.now() + BUFFERED_ANSWER_MS };
  const answer = await mcp.fetch(context.req.raw, context.get('mcp'), context.get('onCall'), limits);
  return forHono(streams ? answer : await asPlainJson(answer));
}
