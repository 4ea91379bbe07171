import type { Hono } from 'hono';
import { html } from 'hono/html';
import { type AuthStore, errorPage, OAuthError, readForm, type Sql } from '../../auth/index.ts';
import type { SignInContext, SignInMethod } from '../identity/identity.ts';
import { accountPage, connectedClients } from './account-page.ts';
import type { Agents } from './agents.ts';
import { type Browser, returnPath } from './browser.ts';
import type { Limits } from './limits.ts';
import { page, seeOther } from './page.ts';
import { PAIRING_MS, type Pairings } from './pairing.ts';
import type { SessionHub } from './ports.ts';
import type { User, Users } from './users.ts';

const PURPOSE = 'account';
const PAIRING_CODES = { max: 10, windowMs: PAIRING_MS };

export interface AccountRoutesOptions {
  readonly sql: Sql;
  readonly store: AuthStore;
  readonly users: Users;
  readonly agents: Agents;
  readonly pairings: Pairings;
  readonly limits: Limits;
  readonly hub: SessionHub;
  readonly browser: Browser;
  readonly methods: readonly SignInMethod[];
  readonly publicUrl: string;
  readonly clientAddress: (request: Request) => string | undefined;
  readonly onError: (error: unknown) => void;
  readonly now: () => number;
}

/** The pages for people: signing in, and what is connected. */
export function mountAccountRoutes(app: Hono, options: AccountRoutesOptions): void {
  const { users, agents, hub, browser, methods, now } = options;

  const home = async (request: Request): Promise<Response> => {
    const user = await browser.user(request);
    return user === undefined ? seeOther('/sign-in') : account(request, user);
  };

  const account = async (request: Request, user: User, newCode?: string): Promise<Response> => {
    const [list, workspaces, clients] = await Promise.all([
      agents.list(user.id),
      agents.workspaces(user.id),
      connectedClients(options.sql, user.id, now()),
    ]);
    const online = await hub.online(list.map((agent) => agent.id));
    const { sealed, headers } = await browser.carry(request, PURPOSE, user.id);
    const { publicUrl } = options;
    return accountPage(
      {
        userName: user.name,
        publicUrl,
        agents: list,
        workspaces,
        online,
        clients,
        sealed,
        newCode,
        nowMs: now(),
      },
      headers,
    );
  };

  const act = async (request: Request): Promise<Response> => {
    browser.ownForm(request);
    const form = await readForm(request);
    const user = await browser.user(request);
    if (user === undefined) return seeOther('/sign-in');
    if ((await browser.carried(request, PURPOSE, form.one('request'))) !== user.id) {
      throw new OAuthError('invalid_request', 'You are signed in as somebody else now.', 403);
    }
    switch (new URL(request.url).pathname) {
      case '/account/sign-out':
        return seeOther('/sign-in', await browser.signOut(request));
      case '/account/pairing-code': {
        if (!(await options.limits.take(`pairing-code:${user.id}`, PAIRING_CODES, now()))) {
          throw new OAuthError('temporarily_unavailable', 'Too many codes; wait ten minutes.', 429);
        }
        return account(request, user, (await options.pairings.create(user.id, undefined, now())).code);
      }
      case '/account/revoke-agent': {
        const agentId = form.required('id');
        if (await agents.revoke(user.id, agentId)) await hub.revoked(agentId);
        return seeOther('/');
      }
      case '/account/revoke-client': {
        const clients = await connectedClients(options.sql, user.id, now());
        const client = clients.find(({ id }) => id === form.required('id'));
        if (client !== undefined) await options.store.grants.revoke(client.id);
        return seeOther('/');
      }
      default:
        throw new OAuthError('not_found', 'There is no such page here.', 404);
    }
  };

  const signInPage = (request: Request): Response | Promise<Response> => {
    const returnTo = returnPath(new URL(request.url).searchParams.get('return'));
    const hrefOf = (id: string) => `/sign-in/${id}?${new URLSearchParams({ return: returnTo })}`;
    const [first, second] = methods;
    if (first !== undefined && second === undefined) return seeOther(hrefOf(first.id));
    return page(
      'Sign in',
      html`<h1>Sign in to the relay</h1>
<p>It connects MCP clients such as ChatGPT to the local-coder agents on your own computers.</p>
${methods.length === 0 ? html`<p class="bad">No way to sign in is configured.</p>` : ''}
${methods.map((method) => html`<p>${method.offer(hrefOf(method.id))}</p>`)}`,
    );
  };

  const signIn = async (request: Request, id: string, step: string): Promise<Response> => {
    const method = methods.find((one) => one.id === id);
    if (method === undefined) throw new OAuthError('not_found', 'There is no such way to sign in.', 404);
    const context: SignInContext = {
      origin: new URL(options.publicUrl).origin,
      browser,
      limits: options.limits,
      address: options.clientAddress(request),
      now,
    };
    const outcome = await method.handle(request, step, context);
    if (outcome instanceof Response) return outcome;
    const user = await users.signedIn(outcome.identity, now());
    if (user.suspended) throw new OAuthError('access_denied', 'This account is suspended.', 403);
    return seeOther(outcome.returnTo, await browser.signIn(user.id));
  };

  const safely = async (work: () => Response | Promise<Response>): Promise<Response> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof OAuthError) return errorPage(error.message, error.status);
      options.onError(error);
      return errorPage('Something went wrong in the relay; its own log says what.', 500);
    }
  };

  app.get('/', (context) => safely(() => home(context.req.raw)));
  app.post('/account/:action', (context) => safely(() => act(context.req.raw)));
  app.get('/sign-in', (context) => safely(() => signInPage(context.req.raw)));
  app.on(['GET', 'POST'], '/sign-in/:method', (context) =>
    safely(() => signIn(context.req.raw, context.req.param('method'), '')),
  );
  app.get('/sign-in/:method/callback', (context) =>
    safely(() => signIn(context.req.raw, context.req.param('method'), 'callback')),
  );
}
