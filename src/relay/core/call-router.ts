import { narrower, randomToken, systemRandom } from '../../auth/index.ts';
import type { ToolCall } from '../../mcp/call.ts';
import { type CallResult, successResult } from '../../mcp/envelope.ts';
import type { ListedTool } from '../../mcp/tool-list.ts';
import { closestName } from '../../runtime/closest.ts';
import { CodedError, type ErrorCode } from '../../runtime/errors.ts';
import type { ToolDefinition } from '../../tools/define.ts';
import type { WireTool } from '../protocol.ts';
import type { ViewerToolContract } from '../viewer-contract.ts';
import type { Agent, Agents } from './agents.ts';
import { type Caller, CREATE_PAIRING_CODE, relayContracts } from './contracts.ts';
import type { Limits } from './limits.ts';
import { PAIRING_MS, type Pairings } from './pairing.ts';
import type { AgentCall, SessionHub } from './ports.ts';

/** A tool of a full agent bounds itself by 40 s (tools.md, "Long work"); with the relay's grace that is what it is. */
const FULL_TOOL_MS = 38_000;
const PAIRING_CODES = { max: 10, windowMs: PAIRING_MS };

export interface CallRouterOptions {
  readonly agents: Agents;
  readonly pairings: Pairings;
  readonly limits: Limits;
  readonly hub: SessionHub;
  /** For the command that is shown with a pairing code. */
  readonly publicUrl: string;
  /** At most this for every tool; each has its own timeout. */
  readonly maxToolMs?: number | undefined;
  readonly now: () => number;
}

/** Finds who answers a call: the relay itself, or the agent of the workspace, if it is the caller's. */
export class CallRouter {
  readonly #options: CallRouterOptions;

  constructor(options: CallRouterOptions) {
    this.#options = options;
  }

  /** @throws {CodedError} for everything that is not an agent's own answer */
  async call(caller: Caller, call: ToolCall): Promise<CallResult> {
    const args = argumentsOf(call);
    if (call.name === 'listWorkspaces') return this.#listWorkspaces(caller, args);
    if (call.name === CREATE_PAIRING_CODE.name) return this.#createPairingCode(caller, args);
    const contract = relayContracts().get(call.name);
    return contract === undefined
      ? this.#callFull(caller, call, args)
      : this.#callViewer(caller, call, contract, args);
  }

  /** What the caller's full agents serve, as `tools/list` shows it: each tool with the agent to choose. */
  async fullTools(caller: Caller): Promise<ListedTool[]> {
    const byName = new Map<string, ListedTool>();
    for (const { tools } of await this.#options.agents.full(caller.userId)) {
      for (const tool of tools) {
        if (relayContracts().has(tool.name) || byName.has(tool.name) || !allowed(caller, tool)) continue;
        byName.set(tool.name, withAgentParameter(tool));
      }
    }
    return [...byName.values()];
  }

