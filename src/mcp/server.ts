import { ResourceNotFoundError, Server, type ServerOptions } from '@modelcontextprotocol/server';
import type { ToolView } from '../widgets/index.ts';
import type { CallRecord } from './call.ts';
import { capabilitiesOf } from './capabilities.ts';
import type { CallResult } from './envelope.ts';
import { SERVER_INFO } from './json-rpc.ts';
import type { ServedTools } from './registry.ts';

/** What the transport knows of a request, beyond what the SDK hands to a handler. */
export interface RequestFacts {
  readonly conversation: (meta: Record<string, unknown> | undefined) => string | undefined;
  /** Runs a call with its signals, made of the one that the SDK gives (aborted on close and on cancel alike). */
  readonly withSignals: <T>(
    sdkSignal: AbortSignal,
    requestId: string | number,
    work: (signals: { cancelled: AbortSignal; abandoned: AbortSignal }) => Promise<T>,
  ) => Promise<T>;
  /** Name and version as the client gives them. */
  readonly client: (server: Server) => string | undefined;
  /** See ToolCall. */
  readonly answerByMs?: number | undefined;
  /** True where the client at the other end of this connection can be asked (stdio, 2025 era, elicitation). */
  readonly canAsk?: (server: Server) => boolean;
  /** Told how each call of the request ended. */
  readonly onRecord?: (record: CallRecord) => void;
  /** Server instructions, for the requests that carry them. */
  readonly instructions: string | undefined;
}

/** tools/list changes only with the program; a client may keep it for this long (2026-07-28, "caching"). */
const CACHE_HINT = { ttlMs: 60_000, cacheScope: 'private' } as const;
/** The address of a view is that of one content. */
const VIEW_CACHE_HINTS = {
  'resources/list': CACHE_HINT,
  'resources/templates/list': CACHE_HINT,
  'resources/read': { ttlMs: 86_400_000, cacheScope: 'private' },
} as const;

/**
 * A fresh low-level MCP server for one request (HTTP) or one connection (stdio). The registry is behind it; the
 * server only translates. What elicitation answers is a mere yes or no, so its schema validator is an empty one:
 * building the default validator for every request costs more than most calls.
 */
export function createServer(registry: ServedTools, facts: RequestFacts): Server {
  const options: ServerOptions = {
    capabilities: capabilitiesOf(registry),
    cacheHints: {
      'tools/list': CACHE_HINT,
      'server/discover': CACHE_HINT,
      ...(registry.view && VIEW_CACHE_HINTS),
    },
    jsonSchemaValidator: {
      getValidator: () => (input) => ({ valid: true, data: input as never, errorMessage: undefined }),
    },
    ...(facts.instructions === undefined ? {} : { instructions: facts.instructions }),
  };
  const server = new Server(SERVER_INFO, options);
  server.setRequestHandler('tools/list', () => ({ tools: registry.list() }));
  server.setRequestHandler('tools/call', async (request, context): Promise<CallResult> => {
    const meta = context.mcpReq._meta;
    const token = meta?.progressToken;
    let progress = 0;
    const report = (message: string) => {
      if (token === undefined) return;
      const params = { progressToken: token, progress: ++progress, message };
      // A client that is gone does not get it; its call ends by its signal.
      context.mcpReq.notify({ method: 'notifications/progress', params }).catch(() => {});
    };
    return facts.withSignals(context.mcpReq.signal, context.mcpReq.id, (signals) =>
      registry.call({
        name: request.params.name,
        arguments: request.params.arguments,
        ...signals,
        conversation: facts.conversation(meta),
        client: facts.client(server),
        answerByMs: facts.answerByMs,
        progress: report,
        askUser: facts.canAsk?.(server)
          ? async (message) => {
              const requestedSchema = { type: 'object' as const, properties: {} };
              const answer = await context.mcpReq.elicitInput({ message, requestedSchema });
              return answer.action === 'accept';
            }
          : undefined,
        onRecord: facts.onRecord,
      }),
    );
  });
  if (registry.view !== undefined) serveView(server, registry.view);
  return server;
}

function serveView(server: Server, view: ToolView): void {
  server.setRequestHandler('resources/list', () => ({ resources: [view.resource] }));
  server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: [] }));
  server.setRequestHandler('resources/read', ({ params }) => {
    if (params.uri !== view.resource.uri) throw new ResourceNotFoundError(params.uri);
    return view.read();
  });
}
