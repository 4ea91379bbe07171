import type { RequestLine } from '../../http/request-log.ts';
import type { McpEndpoint, McpRequestSummary } from '../../mcp/http.ts';
import type { Log } from '../../runtime/log.ts';
import { type Answer, acknowledgement, errorAnswer, internalErrorAnswer } from './answer-payload.ts';
import type { Command } from './commands.ts';
import { exchange } from './mcp-exchange.ts';

export interface RunOptions {
  readonly mcp: McpEndpoint;
  readonly log: Log;
  /** Aborted when the tunnel ends for good. */
  readonly signal: AbortSignal;
  readonly onNotification: (notification: Answer) => void;
  readonly onRequest: ((line: RequestLine) => void) | undefined;
}

/** The longest delay of a timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Does what a command asks for.
 * @returns its final answer; undefined when its time was over before there was one, or for a command of another type
 */
export async function runCommand(command: Command, options: RunOptions): Promise<Answer | undefined> {
  if (command.channel.toLowerCase() !== 'main') {
    return errorAnswer(command, 400, { code: -32603, message: `There is no channel "${command.channel}".` });
  }
  if (command.type === 'session_termination') return acknowledgement(command, 204);
  const startedMs = performance.now();
  const summary: McpRequestSummary = {};
  const over = deadlineSignal(command, options.signal);
  let answer: Answer | undefined;
  try {
    const { mcp, onNotification } = options;
    const work = exchange(command, { mcp, summary, signal: over.signal, onNotification });
    answer = await Promise.race([work, over.passed]);
  } catch (error) {
    options.log.error(`openai tunnel: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
    answer = internalErrorAnswer(command);
  } finally {
    over.clear();
  }
  options.onRequest?.({
    ...summary,
    httpMethod: 'TUNNEL',
    path: 'openai',
    // What a gateway would say: the time was over.
    status: answer?.status ?? 504,
    durationMs: performance.now() - startedMs,
  });
  return answer;
}

/** A signal that is aborted when the command's time is over or the tunnel ends. */
function deadlineSignal(command: Command, ended: AbortSignal) {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const arm = () => {
    if (command.deadlineMs === undefined) return;
    const leftMs = command.deadlineMs - performance.now();
    if (leftMs > 0) timer = setTimeout(arm, Math.min(leftMs, MAX_TIMER_MS));
    else controller.abort(new DOMException('The time of this request is over.', 'AbortError'));
  };
  const onEnded = () => controller.abort(ended.reason);
  arm();
  ended.addEventListener('abort', onEnded, { once: true });
  if (ended.aborted) onEnded();
  return {
    signal: controller.signal,
    passed: new Promise<undefined>((resolve) => {
      controller.signal.addEventListener('abort', () => resolve(undefined), { once: true });
    }),
    clear() {
      clearTimeout(timer);
      ended.removeEventListener('abort', onEnded);
    },
  };
}
