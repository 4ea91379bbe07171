import { displayName } from './clients.ts';
import { type RandomBytes, randomToken } from './crypto.ts';
import { json, OAuthError } from './oauth-error.ts';
import { isAllowedRedirectUri } from './redirect-uri.ts';
import { readJson } from './request-body.ts';
import type { AuthStore } from './store.ts';

const MAX_REDIRECT_URIS = 20;
const DANGEROUS_SCHEME = /^\s*(javascript|data|vbscript|file|blob|about|view-source|filesystem):/i;

/**
 * Dynamic client registration (RFC 7591). Every client becomes a public one, whatever it asked for (section 3.2.1
 * lets the server choose): a secret that is handed to whoever asks proves nothing, the code verifier does.
 */
export async function register(
  request: Request,
  at: {
    readonly store: AuthStore;
    readonly issuer: string;
    readonly random: RandomBytes;
    readonly nowMs: number;
  },
): Promise<Response> {
  const body = await readJson(request);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new OAuthError('invalid_client_metadata', 'The body is not a JSON object.');
  }
  const metadata = body as Record<string, unknown>; // an object, whose fields are checked below
  const redirectUris = redirectUrisOf(metadata['redirect_uris']);
  mustInclude(metadata, 'grant_types', 'authorization_code');
  mustInclude(metadata, 'response_types', 'code');
  const claimed = metadata['client_name'];
  const name = (typeof claimed === 'string' ? displayName(claimed) : undefined) ?? 'A client without a name';
  const id = randomToken(at.random, 'lc_client_').slice(0, 32);
  await at.store.sweep(at.nowMs);
  const added = await at.store.clients.add({ id, issuer: at.issuer, name, redirectUris }, at.nowMs);
  if (!added) throw tooManyRegistrations();
  return json(
    {
      client_id: id,
      client_id_issued_at: Math.floor(at.nowMs / 1000),
      client_name: name,
      redirect_uris: redirectUris,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    201,
  );
}

export function tooManyRegistrations(): OAuthError {
  return new OAuthError(
    'temporarily_unavailable',
    'Too many clients registered here lately; try again in ten minutes.',
    429,
    { 'retry-after': '600' },
  );
}

/**
 * The usable ones. Clients that sign in from several places list private schemes beside https and loopback; those are
 * left out of the registration. A scheme that runs code, or a list without any usable one, is refused as a whole.
 */
function redirectUrisOf(listed: unknown): string[] {
  if (!Array.isArray(listed) || listed.length === 0 || listed.length > MAX_REDIRECT_URIS) {
    throw new OAuthError(
      'invalid_redirect_uri',
      `redirect_uris must list 1 to ${MAX_REDIRECT_URIS} addresses.`,
    );
  }
  const usable = listed.filter(isAllowedRedirectUri);
  const dangerous = listed.some(
    (uri) => typeof uri !== 'string' || DANGEROUS_SCHEME.test(uri) || uri.includes('#'),
  );
  if (dangerous || usable.length === 0) {
    throw new OAuthError(
      'invalid_redirect_uri',
      'A redirect URI must be https, or http to localhost, 127.0.0.1 or [::1], without a fragment or a user name.',
    );
  }
  return [...new Set(usable)];
}

function mustInclude(metadata: Record<string, unknown>, field: string, value: string): void {
  const listed = metadata[field];
  if (listed === undefined) return;
  if (!Array.isArray(listed) || !listed.includes(value)) {
    throw new OAuthError('invalid_client_metadata', `${field} must include ${value}.`);
  }
}
