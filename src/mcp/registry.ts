import { type ApprovalDesk, approvalSubject } from '../access/index.ts';
import { closestIdentifiers, quotedNames } from '../runtime/closest.ts';
import { CodedError } from '../runtime/errors.ts';
import type { OtherTools, ToolContext, ToolDefinition } from '../tools/define.ts';
import type { Services } from '../tools/services.ts';
import type { ToolView } from '../widgets/index.ts';
import {
  type CallRecord,
  type CallStart,
  cancelledError,
  type LateEnd,
  newCallId,
  type ToolCall,
} from './call.ts';
import { CallFacts } from './call-facts.ts';
import { CallSignals } from './call-signals.ts';
import { type CallResult, errorResult, type ResultForm, sendsStructured, successResult } from './envelope.ts';
import { HandedOverCalls, settledBefore } from './handed-over-calls.ts';
import { parseArguments } from './input.ts';
import { APPROVAL_WAIT_MS, CANCEL_MS, HAND_OVER_MS, MAX_ANSWER_MS, MAX_CONCURRENT_CALLS } from './limits.ts';
import { type ListedTool, listedTool } from './tool-list.ts';

export interface RegistryOptions {
  readonly tools: readonly ToolDefinition[];
  readonly services: Services;
  readonly form: ResultForm;
  /** `--annotations quiet` */
  readonly quietAnnotations?: boolean | undefined;
  /** What hosts may show results with (`--widgets`); without it nothing says that there is one. */
  readonly view?: ToolView | undefined;
  /** A call's handler begins. Not told for what is refused before: an unknown tool, too many calls. */
  readonly onStart?: ((call: CallStart) => void) | undefined;
  readonly onCall?: (record: CallRecord) => void;
  /** A call started a process or joined one. */
  readonly onProcess?: ((callId: string, processId: string) => void) | undefined;
  /** A call that went on after its answer has ended. */
  readonly onLateEnd?: ((end: LateEnd) => void) | undefined;
  /** Where calls wait for the owner's word; without it none does. */
  readonly approvals?: ApprovalDesk;
  /** Milliseconds for the owner's word before the client is told that its call waits; tests shorten it. */
  readonly approvalWaitMs?: number;
  /** Milliseconds after which a call that is not done is handed over; tests shorten it. */
  readonly handOverMs?: number;
  /** Wraps each call: what holds for everything that is done for this program's clients. */
  readonly around?: <T>(call: () => T) => T;
  /** A defect in a tool: everything thrown that is not a CodedError. */
  readonly onDefect?: (tool: string, error: unknown) => void;
}

/** What a transport needs of the tools: this program's own registry, or the relay's for one user. */
export type ServedTools = Pick<ToolRegistry, 'list' | 'listJson' | 'call'> & {
  /** The view of results, where one is served. */
  readonly view?: ToolView | undefined;
};

/**
 * The tools and the one way to call them: arguments checked, the handler run with its signals, the outcome put
 * into the envelope, and an answer within 40 seconds whatever the tool does.
 */
export class ToolRegistry {
  readonly view: ToolView | undefined;
  readonly #tools: ReadonlyMap<string, ToolDefinition>;
  readonly #options: RegistryOptions;
  readonly #handedOver = new HandedOverCalls();
  readonly #running = new Map<Promise<unknown>, CallSignals>();
  #list: ListedTool[] | undefined;
  #listJson: string | undefined;

  constructor(options: RegistryOptions) {
    this.#tools = new Map(options.tools.map((tool) => [tool.name, tool]));
    this.#options = options;
    const { view } = options;
    this.view = view && options.tools.some(({ name }) => view.toolNames.has(name)) ? view : undefined;
  }

  /** The answer to tools/list; made once. */
  list(): ListedTool[] {
    this.#list ??= [...this.#tools.values()].map((tool) =>
      listedTool(tool, this.#options.form, this.#options.quietAnnotations, this.view),
    );
    return this.#list;
  }

  /** The same as JSON text, made once: it is most of what a connecting client is sent. */
  listJson(): string {
    this.#listJson ??= JSON.stringify(this.list());
    return this.#listJson;
  }

