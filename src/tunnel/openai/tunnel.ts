import type { RequestLine } from '../../http/request-log.ts';
import type { McpEndpoint } from '../../mcp/http.ts';
import type { Log } from '../../runtime/log.ts';
import { type RunningTunnel, type TunnelEnd, TunnelError, type TunnelStatus } from '../types.ts';
import { CommandDesk } from './command-desk.ts';
import { type ControlPlane, createControlPlane } from './control-plane.ts';
import type { OpenAiTunnelCredentials } from './credentials.ts';
import { readTunnelRecord } from './metadata.ts';
import { PollLoop } from './poll-loop.ts';
import type { BackoffBounds } from './retry.ts';
import { refusal } from './service-errors.ts';

export interface OpenAiTunnelOptions {
  readonly credentials: OpenAiTunnelCredentials;
  readonly mcp: McpEndpoint;
  readonly log: Log;
  /** Gives the start up; a tunnel that runs is ended by `stop`. */
  readonly signal?: AbortSignal | undefined;
  /** Told every JSON-RPC message that came through, for the request log. */
  readonly onRequest?: ((line: RequestLine) => void) | undefined;
  /** Where HTTPS_PROXY and its siblings are read; the process's own environment by default. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** What running commands have at the end, in milliseconds. */
  readonly graceMs?: number | undefined;
  /** For tests: other bounds than the product's. */
  readonly timing?: Partial<OpenAiTunnelTiming> | undefined;
  /** For tests: certificates to trust instead of the system's. */
  readonly ca?: string | undefined;
}

export interface OpenAiTunnelTiming {
  readonly pollWaitMs: number;
  readonly pollBackoff: BackoffBounds;
  readonly answerBackoff: BackoffBounds;
}

export interface OpenAiTunnelStatus extends TunnelStatus {
  readonly runningCommands: number;
  /** Final answers that the service took. */
  readonly answeredCommands: number;
}

export interface OpenAiTunnel extends RunningTunnel {
  status(): OpenAiTunnelStatus;
}

const TIMING: OpenAiTunnelTiming = {
  pollWaitMs: 15_000,
  pollBackoff: { minMs: 250, maxMs: 30_000 },
  answerBackoff: { minMs: 100, maxMs: 5_000 },
};
const GRACE_MS = 5_000;

/**
 * Starts to serve an OpenAI Secure MCP Tunnel in this process: no port, no second program. Resolves when the service
 * has accepted the credentials, or cannot be reached for now; then it goes on trying.
 * @throws {TunnelError} `refused` or `not-configured`, or the signal's reason; nothing is left running then
 */
export async function startOpenAiTunnel(options: OpenAiTunnelOptions): Promise<OpenAiTunnel> {
  const { credentials, log } = options;
  const timing = { ...TIMING, ...options.timing };
  const starting = options.signal ?? new AbortController().signal;
  const controlPlane = createControlPlane({
    credentials,
    env: options.env ?? process.env,
    ca: options.ca,
  });
  try {
    const record = await readTunnelRecord(controlPlane, credentials, starting).catch((error: unknown) => {
      if (!(error instanceof TunnelError && error.reason === 'failed')) throw error;
      log.warn(`openai tunnel: ${error.message}`);
      return undefined;
    });
    const tunnel = run(controlPlane, record?.name, options, timing);
    const giveUp = () => void tunnel.stop();
    starting.addEventListener('abort', giveUp, { once: true });
    try {
      await tunnel.firstPoll;
      starting.throwIfAborted();
    } catch (error) {
      await tunnel.stop();
      throw error;
    } finally {
      starting.removeEventListener('abort', giveUp);
    }
    return tunnel;
  } catch (error) {
    controlPlane.close();
    throw error;
  }
}

function run(
  controlPlane: ControlPlane,
  name: string | undefined,
  { credentials, log, mcp, onRequest, graceMs = GRACE_MS }: OpenAiTunnelOptions,
  timing: OpenAiTunnelTiming,
): OpenAiTunnel & { readonly firstPoll: Promise<void> } {
  const ended = Promise.withResolvers<TunnelEnd>();
  const endOfWork = new AbortController();
  let end: TunnelEnd | undefined;
  let stopping: Promise<void> | undefined;

  const desk = new CommandDesk({
    mcp,
    log,
    onRequest,
    controlPlane,
    apiKey: credentials.apiKey,
    signal: endOfWork.signal,
    backoff: timing.answerBackoff,
    onRefused: (error) => loop.fail(refusal(error, credentials)),
  });
  const loop = new PollLoop({
    controlPlane,
    credentials,
    log,
    desk,
    waitMs: timing.pollWaitMs,
    backoff: timing.pollBackoff,
    onEnd: (error) => finish({ reason: 'error', error }),
  });

  /** Running commands finish within the grace; then everything is let go. */
  const finish = (how: TunnelEnd): Promise<void> => {
    end ??= how;
    stopping ??= (async () => {
      await desk.drain(graceMs, loop.stop());
      endOfWork.abort(new DOMException('The tunnel has ended.', 'AbortError'));
      controlPlane.close();
      ended.resolve(end as TunnelEnd);
    })();
    return stopping;
  };

  loop.start();
  return {
    address: { kind: 'tunnel-id', id: credentials.tunnelId, name },
    ended: ended.promise,
    firstPoll: loop.first,
    stop: () => finish({ reason: 'stopped' }),
    status() {
      const { state, message } = loop.status();
      return {
        state: end === undefined ? state : 'ended',
        message: end === undefined ? message : end.reason === 'error' ? end.error.message : undefined,
        lastRequestAtMs: desk.lastCommandAtMs,
        runningCommands: desk.runningCount,
        answeredCommands: desk.answeredCount,
      };
    },
  };
}
