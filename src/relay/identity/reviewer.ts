import { html } from 'hono/html';
import { addressKey, OAuthError, readForm, sameSecret } from '../../auth/index.ts';
import { returnPath } from '../core/browser.ts';
import { page } from '../core/page.ts';
import type { SignedIn, SignInContext, SignInMethod } from './identity.ts';
import { passwordMatches } from './password.ts';

const PURPOSE = 'review';
const TRIES_PER_ADDRESS = { max: 5, windowMs: 10 * 60_000 };
/** All callers together: one account, so nobody else is locked out by it. */
const TRIES = { max: 30, windowMs: 10 * 60_000 };

export interface ReviewerOptions {
  readonly email: string;
  /** See password.ts. */
  readonly passwordHash: string;
  /** The account that the reviewer gets. */
  readonly subject: string;
}

/** Sign-in with one e-mail address and password, for people who review a published connector without an account. */
export function reviewerSignIn(options: ReviewerOptions): SignInMethod {
  const start = async (request: Request, { browser }: SignInContext): Promise<Response> => {
    const returnTo = returnPath(new URL(request.url).searchParams.get('return'));
    const { sealed, headers } = await browser.carry(request, PURPOSE, { returnTo });
    return page(
      'Reviewer sign-in',
      html`<h1>Reviewer sign-in</h1>
<form method="post" action="/sign-in/review"><input type="hidden" name="request" value="${sealed}">
<label>E-mail <input type="email" name="email" maxlength="200" autocomplete="username" required autofocus></label>
<label>Password <input type="password" name="password" maxlength="200" autocomplete="current-password" required></label>
<div class="buttons"><button class="main">Sign in</button></div></form>`,
      { headers },
    );
  };

  const check = async (request: Request, context: SignInContext): Promise<SignedIn> => {
    const { browser, limits, address, now } = context;
    browser.ownForm(request);
    const form = await readForm(request);
    const { returnTo } = (await browser.carried(request, PURPOSE, form.one('request'))) as {
      returnTo: string;
    }; // start's
    const key = addressKey(address);
    const few = key === undefined || (await limits.take(`review:${key}`, TRIES_PER_ADDRESS, now()));
    if (!few || !(await limits.take('review', TRIES, now()))) {
      throw new OAuthError('temporarily_unavailable', 'Too many tries; wait ten minutes.', 429);
    }
    const email = (form.one('email') ?? '').trim().toLowerCase();
    const [sameEmail, samePassword] = await Promise.all([
      sameSecret(email, options.email.toLowerCase()),
      passwordMatches(form.one('password') ?? '', options.passwordHash),
    ]);
    if (!sameEmail || !samePassword) {
      throw new OAuthError('access_denied', 'E-mail address or password is wrong.', 403);
    }
    return { identity: { provider: 'review', subject: options.subject, name: 'the reviewer' }, returnTo };
  };

  return {
    id: 'review',
    offer: (href) => html`<p class="small"><a href="${href}">Reviewer sign-in</a></p>`,
    handle: (request, _step, context) =>
      request.method === 'POST' ? check(request, context) : start(request, context),
  };
}
