import { EXIT, type ExitCode } from '../../config/usage-error.ts';
import type { Log } from '../../runtime/log.ts';
import { VERSION } from '../../runtime/version.ts';
import { Backoff } from '../../tunnel/backoff.ts';
import { pause } from '../../tunnel/pause.ts';
import {
  type Hello,
  PROTOCOL_VERSION,
  RECONNECT_MAX_MS,
  RECONNECT_MIN_MS,
  type WireWorkspace,
} from '../protocol.ts';
import type { ServeCall } from './call-desk.ts';
import {
  type AgentConfiguration,
  type AgentWorkspace,
  configurationVersion,
  readConfiguration,
} from './configuration.ts';
import { type AgentConnection, type ConnectionTimings, connect, TIMINGS } from './connection.ts';
import { connectUrl } from './relay-http.ts';

/** What is served, by whichever kind of agent. */
export interface AgentTools {
  readonly serve: ServeCall;
  /** What hello says beyond the workspaces. */
  readonly hello: Pick<Hello, 'kind' | 'access' | 'tools'>;
}

export interface AgentOptions {
  readonly stateDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  /** Aborted when the agent is to end. */
  readonly signal: AbortSignal;
  /** @param configuration the present one, asked for at every call */
  readonly tools: (configuration: () => AgentConfiguration) => AgentTools;
  readonly timings?: Partial<ConnectionTimings & AgentTimings>;
}

/** Milliseconds; tests shorten them. */
export interface AgentTimings {
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
  /** A connection that lasted this long begins a new series of attempts. */
  readonly stableMs: number;
  /** How often the configuration is looked at. */
  readonly watchMs: number;
}

const AGENT_TIMINGS: AgentTimings = {
  reconnectMinMs: RECONNECT_MIN_MS,
  reconnectMaxMs: RECONNECT_MAX_MS,
  stableMs: 10_000,
  watchMs: 1_000,
};

/** Stays connected until it is told to end or the relay does not want it any more. */
export async function runAgent(options: AgentOptions): Promise<ExitCode> {
  const { log, signal, stateDir } = options;
  const timings = { ...TIMINGS, ...AGENT_TIMINGS, ...options.timings };
  const backoff = new Backoff(timings.reconnectMinMs, timings.reconnectMaxMs);
  let configuration = await readConfiguration(stateDir);
  const tools = options.tools(() => configuration);
  let connection: AgentConnection | undefined;
  const stopWatching = watchConfiguration(options, timings.watchMs, (next) => {
    const before = configuration;
    configuration = next;
    if (before.agent?.agentToken !== next.agent?.agentToken) connection?.close();
    else connection?.sync({ type: 'workspace_sync', workspaces: wireWorkspaces(next.workspaces) });
  });
  const onAbort = () => connection?.close();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    while (!signal.aborted) {
      const { agent } = configuration;
      if (agent === undefined) {
        log.error('This machine is not paired (any more). Run local-coder pair CODE --relay URL.');
        return EXIT.refused;
      }
      let welcomeAtMs: number | undefined;
      connection = await connect({
        ...atRelay(agent, configuration, tools.hello),
        serve: tools.serve,
        env: options.env,
        timings,
        onWelcome(account) {
          welcomeAtMs = performance.now();
          log.info(`connected to ${agent.serverBaseUrl} for ${account}; ${countText(configuration)}`);
        },
        onError: (error) => log.debug(error instanceof Error ? error.message : String(error)),
      });
      if (signal.aborted) connection.close();
      const end = await connection.ended;
      connection = undefined;
      if (signal.aborted) break;
      if (end.kind === 'stop') {
        log.error(end.message);
        return end.refused === true ? EXIT.refused : EXIT.failed;
      }
      if (configuration.agent?.agentToken !== agent.agentToken) continue;
      if (welcomeAtMs !== undefined && performance.now() - welcomeAtMs >= timings.stableMs) backoff.reset();
      const waitMs = backoff.nextMs();
      log.warn(`not connected: ${end.message}; next attempt in ${Math.ceil(waitMs / 1000)} s`);
      await pause(waitMs, signal);
    }
    return EXIT.ok;
  } finally {
    stopWatching();
    signal.removeEventListener('abort', onAbort);
  }
}

/** Where a paired agent connects to, and what it says of itself there. */
export function atRelay(
  { serverBaseUrl, agentToken, agentId }: NonNullable<AgentConfiguration['agent']>,
  { workspaces }: AgentConfiguration,
  tools: AgentTools['hello'],
): { url: string; token: string; hello: Hello } {
  return {
    url: connectUrl(serverBaseUrl),
    token: agentToken,
    hello: {
      type: 'hello',
      protocol: PROTOCOL_VERSION,
      agentId,
      version: VERSION,
      workspaces: wireWorkspaces(workspaces),
      ...tools,
    },
  };
}

export function wireWorkspaces(workspaces: readonly AgentWorkspace[]): WireWorkspace[] {
  return workspaces.map(({ workspaceId, displayName, languages }) => ({
    workspaceId,
    displayName,
    ...(languages !== undefined && { languages }),
  }));
}

function countText({ workspaces }: AgentConfiguration): string {
  return workspaces.length === 0
    ? 'no workspace yet: local-coder workspace add --name NAME --path FOLDER'
    : `workspaces: ${workspaces.map(({ displayName }) => displayName).join(', ')}`;
}

/** Looks for changes that commands make to the configuration; one that cannot be read is left alone. */
export function watchConfiguration(
  { stateDir, log }: Pick<AgentOptions, 'stateDir' | 'log'>,
  everyMs: number,
  onChange: (next: AgentConfiguration) => void,
): () => void {
  let stopped = false;
  let version: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  const look = async (isFirst: boolean) => {
    const now = await configurationVersion(stateDir);
    if (now !== version) {
      version = now;
      try {
        const next = await readConfiguration(stateDir);
        if (!stopped && !isFirst) onChange(next);
      } catch (error) {
        log.warn(error instanceof Error ? error.message : String(error));
      }
    }
    if (!stopped) timer = setTimeout(() => void look(false), everyMs);
  };
  void look(true);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
