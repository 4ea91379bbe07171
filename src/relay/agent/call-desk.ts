import type { CallResult } from '../../mcp/envelope.ts';
import { CodedError } from '../../runtime/errors.ts';
import { encodeResult } from '../frames.ts';
import { MAX_CALLS_PER_AGENT, type Request, type Result, type WireError } from '../protocol.ts';

/** What an agent serves: the outcome of a call as local MCP would give it. Never throws. */
export type ServeCall = (request: Request, signal: AbortSignal) => Promise<CallResult>;

export interface CallDeskOptions {
  readonly serve: ServeCall;
  /** Sends one frame; does nothing when the connection is gone. */
  readonly send: (frame: string | Uint8Array) => void;
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** No tool takes longer (tools.md, "Long work"). */
const MAX_TIMEOUT_MS = 60_000;
/** Ids of finished calls that are remembered: a request that comes twice is served once. */
const REMEMBERED_IDS = 1_024;

/** The calls of one connection: each is answered once, in its time, or not at all when it was cancelled. */
export class CallDesk {
  readonly #options: CallDeskOptions;
  readonly #running = new Map<string, AbortController>();
  readonly #seen = new Set<string>();
  #closed = false;

  constructor(options: CallDeskOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running.size;
  }

  take(request: Request): void {
    const { id } = request;
    if (this.#closed || this.#seen.has(id)) return;
    this.#remember(id);
    if (this.#running.size >= MAX_CALLS_PER_AGENT) {
      this.#refuse(id, {
        code: 'AGENT_BUSY',
        message: `${MAX_CALLS_PER_AGENT} calls are running already; this one was not started.`,
        hint: 'Wait until some of them have answered, then call again.',
      });
      return;
    }
    void this.#run(request);
  }

  /** A request that is none, but has an id. */
  refuseInvalid(id: string, why: string): void {
    if (this.#closed || this.#seen.has(id)) return;
    this.#remember(id);
    this.#refuse(id, { code: 'AGENT_PROTOCOL_ERROR', message: `The request is not valid: ${why}.` });
  }

  /** Stops a call; nobody waits for its answer. */
  cancel(id: string): void {
    const controller = this.#running.get(id);
    this.#running.delete(id);
    controller?.abort(
      new CodedError('CANCELLED', 'The call was cancelled.', 'Call again if it is still wanted.'),
    );
  }

  /** The connection is gone, and with it everybody who waits. */
  close(): void {
    this.#closed = true;
    for (const id of [...this.#running.keys()]) this.cancel(id);
  }

  async #run(request: Request): Promise<void> {
    const { id, tool } = request;
    const controller = new AbortController();
    this.#running.set(id, controller);
    const isWaitedFor = () => this.#running.get(id) === controller;
    const timer = setTimeout(
      () => {
        if (!isWaitedFor()) return;
        this.#running.delete(id);
        const timeout = new CodedError(
          'TOOL_TIMEOUT',
          `${tool} was not done in its time and was stopped.`,
          'Ask for less: a folder further down, one file, fewer operations.',
        );
        controller.abort(timeout);
        this.#refuse(id, { code: timeout.code, message: timeout.message, hint: timeout.hint });
      },
      Math.min(request.timeoutMs, MAX_TIMEOUT_MS),
    );
    try {
      const result = await this.#options.serve(request, controller.signal);
      if (isWaitedFor()) await this.#answer(id, result, isWaitedFor);
    } catch (error) {
      this.#options.onError?.(error);
      if (isWaitedFor()) {
        this.#refuse(id, { code: 'INTERNAL_ERROR', message: `${tool} failed unexpectedly on the agent.` });
      }
    } finally {
      clearTimeout(timer);
      if (isWaitedFor()) this.#running.delete(id);
    }
  }

  async #answer(id: string, callResult: CallResult, isWaitedFor: () => boolean): Promise<void> {
    const message: Result = { type: 'result', id, ok: true, result: callResult };
    const frame = await encodeResult(id, JSON.stringify(message));
    if (!isWaitedFor()) return;
    if (
      frame === 'RESULT_TOO_LARGE' ||
      frame === 'COMPRESSED_RESULT_TOO_LARGE' ||
      frame === 'AGENT_PROTOCOL_ERROR'
    ) {
      this.#refuse(id, {
        code: frame,
        message: 'The result is larger than the relay carries.',
        hint: 'Ask for less: a narrower path, a smaller limit, fewer operations.',
      });
      return;
    }
    this.#options.send(frame);
  }

  #refuse(id: string, error: WireError): void {
    const message: Result = { type: 'result', id, ok: false, error };
    this.#options.send(JSON.stringify(message));
  }

  #remember(id: string): void {
    this.#seen.add(id);
    if (this.#seen.size <= REMEMBERED_IDS) return;
    for (const oldest of this.#seen) {
      if (this.#running.has(oldest)) continue;
      this.#seen.delete(oldest);
      return;
    }
  }
}
