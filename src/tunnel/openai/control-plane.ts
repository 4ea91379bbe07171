import { randomUUID } from 'node:crypto';
import { createHttpClient, type HttpAnswer } from '../../runtime/http-client.ts';
import { VERSION } from '../../runtime/version.ts';
import type { Command } from './commands.ts';
import type { OpenAiTunnelCredentials } from './credentials.ts';

/** The contract's requests, one attempt each; retrying is the callers' work. All throw HttpFailure and abort reasons. */
export interface ControlPlane {
  metadata(signal: AbortSignal): Promise<HttpAnswer>;
  /**
   * @param limit commands asked for, 1 to 25
   * @param waitMs how long the service may wait for one
   */
  poll(limit: number, waitMs: number, signal: AbortSignal): Promise<HttpAnswer>;
  answer(command: Command, body: string, options: AnswerRequestOptions): Promise<HttpAnswer>;
  close(): void;
}

export interface AnswerRequestOptions {
  /** Until the service has acknowledged it. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Must not arrive twice; a final answer may, the service takes one. */
  readonly onlyOnce: boolean;
}

export interface ControlPlaneOptions {
  readonly credentials: OpenAiTunnelCredentials;
  readonly env: NodeJS.ProcessEnv;
  readonly ca?: string | undefined;
}

/** A poll that is not answered this long after its own time is over has lost its connection. */
const POLL_GRACE_MS = 10_000;
const METADATA_TIMEOUT_MS = 10_000;
const BODY_TIMEOUT_MS = 30_000;
/** 25 commands of the service's own limit of about 10 MiB. */
const MAX_POLL_BYTES = 256 * 1024 * 1024;
const MAX_SMALL_BYTES = 64 * 1024;
const MAX_ANSWER_CONNECTIONS = 64;
/** Sessions live in this process: work on one must come to it (contract, "MCP server information"). */
const SERVER_INFO = '{"version":1,"channels":[{"name":"main","proc_affinity":true}]}';

export function createControlPlane({ credentials, env, ca }: ControlPlaneOptions): ControlPlane {
  const base = `${credentials.baseUrl.href.replace(/\/$/, '')}/v1/tunnels/${credentials.tunnelId}`;
  const common: Record<string, string> = {
    accept: 'application/json',
    authorization: `Bearer ${credentials.apiKey}`,
    'user-agent': `local-coder/${VERSION}`,
    'x-tunnel-client-name': 'local-coder',
    'x-tunnel-client-version': VERSION,
    'x-tunnel-client-instance-id': randomUUID(),
    'x-tunnel-mcp-server-info': SERVER_INFO,
    ...(credentials.organizationId === undefined
      ? {}
      : { 'openai-organization': credentials.organizationId }),
  };
  // Answers must never wait for a connection that a poll holds.
  const polls = createHttpClient({ env, ca, maxConnections: 2 });
  const answers = createHttpClient({ env, ca, maxConnections: MAX_ANSWER_CONNECTIONS });
  const get = (path: string, headersTimeoutMs: number, maxBodyBytes: number, signal: AbortSignal) =>
    polls.send({
      method: 'GET',
      url: new URL(base + path),
      headers: common,
      signal,
      headersTimeoutMs,
      bodyTimeoutMs: BODY_TIMEOUT_MS,
      maxBodyBytes,
    });
  return {
    metadata: (signal) => get('', METADATA_TIMEOUT_MS, MAX_SMALL_BYTES, signal),
    poll: (limit, waitMs, signal) =>
      get(`/poll?limit=${limit}&timeout_ms=${waitMs}`, waitMs + POLL_GRACE_MS, MAX_POLL_BYTES, signal),
    answer: (command, body, { timeoutMs, signal, onlyOnce }) =>
      answers.send({
        method: 'POST',
        url: new URL(`${base}/response`),
        headers: {
          ...common,
          'content-type': 'application/json',
          'x-tunnel-shard-token': command.shardToken,
          ...clientRequestId(command),
        },
        body,
        onlyOnce,
        signal,
        headersTimeoutMs: timeoutMs,
        bodyTimeoutMs: timeoutMs,
        maxBodyBytes: MAX_SMALL_BYTES,
      }),
    close() {
      polls.close();
      answers.close();
    },
  };
}

/** The id by which the service traces the request, sent back for its diagnostics. */
function clientRequestId({ headers }: Command): Record<string, string> {
  const name = Object.keys(headers).find((key) => key.toLowerCase() === 'x-request-id');
  const value = name === undefined ? undefined : headers[name]?.[0];
  return value !== undefined && /^[\x21-\x7e]{1,200}$/.test(value) ? { 'x-client-request-id': value } : {};
}
