import type { MiddlewareHandler } from 'hono';
import type { McpRequestSummary } from '../mcp/http.ts';

/** One inbound request, told when its answer's headers left. */
export interface RequestLine extends McpRequestSummary {
  readonly httpMethod: string;
  readonly path: string;
  readonly status: number;
  /** Until the headers left; a streamed answer goes on after that. */
  readonly durationMs: number;
}

/**
 * Tells every inbound request, refused ones included, so that a user can see "the client never called" apart from
 * "we answered with an error".
 */
export function requestLog(onRequest: (line: RequestLine) => void): MiddlewareHandler<{
  Variables: { mcp: McpRequestSummary };
}> {
  return async (context, next) => {
    const started = performance.now();
    await next();
    onRequest({
      httpMethod: context.req.method,
      path: context.req.path,
      status: context.res.status,
      durationMs: performance.now() - started,
      ...context.get('mcp'),
    });
  };
}
