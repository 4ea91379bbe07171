import { callTarget } from '../access/index.ts';
import type { CallRecord, CallStart, LateEnd } from '../mcp/call.ts';
import { ownBeginning } from '../runtime/own-text.ts';
import { ClientBook } from './client-book.ts';
import { type KeptText, keepArguments, keepText } from './kept-text.ts';
import type { CallOutcome } from './models.ts';

/** A call that is running or among the newest that were made. */
export interface BookedCall {
  readonly id: string;
  readonly tool: string;
  /** Secrets masked. */
  readonly target: string;
  readonly client: string | undefined;
  readonly startedAt: Date;
  readonly arguments: KeptText | undefined;
  readonly outcome: CallOutcome;
  readonly code: string | undefined;
  readonly durationMs: number | undefined;
  readonly resultBytes: number | undefined;
  readonly result: KeptText | undefined;
  readonly checkpointId: string | undefined;
  readonly processId: string | undefined;
}

type Entry = { -readonly [Name in keyof BookedCall]: BookedCall[Name] } & {
  cancel: (() => void) | undefined;
};

export interface CallBookLimits {
  /** Calls that have ended. */
  readonly maxCalls: number;
  /** Bytes of their arguments and results. */
  readonly maxBytes: number;
}

const LIMITS: CallBookLimits = { maxCalls: 500, maxBytes: 8 * 1024 * 1024 };
const ARGUMENTS = { maxValueCharacters: 16 * 1024, maxCharacters: 32 * 1024 };
const MAX_RESULT_CHARACTERS = 64 * 1024;

/**
 * What the page knows of calls beyond the audit trail: those that run, with the way to stop them, and of the newest the
 * arguments and results. In memory alone, bounded, and there whether or not somebody looks.
 */
export class CallBook {
  readonly clients = new ClientBook();
  readonly #limits: CallBookLimits;
  readonly #running = new Map<string, RunningCall>();
  /** Calls that were answered, the oldest first. One that goes on after its answer is among them. */
  readonly #answered = new Map<string, Entry>();
  readonly #listeners = new Set<(call: BookedCall) => void>();
  #bytes = 0;

  constructor(limits: CallBookLimits = LIMITS) {
    this.#limits = limits;
  }

  started(call: CallStart): void {
    const entry = new RunningCall(call);
    this.#running.set(call.id, entry);
    this.#tell(entry);
  }

  process(callId: string, processId: string): void {
    const entry = this.#running.get(callId);
    if (entry === undefined) return;
    entry.processId = processId;
    this.#tell(entry);
  }

  /** @param target as the audit trail has it */
  ended(record: CallRecord, target: string): void {
    const running = this.#running.get(record.id);
    this.#running.delete(record.id);
    const goesOn = record.outcome === 'running';
    const entry: Entry = {
      id: record.id,
      tool: ownBeginning(record.tool, 100),
      target,
      client: record.client && ownBeginning(record.client, 100),
      startedAt: record.startedAt,
      arguments: keepArguments(record.arguments, ARGUMENTS),
      outcome: record.outcome,
      code: record.code,
      durationMs: goesOn ? undefined : record.durationMs,
      resultBytes: record.resultBytes,
      result: record.text === undefined ? undefined : keepText(record.text, MAX_RESULT_CHARACTERS),
      checkpointId: record.checkpointId,
      processId: record.processId ?? running?.processId,
      cancel: goesOn ? running?.cancel : undefined,
    };
    this.#answered.set(entry.id, entry);
    this.#bytes += bytesOf(entry);
    this.#makeRoom();
    this.clients.called(record.client, Date.now());
    this.#tell(entry);
  }

  endedLate(end: LateEnd): void {
    const entry = this.#answered.get(end.id);
    if (entry === undefined) return;
    this.#bytes -= bytesOf(entry);
    Object.assign(entry, {
      outcome: end.outcome,
      code: end.code,
      durationMs: end.durationMs,
      result: end.text === undefined ? undefined : keepText(end.text, MAX_RESULT_CHARACTERS),
      checkpointId: end.checkpointId,
      processId: end.processId ?? entry.processId,
      cancel: undefined,
    });
    this.#bytes += bytesOf(entry);
    this.#makeRoom();
    this.#tell(entry);
  }

  /** The newest first. */
  running(): BookedCall[] {
    const late = [...this.#answered.values()].filter(({ outcome }) => outcome === 'running');
    return [...late, ...this.#running.values()].reverse();
  }

  get runningCount(): number {
    let late = 0;
    for (const { outcome } of this.#answered.values()) if (outcome === 'running') late++;
    return this.#running.size + late;
  }

  /** Calls that were answered, the one that was answered last first. */
  answered(): BookedCall[] {
    return [...this.#answered.values()].reverse();
  }

  get(id: string): BookedCall | undefined {
    return this.#running.get(id) ?? this.#answered.get(id);
  }

  /** Cancels a call that is running. @returns false when it is not running (any more) */
  stop(id: string): boolean {
    const cancel = (this.#running.get(id) ?? this.#answered.get(id))?.cancel;
    cancel?.();
    return cancel !== undefined;
  }

  /** Told whenever a call begins, gets its process, or ends. @returns the function that ends it */
  onChange(listener: (call: BookedCall) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** How many want to be told. */
  get listenerCount(): number {
    return this.#listeners.size;
  }

  #makeRoom(): void {
    for (const [id, entry] of this.#answered) {
      if (this.#answered.size <= this.#limits.maxCalls && this.#bytes <= this.#limits.maxBytes) return;
      this.#bytes -= bytesOf(entry);
      if (entry.outcome === 'running') {
        // It can still be stopped; of those that go on there are no more than calls at once.
        entry.arguments = undefined;
        entry.result = undefined;
      } else {
        this.#answered.delete(id);
      }
    }
  }

  #tell(call: BookedCall): void {
    for (const listener of this.#listeners) listener(call);
  }
}

/** Most calls are over before anybody can look: what they are about is made out when somebody does. */
class RunningCall implements BookedCall {
  readonly id: string;
  readonly tool: string;
  readonly client: string | undefined;
  readonly startedAt: Date;
  readonly cancel: () => void;
  readonly outcome = 'running';
  readonly code = undefined;
  readonly durationMs = undefined;
  readonly resultBytes = undefined;
  readonly result = undefined;
  readonly checkpointId = undefined;
  processId: string | undefined;
  readonly #arguments: unknown;
  #target: string | undefined;
  #kept: KeptText | undefined;

  constructor(call: CallStart) {
    this.id = call.id;
    this.tool = ownBeginning(call.tool, 100);
    this.client = call.client && ownBeginning(call.client, 100);
    this.startedAt = call.startedAt;
    this.cancel = call.cancel;
    this.#arguments = call.arguments;
  }

  get target(): string {
    this.#target ??= callTarget(this.#arguments);
    return this.#target;
  }

  get arguments(): KeptText | undefined {
    this.#kept ??= keepArguments(this.#arguments, ARGUMENTS);
    return this.#kept;
  }
}

function bytesOf({ arguments: args, result }: BookedCall): number {
  return (args?.bytes.length ?? 0) + (result?.bytes.length ?? 0);
}
