import { RateLimit } from './rate-limit.ts';
import { isAllowedRedirectUri } from './redirect-uri.ts';

/** What a server answered to the request for a client's document. */
export interface FetchedDocument {
  readonly status: number;
  readonly contentType: string;
  readonly cacheControl: string;
  readonly text: string;
}

/**
 * Fetches a client's document: one GET, no redirect followed, public addresses only, at most MAX_DOCUMENT_BYTES,
 * ended by the signal. Throws for whatever goes wrong.
 */
export type FetchDocument = (url: URL, signal: AbortSignal) => Promise<FetchedDocument>;

export interface ClientDocument {
  readonly name: string;
  readonly redirectUris: readonly string[];
}

export const MAX_DOCUMENT_BYTES = 16 * 1024;
const FETCH_TIMEOUT_MS = 5_000;
const MAX_CACHED = 100;
const [MIN_CACHE_MS, DEFAULT_CACHE_MS, MAX_CACHE_MS] = [60_000, 60 * 60_000, 24 * 60 * 60_000];
/** A document that could not be had is not asked for again for this long. */
const FAILURE_CACHE_MS = 30_000;
/** Requests at once, and per host and minute: this server must not be anybody's means to flood a third party. */
const MAX_AT_ONCE = 8;
const PER_HOST = { max: 10, windowMs: 60_000 };
/**
 * Clients that most owners use are not held to the two limits: a stranger who asks for made-up documents of the same
 * host, or for slow ones, must not keep the owner out. Each of them is asked for once at a time like any other.
 */
const USUAL_CLIENTS = new Set([
  'https://chatgpt.com/oauth/client.json',
  'https://claude.ai/oauth/mcp-oauth-client-metadata',
]);

/**
 * Client ID Metadata Documents (draft-ietf-oauth-client-id-metadata-document): the client's id is the https address of
 * a document that names its redirect URIs. Fetched once, remembered for a while.
 */
export class ClientDocuments {
  readonly #fetch: FetchDocument;
  readonly #now: () => number;
  readonly #cache = new Map<string, { document: ClientDocument | undefined; untilMs: number }>();
  readonly #underWay = new Map<string, Promise<ClientDocument | undefined>>();
  readonly #perHost = new RateLimit(PER_HOST);

  constructor(fetch: FetchDocument, now: () => number) {
    this.#fetch = fetch;
    this.#now = now;
  }

  /**
   * The document behind a client id that isDocumentAddress accepts.
   * @returns undefined when there is none that can be had and is right
   */
  async get(clientId: string): Promise<ClientDocument | undefined> {
    const cached = this.#cache.get(clientId);
    if (cached !== undefined && cached.untilMs > this.#now()) return cached.document;
    const underWay = this.#underWay.get(clientId);
    if (underWay !== undefined) return underWay;
    const url = new URL(clientId);
    if (!USUAL_CLIENTS.has(clientId)) {
      if (this.#underWay.size >= MAX_AT_ONCE || !this.#perHost.take(url.host, this.#now())) return undefined;
    }
    const loading = this.#load(clientId, url).finally(() => this.#underWay.delete(clientId));
    this.#underWay.set(clientId, loading);
    return loading;
  }

  async #load(clientId: string, url: URL): Promise<ClientDocument | undefined> {
    let document: ClientDocument | undefined;
    let keepMs = FAILURE_CACHE_MS;
    try {
      const fetched = await this.#fetch(url, AbortSignal.timeout(FETCH_TIMEOUT_MS));
      if (
        fetched.status === 200 &&
        /^application\/([a-z0-9.+-]+\+)?json\s*(;|$)/i.test(fetched.contentType)
      ) {
        document = readDocument(clientId, fetched.text);
      }
      if (document !== undefined) keepMs = cacheMs(fetched.cacheControl);
    } catch {
      // Why is nobody's business who asks from outside: it would tell what this machine can reach.
    }
    this.#cache.delete(clientId);
    this.#cache.set(clientId, { document, untilMs: this.#now() + keepMs });
    if (this.#cache.size > MAX_CACHED) this.#cache.delete(this.#cache.keys().next().value ?? '');
    return document;
  }
}

/** What a client id that is an address has to look like: https, a path, no user, no fragment, no dot segments. */
export function isDocumentAddress(clientId: string): boolean {
  if (clientId.length > 2_048 || !/^https:\/\/[\x21-\x7e]+$/.test(clientId)) return false;
  const url = URL.parse(clientId);
  // What parsing would change (dot segments, a default port, capitals in the host) has more than one spelling.
  return (
    url !== null &&
    url.href === clientId &&
    url.pathname !== '/' &&
    url.username + url.password + url.hash === ''
  );
}

function readDocument(clientId: string, text: string): ClientDocument | undefined {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) return undefined;
  const document = value as Record<string, unknown>; // an object, whose fields are checked below
  if (document['client_id'] !== clientId || !mayBePublic(document)) return undefined;
  const listed = document['redirect_uris'];
  if (!Array.isArray(listed)) return undefined;
  const redirectUris = listed.slice(0, 50).filter(isAllowedRedirectUri);
  if (redirectUris.length === 0) return undefined;
  const name = document['client_name'];
  return { name: typeof name === 'string' ? name : new URL(clientId).hostname, redirectUris };
}

/** A client whose document offers other ways to prove itself than none must not be had without proof. */
function mayBePublic(document: Record<string, unknown>): boolean {
  if ('client_secret' in document) return false;
  const one = document['token_endpoint_auth_method'];
  const several = document['token_endpoint_auth_methods_supported'];
  const methods = [...(Array.isArray(several) ? several : []), ...(one === undefined ? [] : [one])];
  return methods.length === 0 || methods.includes('none');
}

function cacheMs(cacheControl: string): number {
  if (/\bno-(store|cache)\b/i.test(cacheControl)) return MIN_CACHE_MS;
  const seconds = /\bmax-age=(\d{1,9})\b/i.exec(cacheControl)?.[1];
  if (seconds === undefined) return DEFAULT_CACHE_MS;
  return Math.min(Math.max(Number(seconds) * 1000, MIN_CACHE_MS), MAX_CACHE_MS);
}
