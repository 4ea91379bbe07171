import type { Client, Clients } from './clients.ts';
import { OAuthError } from './oauth-error.ts';
import { isRegistered, redirectHost } from './redirect-uri.ts';
import { Parameters } from './request-body.ts';

const MAX_STATE_LENGTH = 4_096;
/** The one scope there is; offline_access asks for a refresh token, which everybody gets. */
export const SCOPES = ['mcp', 'offline_access'] as const;

/** Where the server is reached now. Everything that is issued is bound to both. */
export interface Endpoints {
  /** Origin without a slash at the end. */
  readonly issuer: string;
  /** The MCP endpoint: the audience of tokens (RFC 8707). */
  readonly resource: string;
}

/** A request that is right in every respect and waits for the owner's consent. */
export interface AuthorizationRequest extends Endpoints {
  readonly clientId: string;
  readonly clientName: string;
  readonly publishedBy: string | undefined;
  readonly redirectUri: string;
  readonly redirectHost: string;
  readonly state: string | undefined;
  readonly codeChallenge: string;
  readonly scope: string;
}

/** A refusal that the client may be told by redirect: client and redirect URI are right. */
export class RedirectedError extends Error {
  readonly location: string;

  constructor(location: string) {
    super('refused by redirect');
    this.name = 'RedirectedError';
    this.location = location;
  }
}

/**
 * Reads and checks an authorization request (OAuth 2.1 section 4.1.1, RFC 7636, RFC 8707). Parameters that are not
 * known, `prompt` among them, are let be.
 * @throws {OAuthError} for what must not be answered by redirect: client and redirect URI are not known to be right
 * @throws {RedirectedError} for everything else
 */
export async function readAuthorizationRequest(
  url: URL,
  clients: Clients,
  endpoints: Endpoints,
): Promise<AuthorizationRequest> {
  const parameters = new Parameters(url.searchParams);
  const client = await findClient(clients, parameters.required('client_id'), endpoints.issuer);
  const redirectUri = redirectUriOf(parameters.one('redirect_uri'), client);
  const target = { redirectUri, issuer: endpoints.issuer, state: undefined };
  try {
    const state = parameters.one('state');
    if (state !== undefined && state.length > MAX_STATE_LENGTH) {
      throw new OAuthError('invalid_request', `state has more than ${MAX_STATE_LENGTH} characters.`);
    }
    try {
      return {
        ...endpoints,
        clientId: client.id,
        clientName: client.name,
        publishedBy: client.publishedBy,
        redirectUri,
        redirectHost: redirectHost(redirectUri),
        state,
        ...checked(parameters, endpoints.resource),
      };
    } catch (error) {
      throw asRedirect(error, { ...target, state });
    }
  } catch (error) {
    throw asRedirect(error, target);
  }
}

/** The address that tells the client an outcome, with `iss` (RFC 9207) and its own `state`. */
export function authorizationResponse(
  request: Pick<AuthorizationRequest, 'redirectUri' | 'issuer' | 'state'>,
  outcome: Readonly<Record<string, string>>,
): string {
  const { redirectUri, issuer, state } = request;
  const parameters = new URLSearchParams({
    ...outcome,
    ...(state === undefined ? {} : { state }),
    iss: issuer,
  });
  return `${redirectUri}${redirectUri.includes('?') ? '&' : '?'}${parameters}`;
}

/** Whether a `resource` parameter names the resource; spellings of one URL are the same. */
export function isResource(named: string, resource: string): boolean {
  return URL.parse(named)?.href === new URL(resource).href && !named.includes('#');
}

function checked(
  parameters: Parameters,
  resource: string,
): Pick<AuthorizationRequest, 'codeChallenge' | 'scope'> {
  if (parameters.required('response_type') !== 'code') {
    throw new OAuthError('unsupported_response_type', 'response_type must be code.');
  }
  if ((parameters.one('response_mode') ?? 'query') !== 'query') {
    throw new OAuthError('invalid_request', 'response_mode must be query.');
  }
  if (parameters.one('request') !== undefined) {
    throw new OAuthError('request_not_supported', 'Request objects are not supported.');
  }
  if (parameters.one('request_uri') !== undefined) {
    throw new OAuthError('request_uri_not_supported', 'Request objects are not supported.');
  }
  const codeChallenge = parameters.required('code_challenge');
  if (parameters.one('code_challenge_method') !== 'S256') {
    throw new OAuthError('invalid_request', 'code_challenge_method must be S256.');
  }
  if (!/^[A-Za-z0-9_-]{43}$/.test(codeChallenge)) {
    throw new OAuthError('invalid_request', 'code_challenge must be the base64url SHA-256 of the verifier.');
  }
  const named = oneResource(parameters);
  if (named !== undefined && !isResource(named, resource)) {
    throw new OAuthError(
      'invalid_target',
      'resource must be the resource of the protected-resource metadata.',
    );
  }
  const asked = (parameters.one('scope') ?? '').split(' ');
  if (asked.some((scope) => !/^[\x21\x23-\x5b\x5d-\x7e]*$/.test(scope))) {
    throw new OAuthError('invalid_scope', 'scope has characters that no scope can have.');
  }
  return { codeChallenge, scope: grantedScope(asked) };
}

/** What is granted of what was asked for; scopes that are not known are left out (RFC 6749 section 3.3). */
function grantedScope(asked: readonly string[]): string {
  return SCOPES.filter((scope) => scope === 'mcp' || asked.includes(scope)).join(' ');
}

/** RFC 8707 allows several, of which this server has one. */
function oneResource(parameters: Parameters): string | undefined {
  try {
    return parameters.one('resource');
  } catch {
    throw new OAuthError('invalid_target', 'Only one resource can be asked for.');
  }
}

async function findClient(clients: Clients, id: string, issuer: string): Promise<Client> {
  const client = await clients.find(id, issuer);
  if (client !== undefined) return client;
  throw new OAuthError(
    'invalid_client',
    id.startsWith('https:')
      ? 'The document at the address that is the client id could not be read, or does not describe a public client of that id.'
      : 'This client is not registered here. Disconnect it and connect it anew, so that it registers again.',
  );
}

function redirectUriOf(asked: string | undefined, client: Client): string {
  if (asked === undefined) throw new OAuthError('invalid_request', 'The parameter redirect_uri is missing.');
  if (!isRegistered(asked, client.redirectUris)) {
    throw new OAuthError('invalid_request', 'redirect_uri is not one that the client registered.');
  }
  return asked;
}

function asRedirect(
  error: unknown,
  request: Pick<AuthorizationRequest, 'redirectUri' | 'issuer' | 'state'>,
): unknown {
  if (!(error instanceof OAuthError)) return error;
  return new RedirectedError(
    authorizationResponse(request, { error: error.error, error_description: error.message }),
  );
}
