import { addAbortSignal, Readable } from 'node:stream';
import type { McpEndpoint, McpRequestSummary } from '../../mcp/http.ts';
import type { PlainAnswer } from '../../mcp/plain-answer.ts';
import { type Answer, acknowledgement } from './answer-payload.ts';
import type { Command } from './commands.ts';
import { eventData } from './event-stream.ts';
import { ExactNumber } from './exact-numbers.ts';

/** Never resolved: requests stay in this process. */
const ENDPOINT = 'http://local-coder.invalid/mcp';
/** Headers that belong to the connection or that are set here. */
const NOT_PASSED_ON =
  /^(host|connection|keep-alive|transfer-encoding|te|trailer|upgrade|expect|proxy-.*|content-.*|accept.*|cookie|authorization|origin)$/i;
/** Headers of an MCP answer that go back (contract, "Structured MCP errors"). */
const PASSED_BACK = [
  'Content-Type',
  'Mcp-Session-Id',
  'Mcp-Protocol-Version',
  'Last-Event-ID',
  'Access-Control-Expose-Headers',
  'WWW-Authenticate',
];
/** Stands in for an id that JavaScript's numbers cannot hold. */
const SUBSTITUTE_ID = 'local-coder-exact-id';

export interface ExchangeOptions {
  readonly mcp: McpEndpoint;
  readonly summary: McpRequestSummary;
  /** Aborted when nobody will take the answer. */
  readonly signal: AbortSignal;
  /** Told every message that comes before the answer itself. */
  readonly onNotification: (notification: Answer) => void;
}

/**
 * Hands a JSON-RPC command to the MCP endpoint of this process as the HTTP request that it stands for.
 * @returns the final answer; undefined when the endpoint gave none, which the signal's abort brings about
 */
export async function exchange(command: Command, options: ExchangeOptions): Promise<Answer | undefined> {
  const message = command.jsonrpc ?? {};
  const exactId = message['id'] instanceof ExactNumber ? message['id'] : undefined;
  const text = JSON.stringify(exactId === undefined ? message : { ...message, id: SUBSTITUTE_ID });
  const request = new Request(ENDPOINT, {
    method: 'POST',
    headers: requestHeaders(command, text),
    body: text,
    signal: options.signal,
  });
  const answer = await options.mcp.fetch(request, options.summary, undefined, {
    answerByMs: command.deadlineMs,
  });
  const { status, headers, body } = answer instanceof Response ? answer : plain(answer, options.signal);
  const final = (json: string): Answer => ({
    type: 'jsonrpc_response',
    status,
    headers: { ...answerHeaders(headers), 'Content-Type': ['application/json'] },
    json: exactId === undefined ? json : withId(json, exactId),
  });
  if (headers.get('content-type')?.startsWith('text/event-stream') && body !== null) {
    for await (const data of eventData(body)) {
      if (data === '') continue;
      const { method, id } = JSON.parse(data) as { method?: unknown; id?: unknown };
      if (method === undefined) return final(data);
      // A request of the server's own would wait for an answer that has no way back.
      if (id === undefined) options.onNotification(notification(data));
    }
    return undefined;
  }
  const json = body === null ? '' : await textOf(body);
  return json.startsWith('{') && 'id' in message ? final(json) : acknowledgement(command, status);
}

interface PlainParts {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: AsyncIterable<Uint8Array> | null;
}

/** The parts of an answer that was never a Response. The signal ends its stream, as a closed connection would. */
function plain({ status, headers, body }: PlainAnswer, signal: AbortSignal): PlainParts {
  if (body instanceof Readable) addAbortSignal(signal, body);
  return {
    status,
    headers: { get: (name) => headers[name.toLowerCase()] ?? null },
    body: typeof body === 'string' ? onlyChunk(body) : (body ?? null),
  };
}

async function* onlyChunk(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function notification(json: string): Answer {
  return {
    type: 'jsonrpc_notify',
    status: 200,
    headers: { 'Content-Type': ['application/json'] },
    json,
  };
}

function requestHeaders(command: Command, body: string): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(command.headers)) {
    if (NOT_PASSED_ON.test(name)) continue;
    for (const value of values) {
      try {
        headers.append(name, value);
      } catch {
        // not a header that HTTP could carry
      }
    }
  }
  for (const [name, value] of Object.entries(impliedHeaders(command.jsonrpc ?? {}))) {
    if (value !== undefined && !headers.has(name)) headers.set(name, value);
  }
  headers.set('content-type', 'application/json');
  headers.set('accept', 'application/json, text/event-stream');
  headers.set('content-length', String(Buffer.byteLength(body)));
  return headers;
}

/**
 * 2026-07-28 wants some facts of the message in headers too. Those that did not come through the tunnel are taken
 * from the message: there is no middle box in this process that could have been told anything else.
 */
function impliedHeaders(message: Readonly<Record<string, unknown>>): Record<string, string | undefined> {
  const params = asObject(message['params']);
  const version = asObject(params['_meta'])['io.modelcontextprotocol/protocolVersion'];
  if (typeof version !== 'string') return {};
  const { method } = message;
  return {
    'mcp-protocol-version': visible(version),
    'mcp-method': visible(method),
    'mcp-name': method === 'tools/call' ? visible(params['name']) : undefined,
  };
}

function answerHeaders(headers: PlainParts['headers']): Record<string, readonly string[]> {
  const passed: Record<string, readonly string[]> = {};
  for (const name of PASSED_BACK) {
    const value = headers.get(name);
    if (value !== null && value !== '') passed[name] = [value];
  }
  return passed;
}

function withId(json: string, id: ExactNumber): string {
  const message = JSON.parse(json) as Record<string, unknown>;
  return JSON.stringify(message['id'] === SUBSTITUTE_ID ? { ...message, id } : message);
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function visible(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value) ? value : undefined;
}
