import { ApprovalDesk } from '../access/index.ts';
import type { Settings } from '../config/load.ts';
import { createInstructions } from '../context/index.ts';
import type { CallBook } from '../dashboard/call-book.ts';
import { ToolRegistry } from '../mcp/registry.ts';
import { VIEWER_INSTRUCTIONS } from '../relay/viewer/contracts.ts';
import type { Log } from '../runtime/log.ts';
import { readingOnly } from '../runtime/long-helpers.ts';
import { changeCounter } from '../tools/context-sources.ts';
import { selectTools } from '../tools/index.ts';
import type { Services } from '../tools/services.ts';
import { TOOL_VIEW } from '../widgets/index.ts';
import { auditEntry } from './audit-entry.ts';
import { startServices } from './start-services.ts';

const PREPARE_GIT_AFTER_MS = 500;
const PREPARE_GIT_LIMIT_MS = 10_000;

/** The served program, whatever the transport: the tools with what they work on, and the instructions. */
export interface Program {
  readonly services: Services;
  readonly registry: ToolRegistry;
  readonly approvals: ApprovalDesk;
  readonly calls: CallBook | undefined;
  readonly instructions: () => Promise<string>;
  /** Finishes or takes back what a killed instance left half way. */
  recover(): Promise<void>;
  /** Stops everything that the tools started. */
  close(): Promise<void>;
}

/** What the programs of one process share: one owner, one terminal, one page. */
export interface SharedParts {
  /** Where calls wait for the owner's word. */
  readonly approvals?: ApprovalDesk | undefined;
  /** What the local page knows of calls; without a page there is none. */
  readonly calls?: CallBook | undefined;
}

export function startProgram(
  settings: Settings,
  stateDir: string,
  log: Log,
  shared: SharedParts = {},
): Program {
  const { approvals = new ApprovalDesk({ policy: settings.approve }), calls } = shared;
  const services = startServices(settings, stateDir, log);
  const registry = new ToolRegistry({
    approvals,
    approvalWaitMs: settings.yield,
    tools: selectTools(settings.tools, settings.access),
    services,
    form: settings.results,
    around: (call) => services.workspace.around(call),
    quietAnnotations: settings.annotations === 'quiet',
    view: settings.widgets ? TOOL_VIEW : undefined,
    onStart: calls && ((call) => calls.started(call)),
    onProcess: calls && ((callId, processId) => calls.process(callId, processId)),
    onLateEnd: calls && ((end) => calls.endedLate(end)),
    onCall: (record) => {
      const entry = auditEntry(record);
      services.audit?.record(entry);
      calls?.ended(record, entry.target);
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
    calls,
    instructions: instructionsOf(settings, services),
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

function instructionsOf(settings: Settings, services: Services): () => Promise<string> {
  if (settings.tools === 'viewer') return async () => VIEWER_INSTRUCTIONS;
  return createInstructions({
    workspace: services.workspace,
    // Over stdio the first client is the only one; over HTTP clients come back all the time.
    countChanges: settings.stdio ? changeCounter(services) : fromTheSecond(changeCounter(services)),
  });
}

type CountChanges = ReturnType<typeof changeCounter>;

/**
 * The first client mostly connects while the program starts, and the first run of git takes longer than a status is
 * given: that client is not kept waiting for nothing, and git is made ready for the next.
 */
function fromTheSecond(count: CountChanges): CountChanges {
  let asked = false;
  return async (folder, signal) => {
    if (asked) return count(folder, signal);
    asked = true;
    setTimeout(() => {
      readingOnly(() => count(folder, AbortSignal.timeout(PREPARE_GIT_LIMIT_MS))).catch(() => {}); // told when somebody wants it
    }, PREPARE_GIT_AFTER_MS).unref();
    return undefined;
  };
}
