import { Hono } from 'hono';
import type { McpEndpoint } from '../mcp/http.ts';
import { jsonRpcError } from '../mcp/json-rpc.ts';
import { PlainAnswer } from '../mcp/plain-answer.ts';
import { VERSION } from '../runtime/version.ts';
import type { FileOffers } from '../transfer/index.ts';
import type { Workspace } from '../workspace/index.ts';
import { forHono } from './everyday.ts';
import { privateListenerGuard } from './guard.ts';
import { type CallerAuth, type GuardedMcpOptions, mountGuardedMcp } from './guarded-mcp.ts';
import { offeredFile } from './offered-files.ts';
import { type AppEnv, type RequestLine, requestLog } from './request-log.ts';

export interface AppOptions {
  readonly mcp: McpEndpoint;
  readonly workspace: Workspace;
  readonly offers: FileOffers;
  /** The bound port. */
  readonly port: () => number;
  /** Asked of every caller of MCP, where --auth was given; else whoever reaches this listener is the owner. */
  readonly auth?: CallerAuth | undefined;
  /** With `auth`: the endpoint for a client that was granted this mode. */
  readonly mcpFor?: GuardedMcpOptions['mcp'] | undefined;
  /** The local page, where there is one: takes the requests of browsers for `/` and everything below `/page/`. */
  readonly page?: ((request: Request) => Promise<Response>) | undefined;
  readonly onRequest: (line: RequestLine) => void;
  readonly onError: (error: Error) => void;
}

/** The routes of the private listener: MCP at /mcp and /, /health, and the files on offer. */
export function createApp(options: AppOptions): Hono<AppEnv> {
  const startedAt = performance.now();
  const app = new Hono<AppEnv>();
  app.use(requestLog(options.onRequest));
  app.use(privateListenerGuard(options.port, options.auth?.kind === 'oauth'));
  app.get('/health', () => {
    const health = {
      name: 'local-coder',
      version: VERSION,
      uptime_seconds: Math.round((performance.now() - startedAt) / 1000),
      access: options.workspace.accessMode,
    };
    return forHono(PlainAnswer.json(JSON.stringify(health)));
  });
  if (options.page !== undefined) mountPage(app, options.page);
  if (options.auth !== undefined) {
    const mcp = options.mcpFor ?? (() => options.mcp);
    mountGuardedMcp(app, { auth: options.auth, mcp, streams: () => true });
  } else {
    app.on(['POST', 'GET', 'DELETE'], ['/mcp', '/'], async (context) =>
      forHono(await options.mcp.fetch(context.req.raw, context.get('mcp'), context.get('onCall'))),
    );
  }
  app.get('/files/:token/:name', offeredFile(options.offers, options.workspace));
  app.notFound(() => forHono(jsonRpcError(404, -32000, 'Not found. The MCP endpoint is /mcp.')));
  app.onError((error) => {
    options.onError(error);
    return forHono(jsonRpcError(500, -32603, 'Internal error; the server log names it.'));
  });
  return app;
}

/** At `/` are both MCP and the page: who accepts HTML is a browser, which no MCP client does. */
function mountPage(app: Hono<AppEnv>, page: (request: Request) => Promise<Response>): void {
  app.get('/', async (context, next) => {
    const accept = context.req.header('accept') ?? '';
    return accept.includes('text/html') ? page(context.req.raw) : next();
  });
  app.get('/favicon.ico', () => forHono(new PlainAnswer(204, { 'cache-control': 'private, max-age=86400' })));
  app.all('/page/*', (context) => page(context.req.raw));
}
