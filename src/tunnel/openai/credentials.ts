import { TunnelError } from '../types.ts';

export const DEFAULT_BASE_URL = 'https://api.openai.com';

export interface OpenAiTunnelCredentials {
  readonly tunnelId: string;
  /** A secret: never logged, never on a command line. */
  readonly apiKey: string;
  /** Sent as OpenAI-Organization where the key belongs to several. */
  readonly organizationId: string | undefined;
  /** Origin of the control plane, with a path prefix where a gateway wants one. */
  readonly baseUrl: URL;
}

export interface CredentialSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What `tunnel init openai` stored; the environment goes before it. */
  readonly stored?: StoredCredentials | undefined;
  /**
   * OPENAI_TUNNEL_ID and OPENAI_TUNNEL_API_KEY of a project's .env, used where there is nothing else: a cloned
   * repository must not lead its user into somebody else's tunnel.
   */
  readonly project?: Readonly<Record<string, string | undefined>> | undefined;
  /** `--tunnel-base-url`. */
  readonly baseUrl?: string | undefined;
}

export interface StoredCredentials {
  readonly tunnelId: string;
  readonly apiKey: string;
  readonly organizationId?: string | undefined;
}

/**
 * Puts the credentials together and checks their form: OPENAI_TUNNEL_* of the environment, else CONTROL_PLANE_*, else
 * what was stored, else the project's .env.
 * @throws {TunnelError} not-configured, with what to set
 */
export function readCredentials({
  env,
  stored,
  project,
  baseUrl,
}: CredentialSources): OpenAiTunnelCredentials {
  const own = {
    tunnelId: first(env['OPENAI_TUNNEL_ID'], env['CONTROL_PLANE_TUNNEL_ID'], stored?.tunnelId),
    apiKey: first(env['OPENAI_TUNNEL_API_KEY'], env['CONTROL_PLANE_API_KEY'], stored?.apiKey),
  };
  const tunnelId = own.tunnelId ?? first(project?.['OPENAI_TUNNEL_ID']);
  const apiKey = own.apiKey ?? first(project?.['OPENAI_TUNNEL_API_KEY']);
  if (tunnelId === undefined || apiKey === undefined) {
    const missing = [
      ...(tunnelId === undefined ? ['OPENAI_TUNNEL_ID'] : []),
      ...(apiKey === undefined ? ['OPENAI_TUNNEL_API_KEY'] : []),
    ].join(' and ');
    throw new TunnelError(
      'not-configured',
      `The openai tunnel needs ${missing}.`,
      'Run local-coder tunnel init openai, or set them in the environment.',
    );
  }
  return {
    tunnelId: checkTunnelId(tunnelId),
    apiKey: checkApiKey(apiKey),
    organizationId: first(env['CONTROL_PLANE_ORGANIZATION_ID'], stored?.organizationId),
    baseUrl: parseBaseUrl(first(baseUrl, env['CONTROL_PLANE_BASE_URL']) ?? DEFAULT_BASE_URL),
  };
}

/** @throws {TunnelError} not-configured */
export function checkTunnelId(text: string): string {
  if (/^tunnel_[0-9a-z]{32}$/.test(text)) return text;
  throw new TunnelError(
    'not-configured',
    'The tunnel id is not of the form tunnel_ and 32 lower-case letters and digits.',
    'Copy it from https://platform.openai.com/settings/organization/tunnels into OPENAI_TUNNEL_ID.',
  );
}

/** @throws {TunnelError} not-configured; the message does not repeat the key */
export function checkApiKey(text: string): string {
  // What a header can hold; a line break or a quote of a bad copy would only show as a refusal later.
  if (/^[\x21-\x7e]{8,}$/.test(text) && !/["']/.test(text)) return text;
  throw new TunnelError(
    'not-configured',
    'The API key of the openai tunnel holds characters that no key has.',
    'Copy it again, without quotes and line breaks, into OPENAI_TUNNEL_API_KEY.',
  );
}

/** @throws {TunnelError} not-configured for anything but https (http on this machine) */
export function parseBaseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url?.hostname ?? '');
  const plain = url?.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (url !== undefined && plain && (url.protocol === 'https:' || (url.protocol === 'http:' && loopback)))
    return url;
  throw new TunnelError(
    'not-configured',
    'The base URL of the openai tunnel must be an https:// address (http:// only on this machine): the API key goes there.',
    `Correct --tunnel-base-url or CONTROL_PLANE_BASE_URL; the default is ${DEFAULT_BASE_URL}.`,
  );
}

function first(...values: (string | undefined)[]): string | undefined {
  return values.map((value) => value?.trim()).find((value) => value !== undefined && value !== '');
}
