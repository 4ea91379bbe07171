import { html } from 'hono/html';
import {
  addressKey,
  normalizedCode,
  OAuthError,
  readableCode,
  readForm,
  type Sql,
  sha256,
  systemRandom,
} from '../../auth/index.ts';
import { returnPath } from '../core/browser.ts';
import { page } from '../core/page.ts';
import type { SignedIn, SignInContext, SignInMethod } from './identity.ts';

const PURPOSE = 'owner-code';
const CODE_MS = 10 * 60_000;
const TRIES_PER_ADDRESS = { max: 10, windowMs: CODE_MS };

/**
 * A code that signs the owner in, once and for ten minutes. Only who can write the relay's database can make one, so
 * that no stranger can use up what the owner needs; its 55 bits need no limit of tries that a stranger could exhaust.
 */
export async function newOwnerCode(sql: Sql, nowMs: number): Promise<string> {
  const code = readableCode(systemRandom, 3, 4);
  await sql.batch([
    ['DELETE FROM relay_owner_codes WHERE expires_ms <= ?1', nowMs],
    ['INSERT INTO relay_owner_codes VALUES (?1, ?2)', await sha256(normalizedCode(code)), nowMs + CODE_MS],
  ]);
  return code;
}

/** Sign-in of the one owner of a self-hosted relay: a one-time code from its terminal. */
export function ownerCodeSignIn(sql: Sql): SignInMethod {
  const show = async (sealed: string, headers: Record<string, string>, problem?: string) =>
    page(
      'Sign in',
      html`<h1>Sign in as the owner</h1>
${problem === undefined ? '' : html`<p class="bad" role="alert">${problem}</p>`}
<form method="post" action="/sign-in/code" autocomplete="off"><input type="hidden" name="request" value="${sealed}">
<label>One-time code <input name="code" maxlength="40" placeholder="ABCD-EFGH-JKMN" autocomplete="one-time-code" autocapitalize="characters" spellcheck="false" autofocus></label>
<p class="small">The relay prints one when it starts. Where it runs, this prints another: <code>local-coder relay code</code></p>
<div class="buttons"><button class="main">Sign in</button></div></form>`,
      { status: problem === undefined ? 200 : 403, headers },
    );

  const start = async (request: Request, { browser }: SignInContext): Promise<Response> => {
    const returnTo = returnPath(new URL(request.url).searchParams.get('return'));
    const { sealed, headers } = await browser.carry(request, PURPOSE, { returnTo });
    return show(sealed, headers);
  };

  const check = async (request: Request, context: SignInContext): Promise<Response | SignedIn> => {
    const { browser, limits, address, now } = context;
    browser.ownForm(request);
    const form = await readForm(request);
    const sealed = form.required('request');
    const { returnTo } = (await browser.carried(request, PURPOSE, sealed)) as { returnTo: string }; // start's
    const key = addressKey(address);
    if (key !== undefined && !(await limits.take(`owner:${key}`, TRIES_PER_ADDRESS, now()))) {
      throw new OAuthError('temporarily_unavailable', 'Too many tries; wait ten minutes.', 429);
    }
    const burnt = await sql.first(
      'DELETE FROM relay_owner_codes WHERE hash = ?1 AND expires_ms > ?2 RETURNING hash',
      await sha256(normalizedCode(form.one('code') ?? '')),
      now(),
    );
    if (burnt === undefined) return show(sealed, {}, 'That code is not valid: unknown, used or expired.');
    return { identity: { provider: 'owner', subject: 'owner', name: 'the owner' }, returnTo };
  };

  return {
    id: 'code',
    offer: (href) => html`<a class="button" href="${href}">Sign in with a code from the terminal</a>`,
    handle: (request, _step, context) =>
      request.method === 'POST' ? check(request, context) : start(request, context),
  };
}
