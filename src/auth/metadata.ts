import { type Endpoints, SCOPES } from './authorization-request.ts';

export const RESOURCE_METADATA_PATH = '/.well-known/oauth-protected-resource';
export const SERVER_METADATA_PATH = '/.well-known/oauth-authorization-server';

/** Where the metadata of a resource is found: the well-known path between its host and its path (RFC 9728 section 3.1). */
export function metadataAddress(resource: string): string {
  const url = new URL(resource);
  return `${url.origin}${RESOURCE_METADATA_PATH}${url.pathname === '/' ? '' : url.pathname}${url.search}`;
}

/** Protected-resource metadata, RFC 9728. */
export function resourceMetadata({ issuer, resource }: Endpoints) {
  return {
    resource,
    authorization_servers: [issuer],
    scopes_supported: ['mcp'],
    bearer_methods_supported: ['header'],
    resource_name: 'local-coder',
  };
}

/** Authorization-server metadata, RFC 8414 with the extensions of RFC 9207 and of client ID metadata documents. */
export function serverMetadata({ issuer }: Endpoints) {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    registration_endpoint: `${issuer}/register`,
    revocation_endpoint: `${issuer}/revoke`,
    scopes_supported: SCOPES,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_methods_supported: ['none'],
    revocation_endpoint_auth_methods_supported: ['none'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
  };
}
