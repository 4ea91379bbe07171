import type { ToolView } from '../widgets/index.ts';
import type { CallRecord } from './call.ts';
import type { RunningCalls } from './cancellation.ts';
import { capabilitiesOf } from './capabilities.ts';
import { conversationKey, mintSessionId } from './conversation.ts';
import { isModern, isObject, type Json, SERVER_INFO } from './json-rpc.ts';
import { PlainAnswer } from './plain-answer.ts';
import { promptAnswer } from './prompt-answer.ts';
import type { ServedTools } from './registry.ts';

const REVISIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;

export interface Requests2025Options {
  readonly registry: ServedTools;
  readonly instructions: () => Promise<string>;
  readonly running: RunningCalls;
}

/** What else the transport knows of a request. */
export interface RequestContext2025 {
  readonly sessionId: string | undefined;
  readonly client: string | undefined;
  /** Aborted when the client has closed the connection. */
  readonly closed: AbortSignal;
  readonly answerByMs: number | undefined;
  readonly onRecord: (record: CallRecord) => void;
}

type RequestId = string | number;

/** An everyday request of the 2025 era, taken apart. */
type Everyday =
  | { readonly method: 'notification' | 'ping' | 'tools/list'; readonly id: RequestId | undefined }
  | { readonly method: 'initialize'; readonly id: RequestId; readonly params: Initialize }
  | { readonly method: 'tools/call'; readonly id: RequestId; readonly params: CallParams };

interface RequestHeaders {
  get(name: string): string | null;
}

/** Whether createRequests2025 answers this message. */
export function isEveryday2025(message: Json, headers: RequestHeaders): boolean {
  return everyday(message, headers) !== undefined;
}

/**
 * The everyday requests of the 2025 era, answered without the SDK: initialize, ping, tools/list, tools/call,
 * notifications, and those for the view where there is one. A server of the SDK per request doubles the cost of a small
 * call, leaves some 100 KB to the garbage collector at each tools/list, and loading the SDK is half of the start-up
 * time. Anything out of the ordinary gives undefined and is left to the SDK, which knows every rule.
 */
export function createRequests2025(options: Requests2025Options) {
  return (
    message: Json,
    headers: RequestHeaders,
    context: RequestContext2025,
  ): Promise<PlainAnswer> | undefined => {
    const request = everyday(message, headers);
    switch (request?.method) {
      case undefined:
        return options.registry.view && viewAnswer(options.registry.view, message, headers);
      case 'notification':
        return Promise.resolve(new PlainAnswer(202, {}));
      case 'initialize':
        return initialize(options, request.id, request.params);
      case 'ping':
        return Promise.resolve(PlainAnswer.json(resultOf(request.id, '{}')));
      case 'tools/list':
        return Promise.resolve(
          PlainAnswer.json(resultOf(request.id, `{"tools":${options.registry.listJson()}}`)),
        );
      case 'tools/call':
        return callTool(options, request.id, request.params, context);
    }
  };
}

function everyday(message: Json, headers: RequestHeaders): Everyday | undefined {
  if (message['jsonrpc'] !== '2.0' || isModern(message) || !isOrdinary(headers)) return undefined;
  const { id, method, params = {} } = message;
  if (typeof method !== 'string' || !isObject(params)) return undefined;
  if (id === undefined) {
    return method.startsWith('notifications/') ? { method: 'notification', id } : undefined;
  }
  if (!isRequestId(id)) return undefined;
  switch (method) {
    case 'initialize':
      return isInitialize(params) ? { method, id, params } : undefined;
    case 'ping':
    case 'tools/list':
      return { method, id };
    case 'tools/call':
      return isToolCall(params) ? { method, id, params } : undefined;
    default:
      return undefined;
  }
}

