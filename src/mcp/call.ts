import { CodedError } from '../runtime/errors.ts';

/** A `tools/call` as a transport hands it over. */
export interface ToolCall {
  readonly name: string;
  readonly arguments: unknown;
  /** Aborted by a real cancel: notifications/cancelled, a closed 2026-07-28 request, the end of a stdio client. */
  readonly cancelled: AbortSignal;
  /** Aborted when nobody will read the answer; the same signal as `cancelled` where the protocol makes it one. */
  readonly abandoned: AbortSignal;
  readonly conversation: string | undefined;
  /** Name and version as the client gives them. */
  readonly client?: string | undefined;
  /** Milliseconds (performance.now()) by which the answer must leave, where that is sooner than usual. */
  readonly answerByMs?: number | undefined;
  readonly progress: (message: string) => void;
  /** Asks the user through the client, where the client can (MCP elicitation). True: they agreed. */
  readonly askUser?: ((message: string) => Promise<boolean>) | undefined;
  /** Told how the call ended, for the transport's own log. */
  readonly onRecord?: (record: CallRecord) => void;
}

/** How a call ended, for the request log and the audit trail; told exactly once per call. */
export interface CallRecord {
  readonly tool: string;
  readonly conversation: string | undefined;
  readonly startedAt: Date;
  readonly durationMs: number;
  /** As they were sent, not yet checked; never to be logged as they are. */
  readonly arguments: unknown;
  readonly client: string | undefined;
  /** `running`: it was not done when its answer was due, and goes on. */
  readonly outcome: 'ok' | 'failed' | 'denied' | 'cancelled' | 'running';
  /** Error code of a call that failed or was cancelled. */
  readonly code: string | undefined;
  readonly resultBytes: number;
}

export function cancelledError(): CodedError {
  return new CodedError('CANCELLED', 'The call was cancelled.', 'Call again if it is still wanted.');
}
