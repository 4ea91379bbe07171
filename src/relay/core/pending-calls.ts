import { inflateResult, splitFrame } from '../frames.ts';
import { MAX_CALLS_PER_AGENT, RELAY_GRACE_MS, type RelayMessage, result } from '../protocol.ts';
import { failure, frameFailure } from './failures.ts';
import type { AgentCall, Outcome } from './ports.ts';

interface Pending {
  settle(outcome: Outcome): void;
}

/** The calls that one connection has under way. What happens to one of them touches no other. */
export class PendingCalls {
  readonly #calls = new Map<string, Pending>();
  readonly #send: (message: RelayMessage) => void;

  /** @param send puts a message on the wire; throws when there is none any more */
  constructor(send: (message: RelayMessage) => void) {
    this.#send = send;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** See SessionHub.dispatch. */
  dispatch(call: AgentCall, signal?: AbortSignal): Promise<Outcome> {
    if (this.#calls.size >= MAX_CALLS_PER_AGENT) return Promise.resolve(failure('AGENT_BUSY'));
    if (signal?.aborted) return Promise.resolve(failure('CANCELLED'));
    return new Promise((resolve) => {
      const cancelled = () => this.cancel(call.id);
      const timer = setTimeout(() => {
        this.#tell({ type: 'cancel', id: call.id });
        this.#settle(call.id, failure('AGENT_TIMEOUT'));
      }, call.timeoutMs + RELAY_GRACE_MS);
      this.#calls.set(call.id, {
        settle: (outcome) => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', cancelled);
          resolve(outcome);
        },
      });
      signal?.addEventListener('abort', cancelled, { once: true });
      const sent = this.#tell({
        type: 'request',
        id: call.id,
        tool: call.tool,
        input: { ...call.input },
        timeoutMs: call.timeoutMs,
        workspaceId: call.workspaceId,
        conversation: call.conversation,
        access: call.access,
      });
      if (!sent) this.#settle(call.id, failure('AGENT_OFFLINE'));
    });
  }

  /** Nobody waits for the call any more: the agent is told, and a result that comes all the same is dropped. */
  cancel(id: string): void {
    if (!this.#calls.has(id)) return;
    this.#tell({ type: 'cancel', id });
    this.#settle(id, failure('CANCELLED'));
  }

  /** Takes the message of a text frame whose type is `result`. One that nobody waits for is dropped. */
  result(message: Readonly<Record<string, unknown>>): void {
    const { id } = message;
    if (typeof id !== 'string' || !this.#calls.has(id)) return;
    this.#settle(id, outcomeOf(message));
  }

  /**
   * Takes a binary frame: a compressed result. One that nobody waits for is not even inflated.
   * @returns false when it is no frame of the protocol
   */
  async compressed(frame: Uint8Array<ArrayBuffer>): Promise<boolean> {
    const split = splitFrame(frame);
    if (split === undefined) return false;
    const { id, gzip } = split;
    if (!this.#calls.has(id)) return true;
    const inflated = await inflateResult(gzip);
    if (typeof inflated === 'string') this.#settle(id, frameFailure(inflated));
    else {
      const message = parseObject(inflated.json);
      if (message?.['id'] === id && message['type'] === 'result') this.result(message);
      else this.#settle(id, failure('AGENT_PROTOCOL_ERROR'));
    }
    return true;
  }

  /** The connection is gone: every call of it has failed, and no other. */
  failAll(): void {
    for (const id of [...this.#calls.keys()]) this.#settle(id, failure('AGENT_OFFLINE'));
  }

  #tell(message: RelayMessage): boolean {
    try {
      this.#send(message);
      return true;
    } catch {
      return false; // the connection has just gone; its close fails the calls
    }
  }

  #settle(id: string, outcome: Outcome): void {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    call?.settle(outcome);
  }
}

/** A JSON object, or undefined for anything else. */
export function parseObject(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return value as Record<string, unknown>; // an object, whose fields are checked by whoever reads them
  } catch {
    return undefined;
  }
}

function outcomeOf(message: Readonly<Record<string, unknown>>): Outcome {
  const parsed = result.safeParse(message);
  if (!parsed.success) return failure('AGENT_PROTOCOL_ERROR');
  if (parsed.data.ok) return { ok: true, result: parsed.data.result };
  return { ok: false, error: { hint: 'Look at the terminal of the agent.', ...parsed.data.error } };
}
