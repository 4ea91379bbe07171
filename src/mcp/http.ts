import type { McpHttpHandler } from '@modelcontextprotocol/server';
import type { CallRecord } from './call.ts';
import { RunningCalls } from './cancellation.ts';
import { clientOfSessionId, conversationKey, mintSessionId } from './conversation.ts';
import { KEEP_ALIVE_MS, MAX_BODY_BYTES } from './limits.ts';
import { promptAnswer } from './prompt-answer.ts';
import type { ToolRegistry } from './registry.ts';
import type { RequestFacts } from './server.ts';
import { isModern, isObject, type Json, type ToolCall2025, toolCall2025 } from './tool-call-2025.ts';

export interface McpEndpointOptions {
  readonly registry: ToolRegistry;
  /** Server instructions, fresh for every connect. */
  readonly instructions: () => Promise<string>;
  readonly onError: (error: Error) => void;
}

/** What one request was, for the request log. */
export interface McpRequestSummary {
  method?: string;
  tool?: string;
  client?: string;
  /** How the tool call ended. */
  call?: CallRecord;
}

export interface McpEndpoint {
  /**
   * Answers one HTTP request; never throws.
   * @param summary filled in for the request log
   * @param onCall called when the request's tool call has ended, which may be long after the headers left
   */
  fetch(request: Request, summary: McpRequestSummary, onCall?: () => void): Promise<Response>;
  /** Loads what the first request will need. */
  warmUp(): Promise<void>;
  close(): Promise<void>;
}

/**
 * MCP over Streamable HTTP, stateless: the 2026-07-28 revision and every 2025-era client from one factory, a fresh
 * server per request. A session id, ours or anybody's, is answered alike; it only names a conversation.
 */
export function createMcpEndpoint(options: McpEndpointOptions): McpEndpoint {
  const running = new RunningCalls();
  const facts = new WeakMap<Request, RequestFacts>();
  let handlers: Promise<{ plain: McpHttpHandler; streaming: McpHttpHandler }> | undefined;

  // The SDK is most of the start-up time: it is loaded by the first request, or by `warm up` right after listening.
  const load = async () => {
    const [{ createMcpHandler }, { createServer }] = await Promise.all([
      import('@modelcontextprotocol/server'),
      import('./server.ts'),
    ]);
    const handler = (responseMode: 'auto' | 'sse') =>
      createMcpHandler(
        ({ requestInfo }) => {
          const known = requestInfo && facts.get(requestInfo);
          if (known === undefined) throw new Error('a request reached the MCP handler without its facts');
          return createServer(options.registry, known);
        },
        {
          responseMode,
          keepAliveMs: KEEP_ALIVE_MS,
          maxRequestBodySize: MAX_BODY_BYTES,
          onerror: options.onError,
        },
      );
    // A 2026-07-28 tool call is always streamed: the headers leave at once, however long the tool takes.
    return { plain: handler('auto'), streaming: handler('sse') };
  };

  const answerCall = (
    call: ToolCall2025,
    sessionId: string | undefined,
    closed: AbortSignal,
    onRecord: (record: CallRecord) => void,
  ) =>
    promptAnswer(async (notify) => {
      const token = call.meta?.['progressToken'];
      let progress = 0;
      const report = (message: string) => {
        if (token === undefined) return;
        const params = { progressToken: token, progress: ++progress, message };
        notify({ jsonrpc: '2.0', method: 'notifications/progress', params });
      };
      const result = await running.run(sessionId, call.id, (cancelled) =>
        options.registry.call({
          name: call.name,
          arguments: call.arguments,
          cancelled,
          abandoned: closed,
          conversation: conversationKey(call.meta, sessionId),
          progress: report,
          onRecord,
        }),
      );
      return { jsonrpc: '2.0', id: call.id, result };
    });

  return {
    async fetch(request, summary, onCall) {
      if (request.method !== 'POST') return methodNotAllowed();
      const body = await readJson(request);
      if (body instanceof Response) return body;
      const message = isObject(body) ? body : undefined;
      const sessionId = request.headers.get('mcp-session-id') ?? undefined;
      const isCall = message?.['method'] === 'tools/call';
      describe(summary, message, request, sessionId);
      if (message?.['method'] === 'notifications/cancelled') {
        running.cancel(sessionId, isObject(message['params']) ? message['params']['requestId'] : undefined);
      }
      const onRecord = (record: CallRecord) => {
        summary.call = record;
        onCall?.();
      };
      const call = message === undefined ? undefined : toolCall2025(message, request.headers);
      if (call !== undefined) return answerCall(call, sessionId, request.signal, onRecord);

      handlers ??= load();
      const { plain, streaming } = await handlers;
      const accepted = withAccept(request);
      facts.set(accepted, {
        conversation: (meta) => conversationKey(meta, sessionId),
        withSignals: isModern(message)
          ? (closed, _requestId, work) => work({ cancelled: closed, abandoned: closed })
          : (closed, requestId, work) =>
              running.run(sessionId, requestId, (cancelled) => work({ cancelled, abandoned: closed })),
        onRecord,
        instructions: carriesInstructions(message) ? await options.instructions() : undefined,
      });
      const response = await (isCall ? streaming : plain).fetch(accepted, { parsedBody: body });
      return message?.['method'] === 'initialize' && response.ok
        ? withSessionId(response, message)
        : response;
    },

    async warmUp() {
      handlers ??= load();
      await handlers;
      options.registry.list();
    },

    async close() {
      if (handlers === undefined) return;
      const { plain, streaming } = await handlers;
      await Promise.all([plain.close(), streaming.close()]);
    },
  };
}

