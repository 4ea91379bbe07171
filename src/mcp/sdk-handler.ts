import { createMcpHandler } from '@modelcontextprotocol/server';
import { KEEP_ALIVE_MS, MAX_BODY_BYTES } from './limits.ts';
import type { ServedTools } from './registry.ts';
import { createServer, type RequestFacts } from './server.ts';

/** MCP requests answered by the SDK: a fresh server for each, whatever the revision. */
export interface SdkHandler {
  fetch(request: Request, body: unknown, isCall: boolean, facts: RequestFacts): Promise<Response>;
  close(): Promise<void>;
}

export function createSdkHandler(registry: ServedTools, onError: (error: Error) => void): SdkHandler {
  // The SDK's factory is told of a request by the request object alone.
  const known = new WeakMap<Request, RequestFacts>();
  const handler = (responseMode: 'auto' | 'sse') =>
    createMcpHandler(
      ({ requestInfo }) => {
        const facts = requestInfo && known.get(requestInfo);
        if (facts === undefined) throw new Error('a request reached the MCP handler without its facts');
        return createServer(registry, facts);
      },
      { responseMode, keepAliveMs: KEEP_ALIVE_MS, maxRequestBodySize: MAX_BODY_BYTES, onerror: onError },
    );
  const plain = handler('auto');
  // A 2026-07-28 tool call is always streamed: the headers leave at once, however long the tool takes.
  const streaming = handler('sse');
  return {
    fetch(request, body, isCall, facts) {
      const accepted = withAccept(request);
      known.set(accepted, facts);
      return (isCall ? streaming : plain).fetch(accepted, { parsedBody: body });
    },
    async close() {
      await Promise.all([plain.close(), streaming.close()]);
    },
  };
}

/** The protocol wants clients to accept JSON and event streams by name; a client that accepts anything does so too. */
function withAccept(request: Request): Request {
  const accept = request.headers.get('accept');
  if (accept !== null && !accept.includes('*/*')) return request;
  const headers = new Headers(request.headers);
  headers.set('accept', 'application/json, text/event-stream');
  return new Request(request.url, { method: request.method, headers, signal: request.signal });
}
