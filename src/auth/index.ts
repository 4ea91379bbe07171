/**
 * Who gets in: an OAuth 2.1 authorization server for one owner, the bearer check, and the secret URL.
 *
 * Written here and not taken from `@cloudflare/workers-oauth-provider` (1.2.3, looked at in source), because
 *
 * - its storage is get, put, delete and list of keys: whether a code or a refresh token is used is read first and
 *   written later, so that ten parallel redemptions of one code give ten live tokens unless a claim table is put in
 *   front; here each such decision is one SQL statement with RETURNING, on node:sqlite and D1 alike;
 * - a spent refresh token is refused there, and the one who stole its successor goes on; here its use ends the grant;
 * - it imports `cloudflare:workers`, so that Node and Deno cannot run the sources as they are; it is 6,000 lines, of
 *   which token exchange, identity assertions, client secrets and signed assertions would be dead weight and surface;
 * - issuer and resource follow the public URL in use, also while the server runs.
 *
 * What it has and this has not: clients that prove themselves by private_key_jwt or a secret (all clients are public
 * here and prove themselves by PKCE), and encrypted props per grant (there is nothing to encrypt).
 *
 * The core knows no node: module but through sqlite.ts (the store over the state folder) and fetch-document.ts (loaded
 * when a client's document is fetched); another host brings its own Sql and FetchDocument, and its own Consent.
 */
export { ACCESS_MODES, narrower } from './access-modes.ts';
export { type AuthorizationRequest, authorizationResponse } from './authorization-request.ts';
export type { Authenticated, RequestHead } from './bearer.ts';
export type { FetchDocument } from './client-document.ts';
export { displayName } from './clients.ts';
export {
  type Announcement,
  announcementLine,
  ConsentDesk,
  decideLocally,
  type Owner,
  type PendingRequest,
} from './consent-desk.ts';
export { continuePage, errorPage } from './consent-page.ts';
export { type Auth, type AuthOptions, createAuth } from './create-auth.ts';
export {
  normalizedCode,
  type RandomBytes,
  randomToken,
  readableCode,
  s256,
  sameSecret,
  sha256,
  systemRandom,
} from './crypto.ts';
export type { Grant } from './grant-table.ts';
export { OAuthError } from './oauth-error.ts';
export type { Consent, IssueCode } from './owner-consent.ts';
export { addressKey, RateLimit } from './rate-limit.ts';
export { type Parameters, readForm, readJson } from './request-body.ts';
export { TABLES as AUTH_TABLES } from './schema.ts';
export { Seal } from './sealed.ts';
export { SecretUrl, withoutSecret } from './secret-url.ts';
export { type Sql, type SqlRow, type SqlStatement, text } from './sql.ts';
export { openAuthStore, openSqlite } from './sqlite.ts';
export { AuthStore } from './store.ts';
