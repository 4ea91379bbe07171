import type { CallRecord } from '../mcp/call.ts';
import type { ToolRegistry } from '../mcp/registry.ts';
import { type AgentConfiguration, readConfiguration } from '../relay/agent/configuration.ts';
import { type ConnectionEnd, connect, TIMINGS } from '../relay/agent/connection.ts';
import { atRelay, watchConfiguration, wireWorkspaces } from '../relay/agent/run-agent.ts';
import { type RunLock, takeRunLock } from '../relay/agent/run-lock.ts';
import { serveFrom, viewerCalls } from '../relay/agent/viewer-agent.ts';
import { viewerContracts } from '../relay/viewer/contracts.ts';
import type { Log } from '../runtime/log.ts';
import {
  type RunningTunnel,
  type TunnelEnd,
  TunnelError,
  type TunnelProvider,
  type TunnelReadiness,
} from '../tunnel/types.ts';
import type { AccessMode } from '../workspace/index.ts';
import { narrower, wireTools } from './full-agent.ts';

const WATCH_MS = 1_000;

export interface RelayTunnelOptions {
  readonly stateDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly access: AccessMode;
  /** The tools in an access mode, the server's own or a narrower one. */
  readonly registryFor: (access: AccessMode) => ToolRegistry;
  /** Told how each call of the viewer's tools ended, for the audit log. */
  readonly onCall: (record: CallRecord) => void;
}

/**
 * `--tunnel relay`: what is served on this machine is also reached through the relay that this machine is paired with. The
 * relay's address is fixed and signs its users in; requests enter in this process and no port is open. It is what
 * `agent --serve-tools` does, beside the private listener and with its shells and processes.
 */
export function relayProvider(options: RelayTunnelOptions): TunnelProvider {
  return {
    name: 'relay',
    inspect: () => inspectRelay(options.stateDir),
    async start({ signal, onProgress }) {
      const configuration = await readConfiguration(options.stateDir);
      const { agent } = configuration;
      if (agent === undefined) throw notPaired();
      onProgress(`connecting to ${agent.serverBaseUrl}`);
      const lock = await takeRunLock(options.stateDir);
      if ('heldBy' in lock) {
        throw new TunnelError(
          'not-configured',
          `An agent of this machine runs already (pid ${lock.heldBy}).`,
          'End it; --tunnel relay does its work.',
        );
      }
      return await open(options, { ...configuration, agent }, lock, signal);
    },
  };
}

/** Whether this machine is paired, and with which relay. */
export async function inspectRelay(stateDir: string): Promise<TunnelReadiness> {
  const { agent } = await readConfiguration(stateDir);
  if (agent === undefined) {
    const { message, hint } = notPaired();
    return { ready: false, summary: message, fix: hint };
  }
  const account = agent.account === undefined ? '' : ` for ${agent.account}`;
  return { ready: true, summary: `paired with ${agent.serverBaseUrl}${account}; nothing to install` };
}

function notPaired(): TunnelError {
  return new TunnelError(
    'not-configured',
    'This machine is not paired with a relay.',
    'Ask the relay for a code (its page, or the tool createAgentPairingCode), then: local-coder pair CODE --relay URL.',
  );
}

type Paired = AgentConfiguration & { readonly agent: NonNullable<AgentConfiguration['agent']> };

/** One connection, from the relay's welcome to its end, which gives the lock back. */
async function open(
  options: RelayTunnelOptions,
  paired: Paired,
  lock: RunLock,
  signal: AbortSignal,
): Promise<RunningTunnel> {
  const { agent } = paired;
  let configuration: AgentConfiguration = paired;
  let lastRequestAtMs: number | undefined;
  let stopped = false;
  const welcome = Promise.withResolvers<string>();
  const serve = callsOf(options, () => configuration);
  const connecting = connect({
    ...atRelay(agent, configuration, {
      kind: 'full',
      access: options.access,
      tools: wireTools(options.registryFor(options.access)),
    }),
    serve(request, ending) {
      lastRequestAtMs = Date.now();
      return serve(request, ending);
    },
    env: options.env,
    timings: TIMINGS,
    onWelcome: welcome.resolve,
    onError: (error) => options.log.debug(error instanceof Error ? error.message : String(error)),
  });
  const connection = await connecting.catch((error: unknown) => {
    lock.release();
    throw error;
  });
  const stopWatching = watchConfiguration(options, WATCH_MS, (next) => {
    configuration = next;
    if (next.agent?.agentToken !== agent.agentToken) connection.close();
    else connection.sync({ type: 'workspace_sync', workspaces: wireWorkspaces(next.workspaces) });
  });
  const giveUp = () => connection.close();
  signal.addEventListener('abort', giveUp, { once: true });
  const ended = connection.ended.then((end): TunnelEnd => {
    stopWatching();
    signal.removeEventListener('abort', giveUp);
    lock.release();
    return stopped ? { reason: 'stopped' } : { reason: 'error', error: errorOf(end, agent.serverBaseUrl) };
  });
  if (signal.aborted) connection.close();
  const account = await Promise.race([welcome.promise, ended]);
  if (typeof account !== 'string') {
    signal.throwIfAborted();
    throw account.reason === 'error' ? account.error : new TunnelError('failed', 'stopped', '');
  }
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  return {
    address: { kind: 'relay', origin: agent.serverBaseUrl, account },
    ended,
    status: () => ({ state: isOver ? 'ended' : 'connected', message: undefined, lastRequestAtMs }),
    async stop() {
      stopped = true;
      connection.close();
      await ended;
    },
  };
}

/** The viewer's tools look into the registered workspaces, the normal ones work in what is served here. */
function callsOf(options: RelayTunnelOptions, configuration: () => AgentConfiguration) {
  const { stateDir, env, log, access, registryFor } = options;
  const viewer = viewerCalls(configuration, { stateDir, env, log, onCall: options.onCall });
  const names = new Set<string>(Object.keys(viewerContracts()));
  return ((request, signal) =>
    names.has(request.tool)
      ? viewer(request, signal)
      : serveFrom(
          registryFor(narrower(access, request.access)),
          log,
          'in time',
        )(request, signal)) satisfies Parameters<typeof connect>[0]['serve'];
}

/** An end for good (another agent with this credential, a revoked one) is not to be tried again. */
function errorOf(end: ConnectionEnd, relay: string): TunnelError {
  if (end.kind === 'lost') return new TunnelError('failed', `${relay}: ${end.message}.`, '');
  return new TunnelError(end.refused === true ? 'refused' : 'not-configured', end.message, '');
}
