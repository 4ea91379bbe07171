import type { CallRecord } from './call.ts';
import { RunningCalls } from './cancellation.ts';
import { clientOfSessionId, conversationKey } from './conversation.ts';
import { EverydayRequest } from './everyday-request.ts';
import { isModern, isObject, type Json, jsonRpcError } from './json-rpc.ts';
import { MAX_BODY_BYTES } from './limits.ts';
import { PlainAnswer } from './plain-answer.ts';
import type { ServedTools } from './registry.ts';
import { createRequests2025 } from './requests-2025.ts';
import type { SdkHandler } from './sdk-handler.ts';

export interface McpEndpointOptions {
  readonly registry: ServedTools;
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

/** What a transport allows for one request beyond the usual bounds. */
export interface McpRequestLimits {
  /** Milliseconds (performance.now()) after which nobody takes the answer any more, where there is such a time. */
  readonly answerByMs?: number | undefined;
}

export interface McpEndpoint {
  /**
   * Answers one HTTP request; never throws.
   * @param summary filled in for the request log
   * @param onCall called when the request's tool call has ended, which may be long after the headers left
   */
  fetch(
    request: Request,
    summary: McpRequestSummary,
    onCall?: () => void,
    limits?: McpRequestLimits,
  ): Promise<PlainAnswer | Response>;
  close(): Promise<void>;
}

/**
 * MCP over Streamable HTTP, stateless: every request stands for itself, whatever its revision. A session id, ours or
 * anybody's, is answered alike; it only names a conversation.
 */
export function createMcpEndpoint(options: McpEndpointOptions): McpEndpoint {
  const { registry, instructions } = options;
  const running = new RunningCalls();
  const answer2025 = createRequests2025({ registry, instructions, running });
  let sdk: Promise<SdkHandler> | undefined;
  const loadSdk = async () => (await import('./sdk-handler.ts')).createSdkHandler(registry, options.onError);

  return {
    async fetch(request, summary, onCall, limits) {
      if (request.method !== 'POST') return methodNotAllowed();
      const body = request instanceof EverydayRequest ? request.message : await readJson(request);
      if (body instanceof PlainAnswer) return body;
      const message = isObject(body) ? body : undefined;
      const sessionId = request.headers.get('mcp-session-id') ?? undefined;
      describe(summary, message, request, sessionId);
      if (message?.['method'] === 'notifications/cancelled') {
        running.cancel(sessionId, isObject(message['params']) ? message['params']['requestId'] : undefined);
      }
      const closed = request.signal;
      const onRecord = (record: CallRecord) => {
        summary.call = record;
        onCall?.();
      };
      const answered =
        message &&
        answer2025(message, request.headers, {
          sessionId,
          client: summary.client,
          closed,
          answerByMs: limits?.answerByMs,
          onRecord,
        });
      if (answered !== undefined) return answered;

      sdk ??= loadSdk();
      return (await sdk).fetch(request, body, message?.['method'] === 'tools/call', {
        conversation: (meta) => conversationKey(meta, sessionId),
        withSignals: isModern(message)
          ? (sdkSignal, _requestId, work) => work({ cancelled: sdkSignal, abandoned: sdkSignal })
          : (sdkSignal, requestId, work) =>
              running.run(sessionId, requestId, (cancelled) => work({ cancelled, abandoned: sdkSignal })),
        client: () => summary.client,
        answerByMs: limits?.answerByMs,
        onRecord,
        instructions: carriesInstructions(message) ? await instructions() : undefined,
      });
    },

    async close() {
      await (await sdk)?.close();
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

/** The parsed body, or the answer (a PlainAnswer) to a body that cannot be parsed. */
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

function tooLarge(): PlainAnswer {
  return jsonRpcError(
    413,
    -32000,
    `The request body is too large; at most ${MAX_BODY_BYTES} bytes are read.`,
  );
}

function methodNotAllowed(): PlainAnswer {
  return jsonRpcError(
    405,
    -32000,
    'Method not allowed: this MCP endpoint is stateless. Send JSON-RPC messages with POST; there is no stream to GET and no session to DELETE.',
    { allow: 'POST' },
  );
}
