import type { HttpAnswer } from '../../runtime/http-client.ts';
import { TunnelError } from '../types.ts';

/** What the service says of a request that it refuses (APIErrorBody). */
export interface ServiceError {
  readonly status: number;
  /** Stable code, such as `tunnel_use_forbidden`. */
  readonly code: string | undefined;
  readonly message: string;
}

const MAX_MESSAGE = 300;
const TUNNELS_PAGE = 'https://platform.openai.com/settings/organization/tunnels';
const ROLES_PAGE = 'https://platform.openai.com/settings/organization/people/roles';
const KEYS_PAGE = 'https://platform.openai.com/settings/organization/api-keys';

/** Reads an error's body; anything that is not in the contract's form gives the status alone. */
export function readServiceError(answer: HttpAnswer): ServiceError {
  let code: string | undefined;
  let message = '';
  try {
    const { error } = JSON.parse(answer.body) as { error?: { code?: unknown; message?: unknown } };
    if (typeof error?.code === 'string') code = error.code;
    if (typeof error?.message === 'string') message = error.message;
  } catch {
    // a proxy's page, or nothing
  }
  return { status: answer.status, code, message: message.slice(0, MAX_MESSAGE) };
}

/** One line for the log: status, code, message; whatever the service says, the key is not in it. */
export function describeServiceError({ status, code, message }: ServiceError, apiKey: string): string {
  const details = [code, message].filter(Boolean).join(': ');
  return `status ${status}${details === '' ? '' : ` (${details.replaceAll(apiKey, '[key]')})`}`;
}

/** The credentials are not accepted: which key or permission it is, and where to mend it. */
export function refusal(error: ServiceError, facts: { tunnelId: string; apiKey: string }): TunnelError {
  const { message, hint } = explain(error, facts.tunnelId);
  return new TunnelError('refused', message, hint, describeServiceError(error, facts.apiKey));
}

function explain({ status, code }: ServiceError, tunnelId: string): { message: string; hint: string } {
  switch (code) {
    case 'tunnel_use_forbidden':
      return {
        message: `The API key may not use the tunnel ${tunnelId} (${code}).`,
        hint:
          `Give the owner of the key the permission Tunnels: Use (and Read) at ${ROLES_PAGE}, or set ` +
          'OPENAI_TUNNEL_API_KEY to a key of the organization that owns the tunnel.',
      };
    case 'tunnel_active_organization_required':
      return {
        message: `The tunnel ${tunnelId} belongs to an organization, and the request named none (${code}).`,
        hint: 'Set CONTROL_PLANE_ORGANIZATION_ID to the id of that organization (org-…).',
      };
    case 'tunnel_missing_principals':
      return {
        message: `The API key belongs to no organization or workspace that could use a tunnel (${code}).`,
        hint: `Make a key in the organization that owns the tunnel at ${KEYS_PAGE} and set OPENAI_TUNNEL_API_KEY.`,
      };
    default:
      return {
        message:
          status === 401
            ? `OpenAI does not accept the API key of the tunnel (status 401${code === undefined ? '' : `, ${code}`}).`
            : `The API key may not use the tunnel ${tunnelId} (status ${status}${code === undefined ? '' : `, ${code}`}).`,
        hint:
          `Check OPENAI_TUNNEL_API_KEY: a key from ${KEYS_PAGE} (not an admin key) whose owner has the ` +
          'permission Tunnels: Use.',
      };
  }
}

/** The service knows no such tunnel. */
export function unknownTunnel(error: ServiceError, facts: { tunnelId: string; apiKey: string }): TunnelError {
  return new TunnelError(
    'not-configured',
    `OpenAI knows no tunnel ${facts.tunnelId} (status ${error.status}).`,
    `Copy the tunnel's id from ${TUNNELS_PAGE} into OPENAI_TUNNEL_ID.`,
    describeServiceError(error, facts.apiKey),
  );
}
