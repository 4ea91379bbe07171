import type { AccessMode } from '../workspace/index.ts';
import { isAccessMode, narrower } from './access-modes.ts';
import { type AuthorizationRequest, authorizationResponse } from './authorization-request.ts';
import { CONSENT_MS, type ConsentDesk } from './consent-desk.ts';
import { consentPage, continuePage } from './consent-page.ts';
import { type RandomBytes, randomToken, sha256 } from './crypto.ts';
import { OAuthError } from './oauth-error.ts';
import { readForm } from './request-body.ts';
import { Seal } from './sealed.ts';

/** Who decides on a valid request, and how: the owner's one-time code here, a sign-in elsewhere at the relay. */
export interface Consent {
  /** Answers a valid authorization request, usually with a page that asks. */
  ask(request: AuthorizationRequest, http: Request): Promise<Response>;
  /** Answers the POST of that page. */
  decide(http: Request): Promise<Response>;
}

/** Issues a code for a request that was allowed. @returns where to send the browser */
export type IssueCode = (
  request: AuthorizationRequest,
  allowed: { readonly subject: string; readonly access: AccessMode },
) => Promise<string>;

export const OWNER = 'owner';

/** What the page carries while it waits. `cookieHash` ties it to the browser that asked. */
interface Carried {
  readonly request: AuthorizationRequest;
  readonly reference: string;
  readonly number: string | undefined;
  readonly expiresAtMs: number;
  readonly cookieHash: string;
}

/** Consent of the one owner: a page in the browser, a code on the terminal. */
export class OwnerConsent implements Consent {
  readonly #desk: ConsentDesk;
  readonly #issueCode: IssueCode;
  readonly #accessMode: AccessMode;
  readonly #clientAddress: (http: Request) => string | undefined;
  readonly #issuer: (http: Request) => string;
  readonly #now: () => number;
  readonly #random: RandomBytes;
  readonly #seal: Seal<Carried>;

  constructor(options: {
    readonly desk: ConsentDesk;
    readonly issueCode: IssueCode;
    readonly accessMode: AccessMode;
    readonly clientAddress: (http: Request) => string | undefined;
    readonly issuer: (http: Request) => string;
    readonly now: () => number;
    readonly random: RandomBytes;
  }) {
    this.#desk = options.desk;
    this.#issueCode = options.issueCode;
    this.#accessMode = options.accessMode;
    this.#clientAddress = options.clientAddress;
    this.#issuer = options.issuer;
    this.#now = options.now;
    this.#random = options.random;
    this.#seal = new Seal(options.random);
  }

