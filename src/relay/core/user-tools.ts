import { type CallRecord, cancelledError, newCallId, type ToolCall } from '../../mcp/call.ts';
import { type CallResult, errorResult } from '../../mcp/envelope.ts';
import type { ServedTools } from '../../mcp/registry.ts';
import type { ListedTool } from '../../mcp/tool-list.ts';
import { CodedError } from '../../runtime/errors.ts';
import type { CallRouter } from './call-router.ts';
import { type Caller, relayContracts } from './contracts.ts';
import { listedContract } from './listed-tool.ts';

let listedViewer: ListedTool[] | undefined;

/** One user's tools, for the MCP endpoint: lists them, and answers every call with an envelope. */
export class UserTools implements ServedTools {
  readonly #router: CallRouter;
  readonly #caller: Caller;
  readonly #onCall: ((record: CallRecord, userId: string) => void) | undefined;
  readonly #onDefect: (error: unknown) => void;
  #more: readonly ListedTool[] = [];

  constructor(options: {
    readonly router: CallRouter;
    readonly caller: Caller;
    readonly onCall?: ((record: CallRecord, userId: string) => void) | undefined;
    readonly onDefect: (error: unknown) => void;
  }) {
    this.#router = options.router;
    this.#caller = options.caller;
    this.#onCall = options.onCall;
    this.#onDefect = options.onDefect;
  }

  /** Looks up what the user's full agents serve; called before a request where there are such agents. */
  async refresh(hasFullAgents: boolean): Promise<void> {
    this.#more = hasFullAgents ? await this.#router.fullTools(this.#caller) : [];
  }

  list(): ListedTool[] {
    listedViewer ??= [...relayContracts().values()].map(listedContract);
    return [...listedViewer, ...this.#more];
  }

  listJson(): string {
    return JSON.stringify(this.list());
  }

  /** Never throws: whatever goes wrong is an envelope with `ok: false`. */
  async call(call: ToolCall): Promise<CallResult> {
    const startedAt = new Date();
    const started = performance.now();
    let code: string | undefined;
    let result: CallResult;
    try {
      result = await this.#router.call(this.#caller, call);
      if (result.isError) code = 'FAILED';
    } catch (error) {
      const known = this.#known(error, call);
      code = known.code;
      const structured = relayContracts().get(call.name)?.bulk === undefined;
      result = errorResult(call.name, known, 'auto', structured);
    }
    const record: CallRecord = {
      id: newCallId(),
      tool: call.name,
      conversation: call.conversation,
      startedAt,
      durationMs: performance.now() - started,
      arguments: call.arguments,
      client: call.client,
      outcome: code === undefined ? 'ok' : code === 'CANCELLED' ? 'cancelled' : 'failed',
      code,
      resultBytes: result.content.reduce((sum, one) => sum + (one.type === 'text' ? one.text.length : 0), 0),
    };
    this.#onCall?.(record, this.#caller.userId);
    call.onRecord?.(record);
    return result;
  }

  #known(error: unknown, call: ToolCall): CodedError {
    if (error instanceof CodedError) return error;
    if (call.cancelled.aborted || call.abandoned.aborted) return cancelledError();
    this.#onDefect(error);
    return new CodedError('INTERNAL_ERROR', 'The relay failed to answer.', 'Call again in a moment.');
  }
}
