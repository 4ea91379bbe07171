import { PlainAnswer } from '../mcp/plain-answer.ts';

/** Of an event stream no more than this is collected; results are at most 256 KiB. */
const MAX_COLLECTED = 8 * 1024 * 1024;

/**
 * The same answer without streaming, for a way that collects streams before it passes them on: of an event stream the
 * JSON-RPC response alone, as JSON. Notifications on the way are lost, which the protocol allows.
 */
export async function asPlainJson(answer: PlainAnswer | Response): Promise<PlainAnswer | Response> {
  const type =
    answer instanceof PlainAnswer ? answer.headers['content-type'] : answer.headers.get('content-type');
  if (!type?.startsWith('text/event-stream')) return answer;
  const response = answer instanceof PlainAnswer ? answer.toResponse() : answer;
  const message = await lastResponse(response);
  const headers: Record<string, string> = {};
  const sessionId = response.headers.get('mcp-session-id');
  if (sessionId !== null) headers['mcp-session-id'] = sessionId;
  return message === undefined
    ? PlainAnswer.json('{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"No answer."}}', {
        status: 500,
      })
    : PlainAnswer.json(message, { headers });
}

/** The data of the last event that is a JSON-RPC response. */
async function lastResponse(response: Response): Promise<string | undefined> {
  let found: string | undefined;
  let rest = '';
  const take = (event: string) => {
    const data = event
      .split('\n')
      .flatMap((line) => (line.startsWith('data:') ? [line.slice(5).replace(/^ /, '')] : []))
      .join('\n');
    if (isResponse(data)) found = data;
  };
  if (response.body === null) return undefined;
  const decoder = new TextDecoder();
  for await (const chunk of response.body) {
    rest += decoder.decode(chunk, { stream: true }).replaceAll('\r\n', '\n');
    const events = rest.split('\n\n');
    rest = events.pop() ?? '';
    for (const event of events) take(event);
    if (rest.length > MAX_COLLECTED) return undefined;
  }
  take(rest);
  return found;
}

function isResponse(data: string): boolean {
  if (data === '') return false;
  try {
    const message: unknown = JSON.parse(data);
    return typeof message === 'object' && message !== null && ('result' in message || 'error' in message);
  } catch {
    return false;
  }
}
