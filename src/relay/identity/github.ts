import { html } from 'hono/html';
import { OAuthError, s256 } from '../../auth/index.ts';
import { returnPath } from '../core/browser.ts';
import { seeOther } from '../core/page.ts';
import type { SignedIn, SignInContext, SignInMethod } from './identity.ts';

const PURPOSE = 'github';
const REQUEST_TIMEOUT_MS = 10_000;

export interface GitHubOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Logins that may sign in; everybody when it is left out. */
  readonly allowedLogins?: readonly string[] | undefined;
  /** Origin of the web site; a GitHub Enterprise server has its own. */
  readonly webUrl?: string | undefined;
  /** Base of the REST API. */
  readonly apiUrl?: string | undefined;
}

interface Carried {
  readonly returnTo: string;
}

/** Sign-in by an OAuth app of GitHub's, with PKCE and a state that this browser alone can use. Asks for no scope. */
export function gitHubSignIn(options: GitHubOptions): SignInMethod {
  const webUrl = options.webUrl ?? 'https://github.com';
  const apiUrl = options.apiUrl ?? 'https://api.github.com';
  const allowed = options.allowedLogins?.map((login) => login.toLowerCase());

  const start = async (request: Request, context: SignInContext): Promise<Response> => {
    const returnTo = returnPath(new URL(request.url).searchParams.get('return'));
    const carried: Carried = { returnTo };
    // The code verifier is the browser's secret: the state travels through addresses, where others may read it.
    const { sealed, headers, secret: verifier } = await context.browser.carry(request, PURPOSE, carried);
    const query = new URLSearchParams({
      client_id: options.clientId,
      redirect_uri: callbackOf(context),
      state: sealed,
      code_challenge: await s256(verifier),
      code_challenge_method: 'S256',
    });
    return seeOther(`${webUrl}/login/oauth/authorize?${query}`, headers);
  };

  const callback = async (request: Request, context: SignInContext): Promise<SignedIn> => {
    const query = new URL(request.url).searchParams;
    const state = query.get('state') ?? undefined;
    const { returnTo } = (await context.browser.carried(request, PURPOSE, state)) as Carried; // start's
    const verifier = (await context.browser.secret(request, PURPOSE)) ?? '';
    const code = query.get('code');
    if (code === null) throw new OAuthError('access_denied', 'GitHub did not sign you in.', 403);
    const token = await accessToken(code, verifier, callbackOf(context));
    const user = await json(`${apiUrl}/user`, {
      headers: { authorization: `Bearer ${token}`, 'x-github-api-version': '2022-11-28' },
    });
    const { id, login } = user;
    if (typeof id !== 'number' || typeof login !== 'string') throw unreachable();
    if (allowed !== undefined && !allowed.includes(login.toLowerCase())) {
      throw new OAuthError('access_denied', 'This account may not use this relay.', 403);
    }
    return { identity: { provider: 'github', subject: String(id), name: `${login} (GitHub)` }, returnTo };
  };

  const accessToken = async (code: string, verifier: string, redirectUri: string): Promise<string> => {
    const answer = await json(`${webUrl}/login/oauth/access_token`, {
      method: 'POST',
      body: new URLSearchParams({
        client_id: options.clientId,
        client_secret: options.clientSecret,
        code,
        redirect_uri: redirectUri,
        code_verifier: verifier,
      }),
    });
    const token = answer['access_token'];
    // GitHub answers a wrong code with 200 and `error`.
    if (typeof token !== 'string')
      throw new OAuthError('access_denied', 'GitHub did not accept the sign-in.', 403);
    return token;
  };

  return {
    id: 'github',
    offer: (href) => html`<a class="button" href="${href}">Sign in with GitHub</a>`,
    handle: (request, step, context) =>
      step === 'callback' ? callback(request, context) : start(request, context),
  };
}

function callbackOf({ origin }: SignInContext): string {
  return `${origin}/sign-in/github/callback`;
}

async function json(url: string, init: RequestInit): Promise<Record<string, unknown>> {
  try {
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      // GitHub's API refuses requests without a User-Agent.
      headers: { accept: 'application/json', 'user-agent': 'local-coder-relay', ...init.headers },
    });
    if (!response.ok) throw unreachable();
    const value: unknown = await response.json();
    if (typeof value !== 'object' || value === null) throw unreachable();
    return value as Record<string, unknown>; // an object, whose fields are checked by the caller
  } catch (error) {
    throw error instanceof OAuthError ? error : unreachable();
  }
}

function unreachable(): OAuthError {
  return new OAuthError(
    'temporarily_unavailable',
    'GitHub could not be reached; try again in a moment.',
    503,
  );
}
