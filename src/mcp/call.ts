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

/** A call whose handler begins: told before it waits for approval, so that it can be seen and stopped. */
export interface CallStart {
  /** Names the call for as long as this process lives, and in the audit trail. */
  readonly id: string;
  readonly tool: string;
  readonly startedAt: Date;
  /** As they were sent. */
  readonly arguments: unknown;
  readonly client: string | undefined;
  readonly cancel: () => void;
}

/** How a call ended, for the request log and the audit trail; told exactly once per call. */
export interface CallRecord {
  readonly id: string;
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
  /** The first text of the answer, as it was sent. */
  readonly text?: string | undefined;
  /** The recorded file changes of the call. */
  readonly checkpointId?: string | undefined;
  /** The process that the call started or went on with. */
  readonly processId?: string | undefined;
}

/** What became of a call that went on after its answer (`running`). */
export type LateEnd = Pick<
  CallRecord,
  'id' | 'durationMs' | 'outcome' | 'code' | 'text' | 'checkpointId' | 'processId'
>;

/** Unlike those of any other run of the program, so that ids in the audit trail are unique. */
let run: string | undefined;
let count = 0;

export function newCallId(): string {
  run ??= Date.now().toString(36) + Math.random().toString(36).slice(2, 6);
  count++;
  return `${run}-${count.toString(36)}`;
}

export function cancelledError(): CodedError {
  return new CodedError('CANCELLED', 'The call was cancelled.', 'Call again if it is still wanted.');
}
