import { Hono } from 'hono';
import { jsonRpcError } from '../mcp/json-rpc.ts';
import { PlainAnswer } from '../mcp/plain-answer.ts';
import type { FileOffers } from '../transfer/index.ts';
import type { HealthKey } from '../tunnel/health-key.ts';
import type { Workspace } from '../workspace/index.ts';
import { forHono } from './everyday.ts';
import { type GuardedMcpOptions, mountGuardedMcp, notFound } from './guarded-mcp.ts';
import { offeredFile } from './offered-files.ts';
import { type AppEnv, type RequestLine, requestLog } from './request-log.ts';

export interface PublicAppOptions extends GuardedMcpOptions {
  readonly health: HealthKey;
  /** Where files on offer are kept, for each access mode that is served. */
  readonly served: () => readonly { readonly offers: FileOffers; readonly workspace: Workspace }[];
  readonly onRequest: (line: RequestLine) => void;
  readonly onError: (error: Error) => void;
}

/**
 * The routes of the public listener: MCP for whoever proves himself, the OAuth endpoints, files on offer, and the proof
 * that an address leads here. Whoever asks for anything else learns nothing, not even what program this is.
 */
export function createPublicApp(options: PublicAppOptions): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.use(requestLog(options.onRequest));

  app.get('/health', (context) => {
    const answer = options.health.answer(context.req.query('nonce'));
    if (answer === undefined) return notFound();
    const headers = { 'content-type': 'text/plain', 'cache-control': 'no-store' };
    return forHono(new PlainAnswer(200, headers, answer));
  });
  app.post('/health', (context) => {
    const stream = options.health.streamedAnswer(context.req.query('nonce'));
    if (stream === undefined) return notFound();
    const headers = {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    };
    return new Response(stream, { headers });
  });
  mountGuardedMcp(app, options);
  app.get('/files/:token/:name', async (context, next) => {
    for (const { offers, workspace } of options.served()) {
      const answer = await offeredFile(offers, workspace)(context, next);
      if (answer instanceof Response && answer.status === 200) return answer;
    }
    return notFound();
  });
  app.notFound(() => notFound());
  app.onError((error) => {
    options.onError(error);
    return forHono(jsonRpcError(500, -32603, 'Internal error.'));
  });
  return app;
}
