import type { Settings } from '../config/load.ts';
import type { ToolRegistry } from '../mcp/registry.ts';
import { type AgentConfiguration, readConfiguration } from '../relay/agent/configuration.ts';
import type { AgentTools } from '../relay/agent/run-agent.ts';
import { serveFrom, viewerCalls } from '../relay/agent/viewer-agent.ts';
import type { WireTool } from '../relay/protocol.ts';
import { viewerContracts } from '../relay/viewer/contracts.ts';
import type { Log } from '../runtime/log.ts';
import type { AccessMode } from '../workspace/index.ts';
import { askForApproval } from './approval-terminal.ts';
import { auditEntry } from './audit-entry.ts';
import { type Program, startProgram } from './program.ts';

export interface FullAgent {
  readonly tools: (configuration: () => AgentConfiguration) => AgentTools;
  /** Stops everything that calls started. */
  close(): Promise<void>;
}

const GRACE_MS = 5_000;
const WIDTH: readonly AccessMode[] = ['read-only', 'workspace', 'full'];

/**
 * An agent that carries the normal tools (`--serve-tools`), as far as `--access` goes: besides the viewer's, and for a
 * caller whom the user let in with less, in a program of that mode with shells of its own.
 * @param hasFolders --workspace was given; else the registered workspaces are the folders
 */
export async function fullAgent(
  given: Settings,
  hasFolders: boolean,
  stateDir: string,
  log: Log,
): Promise<FullAgent> {
  const registered = (await readConfiguration(stateDir)).workspaces.map(({ rootPath }) => rootPath);
  const [first, ...others] = registered;
  const settings: Settings = {
    ...given,
    tools: given.tools === 'viewer' ? 'full' : given.tools,
    ...(!hasFolders && first !== undefined && { workspace: [first, ...others] }),
  };
  const programs = new Map<AccessMode, Program>();
  const programIn = (access: AccessMode): Program => {
    let program = programs.get(access);
    if (program === undefined) {
      program = startProgram({ ...settings, access }, stateDir, log);
      programs.set(access, program);
    }
    return program;
  };
  const own = programIn(settings.access);
  void own.recover();
  const stopAsking = askForApproval(own.approvals, log, false);
  log.warn(
    `the relay may use the normal tools on this machine: access ${settings.access}, folders ${settings.workspace.join(', ')}`,
  );
  return {
    tools(configuration) {
      const { audit } = own.services;
      const viewer = viewerCalls(configuration, {
        stateDir,
        env: process.env,
        log,
        onCall: (record) => audit?.record(auditEntry(record)),
      });
      const names = new Set<string>(Object.keys(viewerContracts()));
      return {
        hello: { kind: 'full', access: settings.access, tools: wireTools(own.registry) },
        serve(request, signal) {
          if (names.has(request.tool)) return viewer(request, signal);
          const access = narrower(settings.access, request.access);
          return serveFrom(programIn(access).registry, log, 'in time')(request, signal);
        },
      };
    },
    async close() {
      stopAsking();
      await Promise.all(
        [...programs.values()].map(async (program) => {
          await program.registry.drain(GRACE_MS);
          await program.close();
        }),
      );
    },
  };
}

/** The narrower of two modes. */
export function narrower(own: AccessMode, granted: AccessMode | undefined): AccessMode {
  return granted !== undefined && WIDTH.indexOf(granted) < WIDTH.indexOf(own) ? granted : own;
}

/** A registry's tools as the relay is told of them. */
export function wireTools(registry: ToolRegistry): WireTool[] {
  return registry.list().map(({ name, description, inputSchema, outputSchema, annotations }) => ({
    name,
    description,
    inputSchema,
    ...(outputSchema !== undefined && { outputSchema }),
    annotations,
  }));
}