function carriesInstructions(message: Json | undefined): boolean {
  return message?.['method'] === 'initialize' || message?.['method'] === 'server/discover';
}

function describe(
  summary: McpRequestSummary,
  message: Json | undefined,
  request: Request,
  sessionId: string | undefined,
): void {
  const params = isObject(message?.['params']) ? message['params'] : undefined;
  if (typeof message?.['method'] === 'string') summary.method = message['method'];
  if (summary.method === 'tools/call' && typeof params?.['name'] === 'string') summary.tool = params['name'];
  const meta = isObject(params?.['_meta']) ? params['_meta'] : undefined;
  const info = params?.['clientInfo'] ?? meta?.['io.modelcontextprotocol/clientInfo'];
  const fromSession = sessionId === undefined ? undefined : clientOfSessionId(sessionId);
  if (isObject(info) && typeof info['name'] === 'string')
    summary.client = `${info['name']} ${String(info['version'] ?? '')}`.trim();
  else if (fromSession !== undefined) summary.client = `${fromSession.name} ${fromSession.version}`;
  else summary.client = request.headers.get('user-agent') ?? 'unknown client';
}

/** The parsed body, or the answer to a body that cannot be parsed. */
async function readJson(request: Request): Promise<unknown> {
  const declared = Number(request.headers.get('content-length') ?? Number.NaN);
  if (declared > MAX_BODY_BYTES) return tooLarge();
  let text: string;
  if (Number.isNaN(declared)) {
    const { readRequestBody } = await import('@modelcontextprotocol/server');
    const read = await readRequestBody(request, MAX_BODY_BYTES);
    if (read.tooLarge) return tooLarge();
    text = read.text;
  } else {
    // The HTTP parser reads no more than the declared length.
    text = await request.text();
  }
  try {
    return JSON.parse(text);
  } catch {
    return jsonRpcError(400, -32700, 'Parse error: the request body is not valid JSON.');
  }
}

function tooLarge(): Response {
  return jsonRpcError(
    413,
    -32000,
    `The request body is too large; at most ${MAX_BODY_BYTES} bytes are read.`,
  );
}

function methodNotAllowed(): Response {
  const response = jsonRpcError(
    405,
    -32000,
    'Method not allowed: this MCP endpoint is stateless. Send JSON-RPC messages with POST; there is no stream to GET and no session to DELETE.',
  );
  response.headers.set('Allow', 'POST');
  return response;
}

export function jsonRpcError(status: number, code: number, message: string): Response {
  return Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status });
}

function withSessionId(response: Response, message: Json): Response {
  const params = isObject(message['params']) ? message['params'] : {};
  const info = isObject(params['clientInfo']) ? params['clientInfo'] : {};
  response.headers.set(
    'Mcp-Session-Id',
    mintSessionId({ name: String(info['name'] ?? ''), version: String(info['version'] ?? '') }),
  );
  return response;
}

/**
 * The protocol wants clients to accept JSON and event streams by name; a client that accepts anything does so too.
 */
function withAccept(request: Request): Request {
  const accept = request.headers.get('accept');
  if (accept !== null && !accept.includes('*/*')) return request;
  const headers = new Headers(request.headers);
  headers.set('accept', 'application/json, text/event-stream');
  return new Request(request.url, { method: request.method, headers, signal: request.signal });
}