  async #listWorkspaces({ userId }: Caller, args: Record<string, unknown>): Promise<CallResult> {
    const { includeOffline } = this.#checked('listWorkspaces', args);
    const all = await this.#options.agents.workspaces(userId);
    const online = await this.#options.hub.online([...new Set(all.map((one) => one.agentId))]);
    const listed = all
      .map(({ languages, ...one }) => ({
        ...one,
        agentOnline: online.has(one.agentId),
        ...(languages.length === 0 ? {} : { languages }),
      }))
      .filter((one) => includeOffline === true || one.agentOnline);
    const hidden = all.length - listed.length;
    const count = `${listed.length} ${listed.length === 1 ? 'workspace' : 'workspaces'}`;
    const more = hidden === 0 ? '' : ` ${hidden} more offline: listWorkspaces {"includeOffline":true}.`;
    const none = 'No workspace yet: createAgentPairingCode connects a computer.';
    return answer('listWorkspaces', all.length === 0 ? none : `${count}.${more}`, { workspaces: listed });
  }

  async #createPairingCode({ userId }: Caller, args: Record<string, unknown>): Promise<CallResult> {
    const { agentDisplayName } = this.#checked(CREATE_PAIRING_CODE.name, args);
    const { limits, pairings, publicUrl, now } = this.#options;
    if (!(await limits.take(`pairing-code:${userId}`, PAIRING_CODES, now()))) {
      throw new CodedError(
        'BUSY',
        `${PAIRING_CODES.max} pairing codes were made within ten minutes.`,
        'Use the last one, or wait ten minutes.',
      );
    }
    const name = typeof agentDisplayName === 'string' ? agentDisplayName : undefined;
    const { code, expiresAtMs } = await pairings.create(userId, name, now());
    return answer(CREATE_PAIRING_CODE.name, `Pairing code ${code}, valid once and for ten minutes.`, {
      pairingCode: code,
      expiresAt: new Date(expiresAtMs).toISOString(),
      commandHint: `local-coder pair ${code} --relay ${publicUrl}`,
    });
  }

  async #callViewer(
    caller: Caller,
    call: ToolCall,
    contract: ViewerToolContract,
    args: Record<string, unknown>,
  ): Promise<CallResult> {
    const publicId = args['workspaceId'];
    if (typeof publicId !== 'string') {
      throw new CodedError(
        'INVALID_PARAMS',
        'The parameter "workspaceId" is missing.',
        'listWorkspaces tells the ids.',
      );
    }
    const target = await this.#options.agents.target(caller.userId, publicId);
    if (target === undefined) {
      throw new CodedError(
        'WORKSPACE_NOT_FOUND',
        'There is no workspace of that id.',
        'listWorkspaces {"includeOffline":true} tells the ids.',
      );
    }
    const { agentId, workspaceId } = target;
    const input = { ...args, workspaceId };
    const signal = AbortSignal.any([call.cancelled, call.abandoned]); // every viewer tool only reads
    return this.#dispatch(
      caller,
      agentId,
      call,
      { workspaceId, input, timeoutMs: contract.timeoutMs },
      signal,
    );
  }

  async #callFull(caller: Caller, call: ToolCall, args: Record<string, unknown>): Promise<CallResult> {
    const { agentId: wanted, ...input } = args;
    const full = await this.#options.agents.full(caller.userId);
    const serving = full.flatMap(({ agent, tools }) => {
      const tool = tools.find((one) => one.name === call.name);
      return tool !== undefined && allowed(caller, tool) ? [{ agent, tool }] : [];
    });
    if (serving.length === 0) throw unknownTool(call.name);
    const { agent, tool } = await this.#choose(serving, wanted);
    const readOnly = tool.annotations['readOnlyHint'] === true;
    const signal = readOnly ? AbortSignal.any([call.cancelled, call.abandoned]) : call.cancelled;
    const access = narrower(caller.access, accessOf(agent));
    return this.#dispatch(caller, agent.id, call, { input, access, timeoutMs: FULL_TOOL_MS }, signal);
  }

  /** The one that was named, else the one that is online. */
  async #choose<Serving extends { readonly agent: Agent }>(
    serving: readonly Serving[],
    wanted: unknown,
  ): Promise<Serving> {
    if (wanted !== undefined) {
      const named = serving.find(({ agent }) => agent.id === wanted);
      if (named !== undefined) return named;
      throw new CodedError('INVALID_PARAMS', 'No agent of that id serves this tool.', choices(serving));
    }
    const online = await this.#options.hub.online(serving.map(({ agent }) => agent.id));
    const candidates = serving.filter(({ agent }) => online.has(agent.id));
    const [first, second] = candidates.length === 0 ? serving : candidates;
    if (first !== undefined && (candidates.length === 0 || second === undefined)) return first;
    throw new CodedError('INVALID_PARAMS', 'Several computers serve this tool.', choices(candidates));
  }

  async #dispatch(
    { userId }: Caller,
    agentId: string,
    { name, conversation }: ToolCall,
    call: Pick<AgentCall, 'workspaceId' | 'input' | 'timeoutMs' | 'access'>,
    signal: AbortSignal,
  ): Promise<CallResult> {
    const { agents, hub, now, maxToolMs } = this.#options;
    await agents.used(userId, agentId, now());
    const timeoutMs = Math.min(call.timeoutMs, maxToolMs ?? Number.POSITIVE_INFINITY);
    const id = randomToken(systemRandom);
    const outcome = await hub.dispatch(agentId, { ...call, id, tool: name, conversation, timeoutMs }, signal);
    if (outcome.ok) return outcome.result;
    const { code, message, hint } = outcome.error;
    // An agent of another version may have codes that this one does not know: they are handed on as they are.
    throw new CodedError(code as ErrorCode, message, hint);
  }

  /** The arguments of a tool that the relay answers itself. */
  #checked(tool: string, args: Record<string, unknown>): Record<string, unknown> {
    const input = relayContracts().get(tool)?.input;
    const names = Object.keys(input?.shape ?? {});
    const unknown = Object.keys(args).find((name) => !names.includes(name));
    if (unknown !== undefined) {
      const closest = closestName(unknown, names);
      const advice = closest === undefined ? '' : ` Did you mean "${closest}"?`;
      throw new CodedError(
        'INVALID_PARAMS',
        `"${unknown}" is not a parameter of ${tool}.${advice}`,
        `${tool} takes: ${names.map((name) => `${name}?`).join(', ')}.`,
      );
    }
    const given = Object.fromEntries(Object.entries(args).filter(([, value]) => value !== null));
    const parsed = input?.safeParse(given);
    if (parsed?.success) return parsed.data;
    const why = parsed?.error.issues.map((issue) => `"${issue.path.join('.')}": ${issue.message}.`).join(' ');
    throw new CodedError(
      'INVALID_PARAMS',
      why ?? 'Wrong parameters.',
      `${tool} takes: ${names.join('?, ')}?.`,
    );
  }
}

