import { randomBytes } from 'node:crypto';
import { CodedError } from '../../runtime/errors.ts';

/** Which calls are shown to the owner first (`--approve`). */
export type ApprovalPolicy = 'never' | 'destructive' | 'all';

/** A call that waits for the owner. */
export interface ApprovalRequest {
  readonly id: string;
  readonly tool: string;
  /** What the call would do, in full (approval-subject.ts). Several lines, not yet safe for a terminal. */
  readonly subject: string;
  readonly client: string | undefined;
  /** Absolute folder in which a command would run. */
  readonly folder: string;
  /** The access mode that the call would be made in; what is allowed for good in one is not in a wider one. */
  readonly access: string | undefined;
  readonly askedAt: Date;
}

/** The owner's word: this once, or for the rest of this run. */
export type ApprovalAnswer = 'allow' | 'deny' | 'always-tool' | 'always-call';

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
  readonly settle: (allowed: boolean, why: string) => void;
}

const EXPIRE_MS = 10 * 60_000;
const MAX_WAITING = 100;

/**
 * Where calls wait for the owner's word. Whoever shows them (the terminal, the local page) listens to `onChange` and
 * answers with the request's id; the first answer wins. What was allowed for good is allowed for this run of the
 * program: for one tool, or for exactly this call in this folder, never by the beginning of a command.
 */
export class ApprovalDesk {
  readonly policy: ApprovalPolicy;
  readonly #options: ApprovalDeskOptions;
  readonly #waiting = new Map<string, Waiting>();
  readonly #allowedTools = new Set<string>();
  readonly #allowedCalls = new Set<string>();
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
   * @throws {CodedError} DENIED; the signal's reason when the call is cancelled meanwhile
   */
  ask(
    call: Omit<ApprovalRequest, 'id' | 'askedAt'>,
    args: unknown,
    signal: AbortSignal,
    askUser?: (question: string) => Promise<boolean>,
  ): Promise<void> {
    const callKey = JSON.stringify([call.access ?? null, call.tool, call.folder, args]);
    if (this.#allowedTools.has(toolKey(call)) || this.#allowedCalls.has(callKey)) return Promise.resolve();
    if (this.#waiting.size >= (this.#options.maxWaiting ?? MAX_WAITING)) {
      return Promise.reject(denied('Too many calls wait for approval already'));
    }
    const request = { ...call, id: randomBytes(6).toString('hex'), askedAt: new Date() };
    return new Promise((resolve, reject) => {
      const expiry = setTimeout(
        () => settle(false, 'Nobody answered within ten minutes'),
        this.#options.expireMs ?? EXPIRE_MS,
      );
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
      this.#waiting.set(request.id, { request, callKey, settle });
      this.#changed();
      askUser?.(`Allow ${call.tool} in ${call.folder}?\n${call.subject}`).then(
        (agreed) => this.answer(request.id, agreed ? 'allow' : 'deny'),
        () => {}, // the client cannot show the question after all; the terminal or the page still can
      );
    });
  }

  /** Settles a request. @returns false when it is not waiting any more: somebody else was first */
  answer(id: string, answer: ApprovalAnswer): boolean {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return false;
    if (answer === 'always-tool') this.#allowedTools.add(toolKey(waiting.request));
    if (answer === 'always-call') this.#allowedCalls.add(waiting.callKey);
    waiting.settle(answer !== 'deny', 'The owner denied it');
    // What the answer covers besides need not be asked again.
    for (const other of [...this.#waiting.values()]) {
      if (this.#allowedTools.has(toolKey(other.request)) || this.#allowedCalls.has(other.callKey))
        other.settle(true, '');
    }
    return true;
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

function toolKey({ access, tool }: Pick<ApprovalRequest, 'access' | 'tool'>): string {
  return `${access ?? ''} ${tool}`;
}

function denied(why: string): CodedError {
  return new CodedError(
    'DENIED',
    `${why}: the call was not made.`,
    'Ask the user what they want instead; do not try the same in another way.',
  );
}
