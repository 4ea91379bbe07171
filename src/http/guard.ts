import type { MiddlewareHandler } from 'hono';
import { jsonRpcError } from '../mcp/json-rpc.ts';
import { forHono } from './everyday.ts';

const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

const OAUTH_FORMS = new Set(['/authorize', '/token', '/revoke']);

/**
 * The guard of the private listener (access.md, "Two listeners"). Loopback is shared with every web page and every
 * dev server on this machine: the Host must be a loopback name with our port (a rebound DNS name is not), the Origin
 * absent or exactly ours, and a POST must be JSON (a form or text POST needs no preflight, so any page could send it).
 * @param port the port that the listener is bound to, known only after binding
 * @param oauth whether the OAuth endpoints are there: they take forms, and have checks of their own against strange pages
 */
export function privateListenerGuard(port: () => number, oauth = false): MiddlewareHandler {
  return async (context, next) => {
    const host = context.req.header('host');
    if (!isOurHost(host, port())) {
      return forHono(
        jsonRpcError(
          403,
          -32000,
          `Forbidden: the Host header must name this machine and port ${port()}, such as 127.0.0.1:${port()}.`,
        ),
      );
    }
    const origin = context.req.header('origin');
    if (origin !== undefined && !isOurOrigin(origin, port())) {
      return forHono(
        jsonRpcError(403, -32000, 'Forbidden: requests from web pages of another origin are refused.'),
      );
    }
    const takesForms = oauth && OAUTH_FORMS.has(context.req.path);
    if (context.req.method === 'POST' && !takesForms && !isJson(context.req.header('content-type'))) {
      return forHono(
        jsonRpcError(415, -32000, 'Unsupported Media Type: Content-Type must be application/json.'),
      );
    }
    return next();
  };
}

function isOurHost(host: string | undefined, port: number): boolean {
  if (host === undefined) return false;
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(host.toLowerCase());
  if (match === null || !LOOPBACK_NAMES.has(match[1]!)) return false;
  // A client leaves the port out of the Host header only where it is HTTP's own.
  return match[2] === undefined ? port === 80 : Number(match[2]) === port;
}

function isOurOrigin(origin: string, port: number): boolean {
  return origin.startsWith('http://') && isOurHost(origin.slice('http://'.length), port);
}

function isJson(contentType: string | undefined): boolean {
  return contentType !== undefined && /^\s*application\/json\s*(;|$)/i.test(contentType);
}