  get tools(): readonly ToolDefinition[] {
    return [...this.#tools.values()];
  }

  /** Never throws: whatever goes wrong is an envelope with `ok: false`. */
  async call(call: ToolCall): Promise<CallResult> {
    const startedAt = new Date();
    const started = performance.now();
    const tool = this.#tools.get(call.name);
    const facts = new CallFacts(newCallId(), (processId) => this.#options.onProcess?.(facts.id, processId));
    let code: string | undefined;
    let result: CallResult;
    try {
      if (tool === undefined) throw this.#unknownTool(call.name);
      if (this.#running.size >= MAX_CONCURRENT_CALLS) throw busy();
      const { around } = this.#options;
      const answer = () => this.#answer(tool, call, { facts, startedAt, started });
      result = await (around === undefined ? answer() : around(answer));
    } catch (error) {
      const stopped = call.cancelled.aborted || (call.abandoned.aborted && tool?.annotations.readOnlyHint);
      const known =
        stopped && !(error instanceof CodedError) ? cancelledError() : this.#asCodedError(call.name, error);
      code = known.code;
      result = errorResult(
        call.name,
        known,
        this.#options.form,
        tool !== undefined && sendsStructured(tool, this.#options.form),
      );
    }
    const record: CallRecord = {
      id: facts.id,
      tool: call.name,
      conversation: call.conversation,
      startedAt,
      durationMs: performance.now() - started,
      arguments: call.arguments,
      client: call.client,
      outcome: code === undefined ? (this.#handedOver.isReceipt(result) ? 'running' : 'ok') : outcomeOf(code),
      code,
      resultBytes: result.content.reduce(
        (sum, block) => sum + (block.type === 'text' ? block.text.length : 0),
        0,
      ),
      text: firstText(result),
      checkpointId: facts.checkpointId,
      processId: facts.processId,
    };
    this.#recorded(call.name, () => this.#options.onCall?.(record));
    this.#recorded(call.name, () => call.onRecord?.(record));
    return result;
  }

  /**
   * For the end of the server: resolves when no call is running any more. What still runs after `graceMs` is
   * cancelled, so that no git and no search outlives the server, and has a moment to end.
   */
  async drain(graceMs: number): Promise<void> {
    await this.#idleWithin(graceMs);
    for (const signals of this.#running.values()) signals.abort(cancelledError());
    await this.#idleWithin(CANCEL_MS);
  }

  async #idleWithin(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    // Not unref'ed: nothing else may keep the process alive until it has cleaned up.
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([timeout, Promise.allSettled(this.#running.keys())]);
    clearTimeout(timer);
  }

  async #answer(tool: ToolDefinition, call: ToolCall, begun: Begun): Promise<CallResult> {
    const signals = new CallSignals(call);
    this.#options.onStart?.({
      id: begun.facts.id,
      tool: tool.name,
      startedAt: begun.startedAt,
      arguments: call.arguments,
      client: call.client,
      cancel: () => signals.abort(cancelledError()),
    });
    try {
      return await this.#answerWith(signals, tool, { ...call, ...signals.signals }, begun);
    } finally {
      signals.detach();
    }
  }

  async #answerWith(
    signals: CallSignals,
    tool: ToolDefinition,
    call: ToolCall,
    { facts, started }: Begun,
  ): Promise<CallResult> {
    const args = parseArguments(tool, call.arguments);
    const collected = this.#handedOver.collect(tool.name, args, call);
    if (collected !== undefined) return collected;
    const readOnly = tool.annotations.readOnlyHint;
    const context: ToolContext = {
      services: facts.services(this.#options.services),
      started: facts.started,
      signal: readOnly ? AbortSignal.any([call.cancelled, call.abandoned]) : call.cancelled,
      abandoned: call.abandoned,
      conversation: call.conversation,
      answerByMs: Math.min(started + MAX_ANSWER_MS, call.answerByMs ?? Number.POSITIVE_INFINITY),
      progress: call.progress,
      otherTools: this.#otherTools(call),
    };
    context.signal.throwIfAborted();
    const approval = this.#approval(tool, args, call, context.signal);
    const answer =
      approval === undefined ? tool.handler(args, context) : approval.then(() => tool.handler(args, context));
    const work = answer.then((done) => {
      facts.done(done.data);
      return successResult(tool, done, this.#options.form);
    });
    this.#track(work, signals);
    let awaitsApproval = approval !== undefined;
    const decided = () => {
      awaitsApproval = false;
    };
    approval?.then(decided, decided);
    // The owner is given as long as a command before the client is told that it waits.
    if (approval !== undefined)
      await settledBefore(
        work.catch(() => {}),
        this.#options.approvalWaitMs ?? APPROVAL_WAIT_MS,
      );
    const dueMs = Math.min(started + (this.#options.handOverMs ?? HAND_OVER_MS), handOverBy(call, started));
    const result = await this.#handedOver.answerInTime(
      tool,
      args,
      call,
      work,
      awaitsApproval ? 0 : dueMs,
      (error) =>
        errorResult(
          tool.name,
          this.#asCodedError(tool.name, error),
          this.#options.form,
          sendsStructured(tool, this.#options.form),
        ),
      () => awaitsApproval,
    );
    if (this.#handedOver.isReceipt(result)) this.#tellLateEnd(tool, work, { facts, started });
    return result;
  }

  #tellLateEnd(
    { name }: ToolDefinition,
    work: Promise<CallResult>,
    { facts, started }: Omit<Begun, 'startedAt'>,
  ): void {
    const tell = (code: string | undefined, text: string | undefined) =>
      this.#recorded(name, () =>
        this.#options.onLateEnd?.({
          id: facts.id,
          durationMs: performance.now() - started,
          outcome: code === undefined ? 'ok' : outcomeOf(code),
          code,
          text,
          checkpointId: facts.checkpointId,
          processId: facts.processId,
        }),
      );
    work.then(
      (result) => tell(undefined, firstText(result)),
      (error: unknown) => {
        // A defect was told already, where its answer was made.
        const { code, message } = error instanceof CodedError ? error : cancelledOrDefect(error);
        tell(code, `${name}: ${message}`);
      },
    );
  }

  /** What keeps records of calls must not be able to end one, let alone the server. */
  #recorded(tool: string, record: () => void): void {
    try {
      record();
    } catch (error) {
      this.#options.onDefect?.(tool, error);
    }
  }

  /** Resolves when the owner allows the call; undefined when nobody need be asked. */
  #approval(
    tool: ToolDefinition,
    args: Record<string, unknown>,
    call: ToolCall,
    signal: AbortSignal,
  ): Promise<void> | undefined {
    const desk = this.#options.approvals;
    if (desk === undefined || !desk.covers(tool.annotations)) return undefined;
    const ask = (folder: string) => {
      const request = {
        tool: tool.name,
        subject: approvalSubject(args),
        client: call.client,
        folder,
        access: this.#options.services.workspace.accessMode,
      };
      return desk.ask(request, args, signal, call.askUser);
    };
    const { workspace, shell } = this.#options.services;
    if (typeof args['command'] !== 'string') return ask(workspace.defaultRoot);
    const name = typeof args['shell'] === 'string' ? args['shell'] : undefined;
    // A shell that was led elsewhere makes another command of the same words, before the owner's answer or after it.
    const folderNow = () =>
      shell.currentFolder(name, workspace.defaultRoot, call).catch(() => workspace.defaultRoot);
    const askForFolder = async (folder: string): Promise<void> => {
      await ask(folder);
      const now = await folderNow();
      if (now !== folder) await askForFolder(now);
    };
    return folderNow().then(askForFolder);
  }

  #otherTools(call: ToolCall): OtherTools {
    return {
      annotationsOf: (name) => this.#tools.get(name)?.annotations,
      call: async (name, args) => {
        const result = await this.call({ ...call, name, arguments: args, onRecord: undefined });
        const [first, ...others] = result.content;
        const images = others.flatMap(({ type, ...image }) =>
          type === 'image' ? [image as { data: string; mimeType: string }] : [],
        );
        return { text: first?.type === 'text' ? first.text : '', isError: result.isError === true, images };
      },
    };
  }

  #track(work: Promise<unknown>, signals: CallSignals): void {
    this.#running.set(work, signals);
    const forget = () => this.#running.delete(work);
    work.then(forget, forget);
  }

  #asCodedError(tool: string, error: unknown): CodedError {
    if (error instanceof CodedError) return error;
    if (error instanceof DOMException && error.name === 'AbortError') return cancelledError();
    this.#options.onDefect?.(tool, error);
    return new CodedError(
      'INTERNAL_ERROR',
      `${tool} failed unexpectedly: ${error instanceof Error ? error.message : String(error)}`,
      'This is a defect in local-coder. Try another way (for example run_command), and report it with the server log.',
    );
  }

