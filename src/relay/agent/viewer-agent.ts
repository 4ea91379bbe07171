import type { CallRecord } from '../../mcp/call.ts';
import { ToolRegistry } from '../../mcp/registry.ts';
import type { Log } from '../../runtime/log.ts';
import type { Services } from '../../tools/services.ts';
import { viewerTools } from '../../tools/viewer.ts';
import type { Request } from '../protocol.ts';
import { createViewer, type ViewedWorkspace } from '../viewer/index.ts';
import type { ServeCall } from './call-desk.ts';
import type { AgentConfiguration } from './configuration.ts';
import type { AgentTools } from './run-agent.ts';

/**
 * The read-only agent: its own entry, which loads the viewer's tools and no other; nothing that it imports asks the
 * layers below for writing (tests/relay/agent/read-only.test.ts holds it to that), and git and the path guard are in
 * their read-only mode besides.
 */
export function viewerAgent(configuration: () => AgentConfiguration, options: ViewerCallOptions): AgentTools {
  return { serve: viewerCalls(configuration, options), hello: { kind: 'viewer' } };
}

export interface ViewerCallOptions {
  readonly stateDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  /** Told how each call ended, for the audit log. */
  readonly onCall?: ((record: CallRecord) => void) | undefined;
}

/** Serves calls of the viewer's tools. */
export function viewerCalls(
  configuration: () => AgentConfiguration,
  { stateDir, env, log, onCall }: ViewerCallOptions,
): ServeCall {
  const viewer = createViewer({
    workspaces: () => viewedWorkspaces(configuration()),
    agent: agentOf(configuration()),
    stateDir,
    env,
    onDefect: (tool, error) =>
      log.error(`${tool}: ${error instanceof Error ? (error.stack ?? error.message) : error}`),
  });
  const registry = new ToolRegistry({
    tools: viewerTools(async () => viewer),
    // The viewer's tools ask for none; there are none that could do anything.
    services: {} as Services,
    form: 'auto',
    ...(onCall && { onCall }),
    onDefect: (tool, error) => log.error(`${tool}: ${String(error)}`),
  });
  return serveFrom(registry, log);
}

/**
 * Serves calls from a registry, as a transport does.
 * @param handsOver whether a call that is not done in its time goes on and is asked for again
 */
export function serveFrom(
  registry: Pick<ToolRegistry, 'call'>,
  log: Log,
  handsOver: 'in time' | 'never' = 'never',
): ServeCall {
  return async (request: Request, signal) => {
    const started = performance.now();
    const result = await registry.call({
      name: request.tool,
      arguments: inputOf(request),
      cancelled: signal,
      abandoned: signal,
      conversation: request.conversation,
      client: 'relay',
      answerByMs: handsOver === 'in time' ? started + request.timeoutMs : undefined,
      progress: () => {},
    });
    log.info(
      `${request.tool} ${request.workspaceId ?? ''} ${result.isError ? 'failed' : 'ok'} in ${Math.round(performance.now() - started)} ms`,
    );
    return result;
  };
}

/** What the relay checked is what is served: the workspace of the request, whatever else the input says. */
function inputOf({ input, workspaceId }: Request): Record<string, unknown> {
  return workspaceId === undefined ? input : { ...input, workspaceId };
}

function agentOf({ agent }: AgentConfiguration): { agentId: string; agentDisplayName?: string | undefined } {
  return { agentId: agent?.agentId ?? 'local', agentDisplayName: agent?.agentDisplayName };
}

function viewedWorkspaces({ workspaces }: AgentConfiguration): ViewedWorkspace[] {
  return workspaces.map(({ workspaceId, displayName, rootPath, languages, ignore }) => ({
    workspaceId,
    displayName,
    root: rootPath,
    languages,
    ignore,
  }));
}
