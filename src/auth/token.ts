import type { Endpoints } from './authorization-request.ts';
import { isResource } from './authorization-request.ts';
import type { CodeRow } from './code-table.ts';
import { type RandomBytes, randomToken, readableCode, s256, sameSecret, sha256 } from './crypto.ts';
import { ACCESS_TOKEN_MS } from './grant-table.ts';
import { json, OAuthError } from './oauth-error.ts';
import { redirectHost } from './redirect-uri.ts';
import { type Parameters, readForm } from './request-body.ts';
import type { AuthStore } from './store.ts';

/**
 * A code that comes again this soon is a client that asks twice; later, somebody else has it, and what was issued for
 * it is revoked (OAuth 2.1 section 4.1.3).
 */
const REPLAY_GRACE_MS = 10_000;

interface TokenContext extends Endpoints {
  readonly store: AuthStore;
  readonly random: RandomBytes;
  readonly nowMs: number;
}

/** The token endpoint (RFC 6749 section 3.2) for public clients: codes with their verifier, and refresh tokens. */
export async function token(request: Request, context: TokenContext): Promise<Response> {
  const form = await readForm(request);
  const clientId = publicClient(request, form);
  switch (form.required('grant_type')) {
    case 'authorization_code':
      return redeemCode(form, clientId, context);
    case 'refresh_token':
      return refresh(form, clientId, context);
    default:
      throw new OAuthError(
        'unsupported_grant_type',
        'grant_type must be authorization_code or refresh_token.',
      );
  }
}

/** Token revocation (RFC 7009). Either token ends the whole grant: who disconnects wants to be disconnected. */
export async function revoke(request: Request, context: Pick<TokenContext, 'store'>): Promise<Response> {
  const form = await readForm(request);
  const hash = await sha256(form.required('token'));
  const clientId = form.one('client_id');
  const found = await context.store.grants.byToken(hash);
  if (found !== undefined) {
    if (clientId !== undefined && clientId !== found.grant.clientId) {
      throw new OAuthError('invalid_grant', 'The token was issued to another client.');
    }
    await context.store.grants.revoke(found.grant.id);
  }
  return new Response(null, { status: 200, headers: { 'cache-control': 'no-store' } });
}

async function redeemCode(form: Parameters, clientId: string, context: TokenContext): Promise<Response> {
  const { store, nowMs } = context;
  const [code, verifier] = [form.required('code'), form.required('code_verifier')];
  const redirectUri = form.one('redirect_uri');
  checkResource(form, context.resource);
  const hash = await sha256(code);
  const row = await store.codes.get(hash);
  if (row === undefined || row.expiresMs <= context.nowMs) throw badGrant('code');
  if (row.grantId !== undefined) throw await replayed(row, row.grantId, context);
  const matches =
    row.clientId === clientId &&
    isOf(row, context) &&
    (redirectUri === undefined || row.redirectUri === redirectUri) &&
    /^[A-Za-z0-9._~-]{43,128}$/.test(verifier) &&
    (await sameSecret(await s256(verifier), row.codeChallenge));
  if (!matches) throw badGrant('code');
  const grantId = readableCode(context.random, 2, 4);
  if (!(await store.codes.claim(hash, grantId, nowMs))) throw badGrant('code');
  const tokens = await newTokens(context.random);
  const grant = { ...row, id: grantId, redirectHost: redirectHost(row.redirectUri) };
  await store.grants.add(grant, tokens.hashes, nowMs);
  return tokenResponse(tokens, row.scope);
}

async function refresh(form: Parameters, clientId: string, context: TokenContext): Promise<Response> {
  const hash = await sha256(form.required('refresh_token'));
  checkResource(form, context.resource);
  const found = await context.store.grants.byToken(hash);
  const usable =
    found !== undefined &&
    found.kind === 'refresh' &&
    found.expiresMs > context.nowMs &&
    found.grant.clientId === clientId &&
    isOf(found.grant, context);
  if (!usable) throw badGrant('refresh token');
  const { grant } = found;
  const more = (form.one('scope') ?? '')
    .split(' ')
    .some((scope) => scope && !grant.scope.split(' ').includes(scope));
  if (more) throw new OAuthError('invalid_scope', 'A refresh cannot ask for more than was granted.');
  const tokens = await newTokens(context.random);
  await context.store.sweep(context.nowMs);
  if (!(await context.store.grants.rotate(grant.id, hash, tokens.hashes, context.nowMs))) {
    // A spent refresh token: two parties hold it, and nobody knows which is the client.
    await context.store.grants.revoke(grant.id);
    throw badGrant('refresh token');
  }
  return tokenResponse(tokens, grant.scope);
}

/** Public clients name themselves and prove nothing; who brings a secret or an assertion takes us for something else. */
function publicClient(request: Request, form: Parameters): string {
  const secret =
    form.one('client_secret') ?? form.one('client_assertion') ?? form.one('client_assertion_type');
  const inBody = form.one('client_id');
  const authorization = request.headers.get('authorization');
  if (secret !== undefined || authorization !== null) {
    throw new OAuthError(
      'invalid_client',
      'Clients of this server are public: send client_id in the body and neither a secret nor an assertion.',
      401,
      authorization === null ? {} : { 'www-authenticate': 'Basic realm="local-coder"' },
    );
  }
  if (inBody === undefined) throw new OAuthError('invalid_request', 'The parameter client_id is missing.');
  return inBody;
}

async function replayed(row: CodeRow, grantId: string, { store, nowMs }: TokenContext): Promise<OAuthError> {
  if (nowMs - (row.usedMs ?? nowMs) >= REPLAY_GRACE_MS) await store.grants.revoke(grantId);
  return badGrant('code');
}

function checkResource(form: Parameters, resource: string): void {
  const named = form.one('resource');
  if (named !== undefined && !isResource(named, resource)) {
    throw new OAuthError(
      'invalid_target',
      'resource must be the resource of the protected-resource metadata.',
    );
  }
}

/** What was issued under another public URL does not work under this one. */
function isOf(issued: Endpoints, now: Endpoints): boolean {
  return issued.issuer === now.issuer && issued.resource === now.resource;
}

/** One answer for every reason: which it was would help only who guesses. */
function badGrant(what: string): OAuthError {
  return new OAuthError(
    'invalid_grant',
    `The ${what} is not valid: unknown, expired, used, revoked, or issued for another client or address.`,
  );
}

async function newTokens(random: RandomBytes) {
  const [access, refreshToken] = [randomToken(random, 'lc_at_'), randomToken(random, 'lc_rt_')];
  return {
    access,
    refresh: refreshToken,
    hashes: { access: await sha256(access), refresh: await sha256(refreshToken) },
  };
}

function tokenResponse(
  tokens: { readonly access: string; readonly refresh: string },
  scope: string,
): Response {
  return json({
    access_token: tokens.access,
    token_type: 'Bearer',
    expires_in: ACCESS_TOKEN_MS / 1000,
    refresh_token: tokens.refresh,
    scope,
  });
}
