import { randomBytes } from 'node:crypto';
import { CodedError } from '../../runtime/errors.ts';
import { commandPrefix } from './command-prefix.ts';

/** Which calls are shown to the owner first (`--approve`). */
export type ApprovalPolicy = 'never' | 'destructive' | 'all';

/** A call that waits for the owner. */
export interface ApprovalRequest {
  readonly id: string;
  readonly tool: string;
  /** What the call would do, in full (approval-subject.ts). Several lines, not yet safe for a terminal. */
  readonly subject: string;
  /** Everything that the call was given. */
  readonly args: unknown;
  readonly client: string | undefined;
  /** Absolute folder in which a command would run. */
  readonly folder: string;
  /** The access mode that the call would be made in; what is allowed for good in one is not in a wider one. */
  readonly access: string | undefined;
  readonly askedAt: Date;
  /** Without an answer by then the call is denied. */
  readonly expiresAt: Date;
  /** The leading words that `always-prefix` would cover; undefined where none can be offered safely. */
  readonly prefix: string | undefined;
}

/** The owner's word: this once, or for the rest of this run. */
export type ApprovalAnswer = 'allow' | 'deny' | 'always-tool' | 'always-call' | 'always-prefix';

export interface ApprovalDeskOptions {
  readonly policy: ApprovalPolicy;
  /** Milliseconds without an answer after which the call is denied. */
  readonly expireMs?: number;
  /** More requests than this are denied at once: nobody can judge them. */
  readonly maxWaiting?: number;
}

interface Waiting {
  readonly request: ApprovalRequest;
  readonly callKey: string;
  readonly prefixKey: string | undefined;
  readonly settle: (allowed: boolean, why: string) => void;
}

const EXPIRE_MS = 10 * 60_000;
const MAX_WAITING = 100;
/** Nobody judges more than this; and the page and the terminal draw all that waits, each time anew. */
const MAX_SUBJECT_CHARACTERS = 1_000_000;
const MAX_WAITING_CHARACTERS = 4_000_000;

/**
 * Where calls wait for the owner's word. Whoever shows them (the terminal, the local page) listens to `onChange` and
 * answers with the request's id; the first answer wins. What was allowed for good is allowed for this run of the
 * program: for one tool, for exactly this call in this folder, or for simple commands in this folder that begin with the
 * same words (command-prefix.ts); always in the same access mode, and a prefix with the same other arguments.
 */
export class ApprovalDesk {
  readonly policy: ApprovalPolicy;
  readonly #options: ApprovalDeskOptions;
  readonly #waiting = new Map<string, Waiting>();
  readonly #allowedTools = new Set<string>();
  readonly #allowedCalls = new Set<string>();
  readonly #allowedPrefixes = new Set<string>();
  readonly #listeners = new Set<() => void>();

  constructor(options: ApprovalDeskOptions) {
    this.policy = options.policy;
    this.#options = options;
  }

  /** True when a call with these annotations is shown to the owner first. */
  covers(annotations: { readonly readOnlyHint: boolean; readonly destructiveHint: boolean }): boolean {
    if (this.policy === 'never') return false;
    return this.policy === 'all' ? !annotations.readOnlyHint : annotations.destructiveHint;
  }

