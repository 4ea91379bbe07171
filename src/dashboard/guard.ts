import type { MiddlewareHandler } from 'hono';
import { refusal } from './answers.ts';
import type { Session, Sessions } from './sessions.ts';

export const SESSION_HEADER = 'x-local-coder-session';
export const CSRF_HEADER = 'x-local-coder-csrf';

/** What is the same for everybody and holds no data. Everything else below /page/ is for who is logged in. */
const OPEN = new Set([
  'GET /page/app.js',
  'GET /page/app.css',
  'HEAD /page/app.js',
  'HEAD /page/app.css',
  'POST /page/login',
]);

export type PageEnv = { Variables: { session: Session } };

/**
 * Refuses what another page in the browser sends. A foreign Origin is refused by the private listener's guard already,
 * but for the other names of this machine: on those the same port may be somebody else's (this listener is on 127.0.0.1, a
 * dev server on [::1]). Of requests without an Origin browsers say where they come from. Pages of other ports of this
 * machine count as the same site, so that only the very same origin will do; a link may be followed to the page itself,
 * which holds nothing.
 */
export const sameOriginOnly: MiddlewareHandler = async (context, next) => {
  const origin = context.req.header('origin');
  const isHere = origin === undefined || origin === `http://${context.req.header('host')}`;
  const site = context.req.header('sec-fetch-site');
  const isOurs = site === undefined || site === 'same-origin' || site === 'none';
  const isLink = context.req.path === '/' && context.req.header('sec-fetch-mode') === 'navigate';
  if (!isHere || (!isOurs && !isLink)) {
    return refusal(403, 'CROSS_SITE', 'Requests from other pages are refused.');
  }
  return next();
};

/** Lets in who has a session, and for everything that changes something also its CSRF token. */
export function loggedIn(sessions: Sessions): MiddlewareHandler<PageEnv> {
  return async (context, next) => {
    const { method, path } = context.req;
    if (OPEN.has(`${method} ${path}`)) return next();
    const name = context.req.header(SESSION_HEADER);
    const session = sessions.find(name);
    if (session === undefined) {
      return refusal(
        401,
        'LOGIN_REQUIRED',
        'Open the page by the link on the terminal; local-coder page prints a new one.',
      );
    }
    const changes = method !== 'GET' && method !== 'HEAD';
    if (changes && !sessions.proves(name, context.req.header(CSRF_HEADER))) {
      return refusal(403, 'CSRF', 'The request does not carry the token of this session.');
    }
    context.set('session', session);
    return next();
  };
}
