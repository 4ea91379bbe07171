import type { MiddlewareHandler } from 'hono';
import type { McpRequestSummary } from '../mcp/http.ts';

/** One inbound request: told when its answer left, or, for a tool call, when the call had ended. */
export interface RequestLine extends McpRequestSummary {
  readonly httpMethod: string;
  readonly path: string;
  readonly status: number;
  readonly durationMs: number;
}

/** What a route that serves MCP tells the request log. */
export interface McpLogVariables {
  mcp: McpRequestSummary;
  /** Called when the request's tool call has ended. */
  onCall: () => void;
}

/** What the listeners' apps carry from the routes to the request log. */
export type AppEnv = { Variables: McpLogVariables };

/**
 * Tells every inbound request, refused ones included, so that a user can see "the client never called" apart from
 * "we answered with an error".
 */
export function requestLog(
  onRequest: (line: RequestLine) => void,
): MiddlewareHandler<{ Variables: McpLogVariables }> {
  return async (context, next) => {
    const started = performance.now();
    const summary: McpRequestSummary = {};
    let status = 0;
    let told = false;
    const tell = () => {
      if (told) return;
      told = true;
      const { method, path } = context.req;
      const shown = withoutSecrets(path);
      onRequest({
        ...summary,
        httpMethod: method,
        path: shown,
        status,
        durationMs: performance.now() - started,
      });
    };
    context.set('mcp', summary);
    context.set('onCall', () => {
      if (status !== 0) tell(); // else the headers follow at once
    });
    await next();
    status = context.res.status;
    // The answer to a tool call streams: its headers say nothing of how the call went.
    const pending = status === 200 && summary.tool !== undefined && summary.call === undefined;
    if (!pending) tell();
  };
}

/**
 * What follows /mcp/ and /files/ is a secret or a guess at it, and no log may show it. Clients put the whole path behind
 * well-known paths as well, and people leave out or add a part: whatever is as long as a secret is left out, too.
 */
function withoutSecrets(path: string): string {
  return path
    .replace(/((?:\/|%2f)(?:mcp|files)(?:\/|%2f)).+/i, '$1…')
    .replace(/(?:[\w~-]|%[\da-f]{2}){32,}/gi, '…');
}
