import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import { CodedError } from '../runtime/errors.ts';
import { mountActions } from './actions.ts';
import { answer, htmlAnswer, refusal } from './answers.ts';
import { appScript, appStyles } from './client/index.ts';
import { createEvents } from './events.ts';
import { localeOf, mountFragments } from './fragments.ts';
import { loggedIn, type PageEnv, sameOriginOnly } from './guard.ts';
import { createLogin } from './login.ts';
import type { DashboardParts } from './parts.ts';
import { Sessions } from './sessions.ts';
import { chooseLocale, type Locale, pageShell, textsOf } from './views/index.ts';

export interface Dashboard {
  /** Answers a request that passed the private listener's guard. */
  fetch(request: Request): Promise<Response>;
  readonly routes: readonly { readonly method: string; readonly path: string }[];
  /** Ends all sessions and with them the event streams. */
  close(): Promise<void>;
}

/** The local page. Made when a browser first asks for it. */
export function createDashboard(parts: DashboardParts): Dashboard {
  const sessions = new Sessions();
  const login = createLogin(parts, sessions);
  const events = createEvents(parts);
  const app = new Hono<PageEnv>();
  app.use(sameOriginOnly);
  app.get('/', async (context) => {
    const locale = chooseLocale(context.req.header('accept-language'), context.req.query('lang'));
    return htmlAnswer(String(await pageShell(locale)));
  });
  app.use('/page/*', loggedIn(sessions));
  app.get('/page/app.js', asset('text/javascript; charset=utf-8', appScript));
  app.get('/page/app.css', asset('text/css; charset=utf-8', appStyles));
  mountActions(app, parts, { sessions, login, onChange: (section) => events.changed(section) });
  mountFragments(app, parts);
  app.get('/page/events', (context) => events.stream(context));
  app.notFound(() => refusal(404, 'NOT_FOUND', 'There is nothing of this address on the page.'));
  app.onError((error, context) => {
    if (error instanceof CodedError) {
      return refusal(statusOf(error), error.code, messageOf(error, localeOf(context)));
    }
    parts.onError(error);
    return refusal(500, 'INTERNAL_ERROR', 'Something is wrong in local-coder; its log says what.');
  });
  return {
    fetch: async (request) => app.fetch(request),
    routes: app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => ({ method, path })),
    async close() {
      sessions.closeAll();
      events.close();
      await login.close();
    },
  };
}

/** The program's own errors are in English: in another language it is said first that it did not work. */
function messageOf({ code, message }: CodedError, locale: Locale): string {
  const { conflict, failed, gone } = textsOf(locale);
  if (locale === 'en') return message;
  if (code === 'PROCESS_NOT_FOUND') return gone;
  return code === 'CONFLICT' ? conflict : `${failed} ${message}`;
}

function statusOf({ code }: CodedError): number {
  if (code === 'NOT_AVAILABLE' || code === 'PROCESS_NOT_FOUND' || code === 'FILE_NOT_FOUND') return 404;
  return code === 'CONFLICT' ? 409 : 400;
}

/** A text that is the same for everybody, with an ETag; made once. */
function asset(type: string, text: () => string) {
  let made: { body: string; etag: string } | undefined;
  return (context: { req: { header(name: string): string | undefined } }): Response => {
    if (made === undefined) {
      const body = text();
      made = { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
    }
    const headers = { 'cache-control': 'private, no-cache', etag: made.etag };
    if (context.req.header('if-none-match') === made.etag) return answer(304, undefined, undefined, headers);
    return answer(200, type, made.body, headers);
  };
}
