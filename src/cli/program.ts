import { ApprovalDesk, type AuditEntry, callTarget } from '../access/index.ts';
import type { Settings } from '../config/load.ts';
import { createInstructions } from '../context/index.ts';
import type { CallRecord } from '../mcp/call.ts';
import { ToolRegistry } from '../mcp/registry.ts';
import type { Log } from '../runtime/log.ts';
import { changeCounter } from '../tools/context-sources.ts';
import { selectTools } from '../tools/index.ts';
import type { Services } from '../tools/services.ts';
import { startServices } from './start-services.ts';

/** The served program, whatever the transport: the tools with what they work on, and the instructions. */
export interface Program {
  readonly services: Services;
  readonly registry: ToolRegistry;
  readonly approvals: ApprovalDesk;
  readonly instructions: () => Promise<string>;
  /** Finishes or takes back what a killed instance left half way. */
  recover(): Promise<void>;
  /** Stops everything that the tools started. */
  close(): Promise<void>;
}

export function startProgram(settings: Settings, stateDir: string, log: Log): Program {
  const services = startServices(settings, stateDir, log);
  const approvals = new ApprovalDesk({ policy: settings.approve });
  const registry = new ToolRegistry({
    approvals,
    approvalWaitMs: settings.yield,
    tools: selectTools(settings.tools, settings.access),
    services,
    form: settings.results,
    onCall: (record) => {
      services.audit?.record(auditEntry(record));
      log.debug(
        `${record.tool} ${record.code ?? record.outcome} in ${Math.round(record.durationMs)} ms, ${record.resultBytes} characters`,
      );
    },
    onDefect: (tool, error) =>
      log.error(`${tool}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
  });
  return {
    services,
    registry,
    approvals,
    instructions: createInstructions({
      workspace: services.workspace,
      countChanges: changeCounter(services),
    }),
    async recover() {
      await services.history?.recover().catch((error: unknown) => log.warn(`history: ${String(error)}`));
    },
    async close() {
      await services.shell.close();
      await services.history?.close();
      await services.audit?.flush();
    },
  };
}

function auditEntry(record: CallRecord): AuditEntry {
  return {
    time: record.startedAt.toISOString(),
    tool: record.tool.slice(0, 100),
    client: record.client?.slice(0, 100),
    conversation: record.conversation,
    target: callTarget(record.arguments),
    outcome: record.outcome,
    code: record.code,
    duration_ms: Math.round(record.durationMs),
    result_bytes: record.resultBytes,
    pid: process.pid,
  };
}