function argumentsOf(call: ToolCall): Record<string, unknown> {
  const given = call.arguments ?? {};
  if (typeof given === 'object' && !Array.isArray(given)) return given as Record<string, unknown>; // checked by each tool
  throw new CodedError(
    'INVALID_PARAMS',
    'The arguments must be one JSON object.',
    'See the schema of the tool.',
  );
}

function answer(name: string, summary: string, data: Record<string, unknown>): CallResult {
  // successResult reads the name and the bulk fields of a definition and nothing else.
  const tool = { ...relayContracts().get(name), name } as unknown as ToolDefinition;
  return successResult(tool, { summary, data }, 'auto');
}

/** A client that was granted reading alone is not shown what changes something. */
function allowed({ access }: Caller, tool: WireTool): boolean {
  return access !== 'read-only' || tool.annotations['readOnlyHint'] === true;
}

function accessOf({ access }: Agent): 'full' | 'workspace' | 'read-only' {
  return access === 'full' || access === 'read-only' ? access : 'workspace';
}

function withAgentParameter(tool: WireTool): ListedTool {
  const properties = tool.inputSchema['properties'];
  const agentId = { type: 'string', description: 'computer, where several serve this tool (listWorkspaces)' };
  return {
    ...tool,
    inputSchema: {
      ...tool.inputSchema,
      properties: { ...(typeof properties === 'object' ? properties : {}), agentId },
    },
  };
}

function choices(serving: readonly { readonly agent: Agent }[]): string {
  return `Name one as agentId: ${serving.map(({ agent }) => `${agent.id} (${agent.displayName})`).join(', ')}.`;
}

function unknownTool(name: string): CodedError {
  const closest = closestName(name, relayContracts().keys());
  return new CodedError(
    'UNKNOWN_TOOL',
    `There is no tool "${name.slice(0, 100)}".${closest === undefined ? '' : ` Did you mean ${closest}?`}`,
    'List the tools again.',
  );
}