  #unknownTool(name: string): CodedError {
    const closest = closestIdentifiers(name, this.#tools.keys());
    return new CodedError(
      'UNKNOWN_TOOL',
      `There is no tool "${name}".${closest.length > 0 ? ` Did you mean ${quotedNames(closest)}?` : ''}`,
      this.#tools.has('run_command')
        ? 'List the tools again (tools/list), or do the same with run_command.'
        : 'List the tools again (tools/list): these are all that this server was started with. Ask the user where it takes others.',
    );
  }
}

/** When a call with a deadline of its own is handed over: as early as for others, or earlier where time is short. */
function handOverBy(call: ToolCall, started: number): number {
  if (call.answerByMs === undefined) return Number.POSITIVE_INFINITY;
  const windowMs = Math.max(call.answerByMs - started, 0);
  return call.answerByMs - Math.min(MAX_ANSWER_MS - HAND_OVER_MS, windowMs / 4);
}

/** When a call began, and what becomes known of it on the way. */
interface Begun {
  readonly facts: CallFacts;
  readonly startedAt: Date;
  /** performance.now() */
  readonly started: number;
}

function firstText({ content: [first] }: CallResult): string | undefined {
  return first?.type === 'text' ? first.text : undefined;
}

function cancelledOrDefect(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof DOMException && error.name === 'AbortError') return cancelledError();
  return { code: 'INTERNAL_ERROR', message: error instanceof Error ? error.message : String(error) };
}

function outcomeOf(code: string): CallRecord['outcome'] {
  if (code === 'CANCELLED') return 'cancelled';
  return code === 'DENIED' || code === 'PATH_OUTSIDE_WORKSPACE' ? 'denied' : 'failed';
}

function busy(): CodedError {
  return new CodedError(
    'BUSY',
    `${MAX_CONCURRENT_CALLS} calls are running already; this one was not started.`,
    'Wait until some of them have answered, then call again.',
  );
}
