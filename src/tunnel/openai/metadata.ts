import type { HttpAnswer } from '../../runtime/http-client.ts';
import { ProxySettingError } from '../../runtime/proxy.ts';
import { TunnelError } from '../types.ts';
import { type ControlPlane, createControlPlane } from './control-plane.ts';
import type { OpenAiTunnelCredentials } from './credentials.ts';
import { describeServiceError, readServiceError, refusal, unknownTunnel } from './service-errors.ts';

/** What a tunnel's record says of it. */
export interface TunnelRecord {
  /** As its owner named it. */
  readonly name: string | undefined;
}

/**
 * Asks for the tunnel's record: whether the credentials are accepted, and what the tunnel is called.
 * @throws {TunnelError} `refused`, `not-configured`, or `failed` when there is no record to be had for now; the
 * signal's reason
 */
export async function readTunnelRecord(
  controlPlane: ControlPlane,
  credentials: OpenAiTunnelCredentials,
  signal: AbortSignal,
): Promise<TunnelRecord> {
  const host = credentials.baseUrl.host;
  let answer: HttpAnswer;
  try {
    answer = await controlPlane.metadata(signal);
  } catch (error) {
    if (signal.aborted) throw error;
    throwIfProxySetting(error);
    throw new TunnelError(
      'failed',
      `${host} cannot be reached: ${error instanceof Error ? error.message : error}.`,
      'Check the network; behind a proxy set HTTPS_PROXY.',
    );
  }
  if (answer.status === 200) return { name: nameIn(answer.body) };
  const error = readServiceError(answer);
  if (answer.status === 401 || answer.status === 403) throw refusal(error, credentials);
  if (answer.status === 404 || error.code === 'invalid_tunnel_id_format') {
    throw unknownTunnel(error, credentials);
  }
  throw new TunnelError(
    'failed',
    `${host} answered with ${describeServiceError(error, credentials.apiKey)}.`,
    'Try again later.',
  );
}

/** Asks once whether credentials are accepted, for `tunnel init` and doctor. Throws as readTunnelRecord does. */
export async function checkCredentials(
  credentials: OpenAiTunnelCredentials,
  options: { readonly env: NodeJS.ProcessEnv; readonly signal: AbortSignal; readonly ca?: string },
): Promise<TunnelRecord> {
  const controlPlane = createControlPlane({ credentials, ...options });
  try {
    return await readTunnelRecord(controlPlane, credentials, options.signal);
  } finally {
    controlPlane.close();
  }
}

/** @throws {TunnelError} not-configured for a proxy variable that cannot be used */
export function throwIfProxySetting(error: unknown): void {
  if (!(error instanceof ProxySettingError)) return;
  throw new TunnelError(
    'not-configured',
    error.message,
    'Correct the variable, or add the host to NO_PROXY.',
  );
}

function nameIn(body: string): string | undefined {
  try {
    const { name } = JSON.parse(body) as { name?: unknown };
    return typeof name === 'string' && name !== '' ? name : undefined;
  } catch {
    return undefined;
  }
}
