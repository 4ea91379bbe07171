import { Hono } from 'hono';
import type { AccessMode } from '../workspace/index.ts';
import {
  authorizationResponse,
  type Endpoints,
  RedirectedError,
  readAuthorizationRequest,
} from './authorization-request.ts';
import { type Authenticated, checkBearer, type RequestHead } from './bearer.ts';
import type { FetchDocument } from './client-document.ts';
import { Clients } from './clients.ts';
import { ConsentDesk } from './consent-desk.ts';
import { errorPage } from './consent-page.ts';
import { type RandomBytes, randomToken, sha256, systemRandom } from './crypto.ts';
import {
  metadataAddress,
  RESOURCE_METADATA_PATH,
  resourceMetadata,
  SERVER_METADATA_PATH,
  serverMetadata,
} from './metadata.ts';
import { allowMethods, json, OAuthError } from './oauth-error.ts';
import { type Consent, type IssueCode, OwnerConsent } from './owner-consent.ts';
import { addressKey, RateLimit } from './rate-limit.ts';
import { register, tooManyRegistrations } from './register.ts';
import type { AuthStore } from './store.ts';
import { revoke, token } from './token.ts';

/** From the redirect to the client until the client has traded the code. */
const CODE_MS = 5 * 60_000;
const REGISTRATIONS_PER_ADDRESS = { max: 10, windowMs: 10 * 60_000 };
/** All callers together, where their addresses are not known. */
const REGISTRATIONS = { max: 60, windowMs: 10 * 60_000 };
const MAX_QUERY_LENGTH = 8_192;

export interface AuthOptions {
  readonly store: AuthStore;
  /**
   * The public address in use; undefined while there is none. Its origin is the issuer. The request is for a loopback
   * listener with several names; what a tunnel delivers says nothing of where it came from.
   */
  readonly publicUrl: (request: RequestHead) => string | undefined;
  /** The MCP endpoint where it is on another origin than the issuer; else the issuer's /mcp. */
  readonly resourceUrl?: (request: RequestHead) => string | undefined;
  /** The server's own mode: what the owner can grant at most. */
  readonly accessMode: AccessMode;
  /** How consent is got: from the owner, whose waiting requests the desk keeps, or in another way (the relay's). */
  readonly consent: ConsentDesk | ((issueCode: IssueCode) => Consent);
  /** The caller's address where the tunnel's provider vouches for it (CF-Connecting-IP), else undefined. */
  readonly clientAddress?: (request: Request) => string | undefined;
  /** How client documents are fetched; with SSRF protection by default. */
  readonly fetchDocument?: FetchDocument;
  /** What no caller brought about: a defect, a broken database. */
  readonly onError?: (error: unknown) => void;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
  readonly random?: RandomBytes;
}

export interface Auth {
  /** The OAuth endpoints and the well-known documents; mount it at the root of the public listener. */
  readonly app: Hono;
  /** Checks a request to the MCP endpoint. @returns who it is, or the answer to give */
  authenticate(request: RequestHead): Promise<Authenticated | Response>;
}

