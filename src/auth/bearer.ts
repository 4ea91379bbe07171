import type { AccessMode } from '../workspace/index.ts';
import { narrower } from './access-modes.ts';
import type { Endpoints } from './authorization-request.ts';
import { sha256 } from './crypto.ts';
import { metadataAddress } from './metadata.ts';
import { json } from './oauth-error.ts';
import type { AuthStore } from './store.ts';

/** Who a request comes from, and what the owner allowed it. */
export interface Authenticated {
  /** The owner's name for the connection, as `token list` shows it. */
  readonly grantId: string;
  readonly subject: string;
  readonly clientId: string;
  readonly clientName: string;
  readonly scope: string;
  /** Never wider than the server's own mode. */
  readonly grantedAccess: AccessMode;
}

/** What is needed of a request here; a Request has it. */
export interface RequestHead {
  readonly headers: { get(name: string): string | null };
}

/**
 * Checks a request's bearer token (RFC 6750). Tokens are taken from the Authorization header alone.
 * @returns who it is, or the 401 to answer with
 */
export async function checkBearer(
  request: RequestHead,
  at: Endpoints & { readonly store: AuthStore; readonly accessMode: AccessMode; readonly nowMs: number },
): Promise<Authenticated | Response> {
  const authorization = request.headers.get('authorization');
  if (authorization === null) return unauthorized(at, undefined);
  const token = /^Bearer +([A-Za-z0-9._~+/-]{1,512}=*) *$/i.exec(authorization)?.[1];
  const grant =
    token === undefined ? undefined : await at.store.grants.byAccessToken(await sha256(token), at);
  if (grant === undefined) return unauthorized(at, 'invalid_token');
  return {
    grantId: grant.id,
    subject: grant.subject,
    clientId: grant.clientId,
    clientName: grant.clientName,
    scope: grant.scope,
    grantedAccess: narrower(grant.access, at.accessMode),
  };
}

function unauthorized(endpoints: Endpoints, error: 'invalid_token' | undefined): Response {
  const description =
    error === undefined
      ? 'A bearer token is needed; WWW-Authenticate names where to get one.'
      : 'The access token is not valid: unknown, expired, revoked, or issued for another address.';
  const challenge = `Bearer resource_metadata="${metadataAddress(endpoints.resource)}"`;
  return json({ error: error ?? 'unauthorized', error_description: description }, 401, {
    'www-authenticate': error === undefined ? challenge : `${challenge}, error="${error}"`,
  });
}