  /** The requests that wait, oldest first. */
  waiting(): ApprovalRequest[] {
    return [...this.#waiting.values()].map(({ request }) => request);
  }

  /** Called whenever a request comes or is settled. Returns the function that ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Resolves when the owner allows the call.
   * @param args everything the call was given: "exactly this call" means all of it
   * @param askUser asks through the client as well, where it can show a question (MCP elicitation)
   * @throws {CodedError} DENIED; TOO_LARGE when there is more to look at than anybody would; the signal's reason when the call is cancelled meanwhile
   */
  ask(
    call: Omit<ApprovalRequest, 'id' | 'args' | 'askedAt' | 'expiresAt' | 'prefix'>,
    args: unknown,
    signal: AbortSignal,
    askUser?: (question: string) => Promise<boolean>,
  ): Promise<void> {
    const callKey = JSON.stringify([call.access ?? null, call.tool, call.folder, args]);
    const prefix = prefixOf(args);
    const keys = { request: call, callKey, prefixKey: prefix && prefixKey(call, prefix, args) };
    if (this.#isAllowed(keys)) return Promise.resolve();
    const { length } = call.subject;
    if (length > MAX_SUBJECT_CHARACTERS) return Promise.reject(tooLarge(length));
    const waitingCharacters = this.waiting().reduce((sum, { subject }) => sum + subject.length, 0);
    if (
      this.#waiting.size >= (this.#options.maxWaiting ?? MAX_WAITING) ||
      waitingCharacters + length > MAX_WAITING_CHARACTERS
    ) {
      return Promise.reject(denied('Too many calls wait for approval already'));
    }
    const expireMs = this.#options.expireMs ?? EXPIRE_MS;
    const askedAt = new Date();
    const request = {
      ...call,
      args,
      id: randomBytes(6).toString('hex'),
      askedAt,
      expiresAt: new Date(askedAt.getTime() + expireMs),
      prefix,
    };
    return new Promise((resolve, reject) => {
      const expiry = setTimeout(() => settle(false, 'Nobody answered within ten minutes'), expireMs);
      expiry.unref();
      const onAbort = () => {
        close();
        reject(signal.reason);
      };
      const close = () => {
        clearTimeout(expiry);
        signal.removeEventListener('abort', onAbort);
        this.#waiting.delete(request.id);
        this.#changed();
      };
      const settle = (allowed: boolean, why: string) => {
        close();
        if (allowed) resolve();
        else reject(denied(why));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.set(request.id, { ...keys, request, settle });
      this.#changed();
      askUser?.(`Allow ${call.tool} in ${call.folder}?\n${call.subject}`).then(
        (agreed) => this.answer(request.id, agreed ? 'allow' : 'deny'),
        () => {}, // the client cannot show the question after all; the terminal or the page still can
      );
    });
  }

  /**
   * Settles a request. `always-prefix` of a call without a prefix allows this call alone, once.
   * @returns false when it is not waiting any more: somebody else was first
   */
  answer(id: string, answer: ApprovalAnswer): boolean {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return false;
    if (answer === 'always-prefix' && waiting.prefixKey !== undefined)
      this.#allowedPrefixes.add(waiting.prefixKey);
    if (answer === 'always-tool') this.#allowedTools.add(toolKey(waiting.request));
    if (answer === 'always-call') this.#allowedCalls.add(waiting.callKey);
    waiting.settle(answer !== 'deny', 'The owner denied it');
    // What the answer covers besides need not be asked again.
    for (const other of [...this.#waiting.values()]) {
      if (this.#isAllowed(other)) other.settle(true, '');
    }
    return true;
  }

  #isAllowed(waiting: Pick<Waiting, 'callKey' | 'prefixKey'> & { request: ToolKey }): boolean {
    return (
      this.#allowedTools.has(toolKey(waiting.request)) ||
      this.#allowedCalls.has(waiting.callKey) ||
      (waiting.prefixKey !== undefined && this.#allowedPrefixes.has(waiting.prefixKey))
    );
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

type ToolKey = Pick<ApprovalRequest, 'access' | 'tool'>;

/** Arguments that change nothing of what a command does. */
const WITHOUT_EFFECT = new Set(['command', 'timeout', 'yield_ms', 'again', 'name']);

function prefixOf(args: unknown): string | undefined {
  const command = typeof args === 'object' && args !== null && 'command' in args ? args.command : undefined;
  return typeof command === 'string' ? commandPrefix(command) : undefined;
}

/** The same as for exactly this call, but for the words after the prefix. */
function prefixKey(
  { access, tool, folder }: Pick<ApprovalRequest, 'access' | 'tool' | 'folder'>,
  prefix: string,
  args: unknown,
): string {
  const others = Object.entries(args as object) // it has a command
    .filter(([name, value]) => value !== undefined && !WITHOUT_EFFECT.has(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([access ?? null, tool, folder, prefix, others]);
}

function toolKey({ access, tool }: ToolKey): string {
  return `${access ?? ''} ${tool}`;
}

function denied(why: string): CodedError {
  return new CodedError(
    'DENIED',
    `${why}: the call was not made.`,
    'Ask the user what they want instead; do not try the same in another way.',
  );
}

function tooLarge(characters: number): CodedError {
  return new CodedError(
    'TOO_LARGE',
    `The owner would have to look at ${characters} characters before this: the call was not made.`,
    `Make several smaller calls of it, each below ${MAX_SUBJECT_CHARACTERS} characters.`,
  );
}
