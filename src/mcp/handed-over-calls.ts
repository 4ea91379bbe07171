import { randomBytes } from 'node:crypto';
import { CodedError } from '../runtime/errors.ts';
import type { ToolDefinition } from '../tools/define.ts';
import type { ToolCall } from './call.ts';
import type { CallResult } from './envelope.ts';

/** How long a finished result waits to be collected. */
const KEEP_MS = 10 * 60_000;
/** `wait_ms` of process_output never holds a request longer than this. */
const MAX_WAIT_MS = 38_000;
/** Time for an answer to reach a client whose deadline is its own. */
const ANSWER_MARGIN_MS = 1_500;

interface HandedOver {
  readonly id: string;
  readonly key: string;
  readonly tool: string;
  readonly result: Promise<CallResult>;
  /** True as long as the owner has not answered. */
  readonly awaitsApproval: () => boolean;
}

/**
 * Calls that were not done when their answer was due. They go on; the client collects the result with
 * process_output and the id it was given, or by making the same call again (clients abandon a call after about a
 * minute and often retry it: the work must not be done twice).
 */
export class HandedOverCalls {
  readonly #byId = new Map<string, HandedOver>();
  readonly #receipts = new WeakSet<CallResult>();

  /** True for a result that says that the call goes on. */
  isReceipt(result: CallResult): boolean {
    return this.#receipts.has(result);
  }

  /** The result that this call asks for, when it collects an earlier one; otherwise undefined. */
  collect(tool: string, args: Record<string, unknown>, call: ToolCall): Promise<CallResult> | undefined {
    if (this.#byId.size === 0) return undefined;
    if (tool === 'process_output' && typeof args['id'] === 'string') {
      const entry = this.#byId.get(args['id']);
      return entry && this.#wait(entry, typeof args['wait_ms'] === 'number' ? args['wait_ms'] : 0, call);
    }
    const key = keyOf(tool, args, call);
    for (const entry of this.#byId.values())
      if (entry.key === key) return this.#wait(entry, MAX_WAIT_MS, call);
    return undefined;
  }

  /** The result of `work` when it comes before `dueMs` (performance.now()), else a receipt with an id. */
  async answerInTime(
    tool: ToolDefinition,
    args: Record<string, unknown>,
    call: ToolCall,
    work: Promise<CallResult>,
    dueMs: number,
    toErrorResult: (error: unknown) => CallResult,
    awaitsApproval: () => boolean = () => false,
  ): Promise<CallResult> {
    const first = await settledBefore(work, dueMs - performance.now());
    if (first !== undefined) return first;
    const entry: HandedOver = {
      id: `call-${randomBytes(6).toString('hex')}`,
      key: keyOf(tool.name, args, call),
      tool: tool.name,
      result: work.catch(toErrorResult),
      awaitsApproval,
    };
    this.#byId.set(entry.id, entry);
    entry.result.finally(() => setTimeout(() => this.#byId.delete(entry.id), KEEP_MS).unref());
    return this.#receipt(entry);
  }

  async #wait(entry: HandedOver, waitMs: number, call: ToolCall): Promise<CallResult> {
    const allowedMs = (call.answerByMs ?? Number.POSITIVE_INFINITY) - performance.now() - ANSWER_MARGIN_MS;
    const result = await settledBefore(entry.result, Math.min(waitMs, MAX_WAIT_MS, allowedMs));
    if (result === undefined) return this.#receipt(entry);
    this.#byId.delete(entry.id);
    return result;
  }

  #receipt(entry: HandedOver): CallResult {
    const result = receiptOf(entry);
    this.#receipts.add(result);
    return result;
  }
}

/** The value of a promise when it settles within `timeoutMs`, else undefined. Rejections pass through. */
export async function settledBefore<T>(work: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(timeoutMs, 0)).unref();
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function receiptOf(entry: HandedOver): CallResult {
  const collect = `process_output {"id":"${entry.id}","wait_ms":30000}`;
  const error = entry.awaitsApproval()
    ? new CodedError(
        'PENDING_APPROVAL',
        `${entry.tool} waits for the user's approval on their computer.`,
        `Tell the user; ${collect} or the same call again collects the result.`,
      )
    : new CodedError(
        'TIMEOUT',
        `${entry.tool} is not done yet; it goes on.`,
        `Ask for its result with ${collect}.`,
      );
  const envelope = {
    ok: false,
    tool: entry.tool,
    summary: error.message,
    data: { error: { code: error.code, message: error.message, hint: error.hint, process_id: entry.id } },
  };
  return {
    content: [{ type: 'text', text: JSON.stringify(envelope) }],
    structuredContent: envelope,
    isError: true,
  };
}

function keyOf(tool: string, args: Record<string, unknown>, call: ToolCall): string {
  return JSON.stringify([call.conversation ?? null, tool, args]);
}
