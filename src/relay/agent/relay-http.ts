import { EXIT, UsageError } from '../../config/usage-error.ts';
import { createHttpClient, HttpFailure } from '../../runtime/http-client.ts';
import { ProxySettingError } from '../../runtime/proxy.ts';
import { forTerminal } from '../../runtime/terminal.ts';
import { VERSION } from '../../runtime/version.ts';
import {
  AGENT_CONNECT_PATH,
  AGENT_PAIR_PATH,
  AGENT_UNPAIR_PATH,
  httpRefusal,
  type PairRequest,
  type PairResponse,
  pairResponse,
} from '../protocol.ts';
import type { AgentCredential } from './configuration.ts';

const ANSWER_MS = 20_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * The address of a relay as it is kept: https, or http that does not leave this machine; no slash at the end.
 * @throws {UsageError}
 */
export function relayBaseUrl(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url?.hostname ?? '');
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback);
  if (url === undefined || !isSafe || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new UsageError(
      `"${given}" is not the address of a relay: it must be an https URL (http on this machine alone).`,
    );
  }
  return url.origin + url.pathname.replace(/\/+$/, '');
}

/** Where an agent connects. */
export function connectUrl(serverBaseUrl: string): string {
  return serverBaseUrl.replace(/^http/, 'ws') + AGENT_CONNECT_PATH;
}

/**
 * Trades a pairing code for a credential. The code is burnt by this, whatever comes after.
 * @throws {UsageError} with what the relay says
 */
export async function pairWith(
  serverBaseUrl: string,
  code: string,
  agentDisplayName: string,
): Promise<PairResponse> {
  const body: PairRequest = { code, agentDisplayName, version: VERSION };
  const answer = await post(serverBaseUrl + AGENT_PAIR_PATH, JSON.stringify(body));
  if (answer.status === 200) {
    const paired = pairResponse.safeParse(parsed(answer.body));
    if (paired.success) return paired.data;
  }
  throw refused(serverBaseUrl, answer);
}

/**
 * Revokes a credential. One that is worth nothing already is fine.
 * @throws {UsageError} when the relay did not do it
 */
export async function revoke(
  credential: Pick<AgentCredential, 'serverBaseUrl' | 'agentToken'>,
): Promise<void> {
  const answer = await post(credential.serverBaseUrl + AGENT_UNPAIR_PATH, undefined, credential.agentToken);
  if (answer.status === 204 || answer.status === 401) return;
  throw refused(credential.serverBaseUrl, answer);
}

async function post(
  url: string,
  body: string | undefined,
  token?: string,
): Promise<{ status: number; body: string }> {
  const client = createHttpClient({ env: process.env, maxConnections: 1 });
  try {
    return await client.send({
      url: new URL(url),
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        'user-agent': `local-coder/${VERSION}`,
      },
      body: body ?? '{}',
      headersTimeoutMs: ANSWER_MS,
      bodyTimeoutMs: ANSWER_MS,
      maxBodyBytes: MAX_ANSWER_BYTES,
    });
  } catch (error) {
    if (!(error instanceof HttpFailure || error instanceof ProxySettingError)) throw error;
    throw new UsageError(
      `The relay at ${new URL(url).origin} cannot be reached: ${error.message}.`,
      EXIT.failed,
    );
  } finally {
    client.close();
  }
}

function refused(serverBaseUrl: string, { status, body }: { status: number; body: string }): UsageError {
  const refusal = httpRefusal.safeParse(parsed(body));
  if (!refusal.success) {
    return new UsageError(
      `What answers at ${serverBaseUrl} is no relay of this program (status ${status}). Check the address.`,
      EXIT.failed,
    );
  }
  return new UsageError(
    `The relay refuses (${status} ${forTerminal(refusal.data.error)}): ${forTerminal(refusal.data.message)}`,
    status === 429 ? EXIT.failed : EXIT.refused,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