/** The revision, when one is named, is one of ours, and the client accepts both forms of an answer, as it must. */
function isOrdinary(headers: RequestHeaders): boolean {
  const revision = headers.get('mcp-protocol-version');
  if (revision !== null && !(REVISIONS as readonly string[]).includes(revision)) return false;
  const accept = headers.get('accept') ?? '*/*';
  return (
    accept.includes('*/*') || (accept.includes('application/json') && accept.includes('text/event-stream'))
  );
}

interface Initialize {
  readonly protocolVersion: string;
  readonly clientInfo: { readonly name: string; readonly version: string };
}

function isInitialize(params: Json): params is Json & Initialize {
  const { protocolVersion, capabilities, clientInfo } = params;
  if (typeof protocolVersion !== 'string' || !isObject(capabilities) || !isObject(clientInfo)) return false;
  return typeof clientInfo['name'] === 'string' && typeof clientInfo['version'] === 'string';
}

async function initialize(
  options: Requests2025Options,
  id: RequestId,
  params: Initialize,
): Promise<PlainAnswer> {
  const asked = REVISIONS.find((revision) => revision === params.protocolVersion);
  const result = {
    protocolVersion: asked ?? REVISIONS[0],
    capabilities: capabilitiesOf(options.registry),
    serverInfo: SERVER_INFO,
    instructions: await options.instructions(),
  };
  return PlainAnswer.json(resultOf(id, JSON.stringify(result)), {
    headers: { 'mcp-session-id': mintSessionId(params.clientInfo) },
  });
}

interface CallParams {
  readonly name: string;
  readonly arguments?: Json;
  readonly _meta?: Json;
}

function isToolCall(params: Json): params is Json & CallParams {
  const { name, arguments: args, _meta: meta } = params;
  return (
    typeof name === 'string' &&
    (args === undefined || isObject(args)) &&
    (meta === undefined || isObject(meta))
  );
}

function callTool(
  options: Requests2025Options,
  id: string | number,
  params: CallParams,
  { sessionId, client, closed, answerByMs, onRecord }: RequestContext2025,
): Promise<PlainAnswer> {
  return promptAnswer(async (notify) => {
    const token = params._meta?.['progressToken'];
    let progress = 0;
    const report = (message: string) => {
      // Any other kind of token is nobody's, and a notification with it would not be valid.
      if (typeof token !== 'string' && typeof token !== 'number') return;
      const update = { progressToken: token, progress: ++progress, message };
      notify({ jsonrpc: '2.0', method: 'notifications/progress', params: update });
    };
    const result = await options.running.run(sessionId, id, (cancelled) =>
      options.registry.call({
        name: params.name,
        arguments: params.arguments,
        cancelled,
        abandoned: closed,
        conversation: conversationKey(params._meta, sessionId),
        client,
        answerByMs,
        progress: report,
        onRecord,
      }),
    );
    return { jsonrpc: '2.0', id, result };
  });
}

/**
 * What a host asks once to show results (`--widgets`). It comes by the usual way for requests: everyday.ts does not know
 * of it, so that without a view these requests are nothing but unknown to it.
 */
function viewAnswer(
  view: ToolView,
  message: Json,
  headers: RequestHeaders,
): Promise<PlainAnswer> | undefined {
  if (message['jsonrpc'] !== '2.0' || isModern(message) || !isOrdinary(headers)) return undefined;
  const { id, method, params = {} } = message;
  if (!isRequestId(id) || !isObject(params)) return undefined;
  const answer = async (result: unknown) => PlainAnswer.json(resultOf(id, JSON.stringify(await result)));
  switch (method) {
    case 'resources/list':
      return answer({ resources: [view.resource] });
    case 'resources/templates/list':
      return answer({ resourceTemplates: [] });
    case 'resources/read':
      return params['uri'] === view.resource.uri ? answer(view.read()) : undefined;
    default:
      return undefined;
  }
}

function isRequestId(id: unknown): id is RequestId {
  return typeof id === 'string' || (typeof id === 'number' && Number.isSafeInteger(id));
}

function resultOf(id: unknown, resultJson: string): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${resultJson}}`;
}