/** The authorization server and the bearer check of one public address. */
export function createAuth(options: AuthOptions): Auth {
  const { store, accessMode } = options;
  const now = options.clock ?? Date.now;
  const random = options.random ?? systemRandom;
  const clientAddress = options.clientAddress ?? (() => undefined);
  const fetchDocument: FetchDocument =
    options.fetchDocument ??
    (async (url, signal) => (await import('./fetch-document.ts')).fetchDocument(url, signal));
  const clients = new Clients(store, fetchDocument, now);
  const registrationsOf = new RateLimit(REGISTRATIONS_PER_ADDRESS);
  const registrations = new RateLimit(REGISTRATIONS);

  const endpoints = (request: RequestHead): Endpoints => {
    const url = options.publicUrl(request);
    if (url === undefined) {
      throw new OAuthError('temporarily_unavailable', 'This server has no public address yet.', 503);
    }
    const issuer = new URL(url).origin;
    return { issuer, resource: options.resourceUrl?.(request) ?? `${issuer}/mcp` };
  };

  const issueCode: IssueCode = async (request, { subject, access }) => {
    const code = randomToken(random, 'lc_code_');
    await store.sweep(now());
    const expiresMs = now() + CODE_MS;
    await store.codes.add(await sha256(code), { ...request, subject, access, expiresMs });
    return authorizationResponse(request, { code });
  };

  const consent: Consent =
    options.consent instanceof ConsentDesk
      ? new OwnerConsent({
          desk: options.consent,
          issueCode,
          accessMode,
          clientAddress,
          issuer: (http) => endpoints(http).issuer,
          now,
          random,
        })
      : options.consent(issueCode);

  const authorize = async (request: Request): Promise<Response> => {
    allowMethods(request, 'GET', 'POST');
    if (request.method === 'POST') return consent.decide(request);
    const url = new URL(request.url);
    if (url.search.length > MAX_QUERY_LENGTH) {
      throw new OAuthError('invalid_request', `The query has more than ${MAX_QUERY_LENGTH} characters.`, 414);
    }
    return consent.ask(await readAuthorizationRequest(url, clients, endpoints(request)), request);
  };

  const registration = async (request: Request): Promise<Response> => {
    allowMethods(request, 'POST');
    const address = addressKey(clientAddress(request));
    const allowed =
      address === undefined ? registrations.take('', now()) : registrationsOf.take(address, now());
    if (!allowed) throw tooManyRegistrations();
    return register(request, { store, issuer: endpoints(request).issuer, random, nowMs: now() });
  };

  const document = (make: (at: Endpoints) => unknown) => async (request: Request) => {
    allowMethods(request, 'GET', 'HEAD');
    return json(make(endpoints(request)));
  };

  const wellKnown = (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    if (pathname === SERVER_METADATA_PATH) return document(serverMetadata)(request);
    const ofResource = new URL(metadataAddress(endpoints(request).resource)).pathname;
    if (pathname === RESOURCE_METADATA_PATH || pathname === ofResource)
      return document(resourceMetadata)(request);
    throw new OAuthError('not_found', 'There is no such document here.', 404);
  };

  const app = new Hono();
  const route = (path: string, handler: (request: Request) => Promise<Response>, forPeople = false) =>
    app.all(path, async (context) => {
      const request = context.req.raw;
      try {
        return await handler(request);
      } catch (error) {
        return answerTo(error, forPeople && wantsHtml(request), options.onError);
      }
    });
  route('/.well-known/*', async (request) => wellKnown(request));
  route('/authorize', authorize, true);
  route('/register', registration);
  route('/token', async (request) => {
    allowMethods(request, 'POST');
    return token(request, { ...endpoints(request), store, random, nowMs: now() });
  });
  route('/revoke', async (request) => {
    allowMethods(request, 'POST');
    return revoke(request, { store });
  });

  return {
    app,
    async authenticate(request) {
      try {
        return await checkBearer(request, { ...endpoints(request), store, accessMode, nowMs: now() });
      } catch (error) {
        return answerTo(error, false, options.onError);
      }
    },
  };
}

async function answerTo(
  error: unknown,
  asPage: boolean,
  onError: ((error: unknown) => void) | undefined,
): Promise<Response> {
  if (error instanceof RedirectedError) {
    return new Response(null, {
      status: 302,
      headers: { location: error.location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' },
    });
  }
  if (error instanceof OAuthError) return asPage ? errorPage(error.message, error.status) : error.response();
  onError?.(error);
  const message = 'Something went wrong in this server; its own log says what.';
  return asPage ? errorPage(message, 500) : json({ error: 'server_error', error_description: message }, 500);
}

function wantsHtml(request: Request): boolean {
  return (request.headers.get('accept') ?? '').includes('text/html');
}