  async ask(request: AuthorizationRequest, http: Request): Promise<Response> {
    const cookie = readCookie(http, request.issuer) ?? randomToken(this.#random);
    const cookieHash = await sha256(cookie);
    const { reference, number, expiresAtMs } = this.#desk.open(
      await sha256(JSON.stringify([cookieHash, request])),
      { client: request.clientName, host: request.redirectHost, address: this.#clientAddress(http) },
    );
    const carried = { request, reference, number, expiresAtMs, cookieHash };
    return this.#show(carried, this.#accessMode, 200, undefined, {
      'set-cookie': setCookie(cookie, request.issuer),
    });
  }

  async decide(http: Request): Promise<Response> {
    const issuer = this.#issuer(http);
    fromOurPage(http, issuer);
    const form = await readForm(http);
    const carried = await this.#seal.open(form.one('request') ?? '');
    const cookie = readCookie(http, issuer);
    if (carried === undefined || carried.request.issuer !== issuer || carried.expiresAtMs <= this.#now()) {
      throw new OAuthError('invalid_request', 'This page is too old, or was not made by this server.');
    }
    if (cookie === undefined || (await sha256(cookie)) !== carried.cookieHash) {
      throw new OAuthError(
        'invalid_request',
        'This page was made for another browser, or cookies are off.',
        403,
      );
    }
    const chosen = form.one('access') ?? this.#accessMode;
    if (!isAccessMode(chosen)) throw new OAuthError('invalid_request', 'There is no such access mode.');
    const decision = form.one('decision');
    if (decision !== 'allow' && decision !== 'deny') {
      throw new OAuthError('invalid_request', 'The decision must be allow or deny.');
    }
    return decision === 'deny' ? this.#denied(carried) : this.#allow(carried, chosen, form.one('code'));
  }

  async #allow(carried: Carried, chosen: AccessMode, code: string | undefined): Promise<Response> {
    const local = await this.#desk.takeDecision(carried.reference);
    if (local?.allowed === false) return this.#denied(carried);
    if (local !== undefined) return this.#allowed(carried, narrower(chosen, local.access ?? chosen));
    if (code === undefined) {
      const problem =
        carried.number === undefined
          ? 'It has not been allowed on the computer yet.'
          : 'Type the code that the terminal printed.';
      return this.#show(carried, chosen, 403, problem);
    }
    const check = await this.#desk.check(carried.reference, code);
    if (check.result === 'right') return this.#allowed(carried, chosen);
    if (check.result === 'wrong' && check.left > 0) {
      const tries = check.left === 1 ? 'One try is' : `${check.left} tries are`;
      return this.#show(carried, chosen, 403, `That is not the code of this request. ${tries} left.`);
    }
    const gone = { ...carried, number: undefined };
    return this.#show(
      gone,
      chosen,
      403,
      'This request has no code any more. Allow it on the computer, or start again.',
    );
  }

  async #allowed(carried: Carried, access: AccessMode): Promise<Response> {
    const granted = narrower(access, this.#accessMode);
    const location = await this.#issueCode(carried.request, { subject: OWNER, access: granted });
    return continuePage(location, carried.request.redirectHost, true);
  }

  #denied({ reference, request }: Carried): Promise<Response> {
    this.#desk.close(reference);
    const outcome = { error: 'access_denied', error_description: 'The owner denied the request.' };
    return continuePage(authorizationResponse(request, outcome), request.redirectHost, false);
  }

  async #show(
    carried: Carried,
    chosen: AccessMode,
    status: number,
    problem?: string,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const { request, reference, number } = carried;
    const sealed = await this.#seal.close(carried);
    const accessMode = this.#accessMode;
    const view = { request, reference, number, sealed, accessMode, problem };
    return consentPage({ ...view, chosen: narrower(chosen, accessMode) }, status, headers);
  }
}

/** A form of another site, or of a frame without an origin, is refused before it is read. */
function fromOurPage(http: Request, issuer: string): void {
  const origin = http.headers.get('origin');
  const site = http.headers.get('sec-fetch-site');
  if (
    (origin !== null && origin !== issuer) ||
    (site !== null && site !== 'same-origin' && site !== 'none')
  ) {
    throw new OAuthError('invalid_request', 'The form was not sent by the page of this server.', 403);
  }
}

/** `__Host-`: no other host, not even a subdomain, can set it. Plain http (loopback alone) cannot have such cookies. */
function cookieName(issuer: string): string {
  return issuer.startsWith('https:') ? '__Host-local-coder' : 'local-coder';
}

function setCookie(value: string, issuer: string): string {
  const secure = issuer.startsWith('https:') ? '; Secure' : '';
  // Lax: the request comes by a link from the client's site, and two pages of one browser share the cookie.
  return `${cookieName(issuer)}=${value}; Path=/; Max-Age=${CONSENT_MS / 1000}; HttpOnly; SameSite=Lax${secure}`;
}

function readCookie(http: Request, issuer: string): string | undefined {
  const prefix = `${cookieName(issuer)}=`;
  const pairs = (http.headers.get('cookie') ?? '').split(';').map((pair) => pair.trim());
  const value = pairs.find((pair) => pair.startsWith(prefix))?.slice(prefix.length);
  return value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value) ? value : undefined;
}
