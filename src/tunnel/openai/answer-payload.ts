import type { Command } from './commands.ts';

export type AnswerType =
  | 'jsonrpc_response'
  | 'jsonrpc_notify'
  | 'notify_ack'
  | 'session_termination_response';

/** What is sent for a command. */
export interface Answer {
  readonly type: AnswerType;
  /** HTTP status of the MCP answer. */
  readonly status: number;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** A JSON object as text, embedded as it is; undefined for acknowledgements. */
  readonly json: string | undefined;
}

/** Bytes of one answer's body; the service has been seen to refuse more than about 10 MiB. */
export const MAX_ANSWER_BYTES = 10 * 1024 * 1024;

/** The body of POST /response (TunnelResponsePayload). The shard token is no part of it. */
export function answerBody(command: Command, answer: Answer): string {
  const head = `{"request_id":${JSON.stringify(command.requestId)},"channel":${JSON.stringify(command.channel)}`;
  const json = answer.json === undefined ? '' : `,"resp_json":${answer.json}`;
  const facts = JSON.stringify({
    resp_headers: answer.headers,
    resp_code: answer.status,
    resp_type: answer.type,
  });
  return `${head}${json},${facts.slice(1)}`;
}

/** A JSON-RPC error of ours, for a request that the MCP endpoint has no answer to. */
export function errorAnswer(
  command: Command,
  status: number,
  error: { readonly code: number; readonly message: string; readonly data?: Record<string, unknown> },
): Answer {
  const id = command.jsonrpc?.['id'];
  if (id === undefined) return acknowledgement(command, status);
  return {
    type: 'jsonrpc_response',
    status,
    headers: { 'Content-Type': ['application/json'] },
    json: JSON.stringify({ jsonrpc: '2.0', id, error }),
  };
}

/** Something in this program failed; provenance as the contract publishes it (x-tunnel-failure-schema). */
export function internalErrorAnswer(command: Command): Answer {
  return errorAnswer(command, 500, {
    code: -32603,
    message: 'Internal error; the server log names it.',
    data: { tunnel_failure: { version: 1, source: 'client_internal', upstream_response_received: false } },
  });
}

export function tooLargeAnswer(command: Command): Answer {
  return errorAnswer(command, 200, {
    code: -32603,
    message:
      'The answer is larger than the tunnel allows. Ask for less: a narrower path, a smaller limit, fewer files.',
  });
}

/** Ends a command that has no JSON answer: a notification, or the end of a session. */
export function acknowledgement(command: Command, status: number): Answer {
  const type = command.type === 'session_termination' ? 'session_termination_response' : 'notify_ack';
  return { type, status, headers: {}, json: undefined };
}
