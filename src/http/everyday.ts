import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EverydayRequest } from '../mcp/everyday-request.ts';
import { isObject } from '../mcp/json-rpc.ts';
import { PlainAnswer } from '../mcp/plain-answer.ts';
import { isEveryday2025 } from '../mcp/requests-2025.ts';

/** Bodies up to this size are read before the guard and the authentication have looked at the request. */
const MAX_EVERYDAY_BYTES = 256 * 1024;
/** All of them at once: past this a request goes the other way, on which strangers are refused before their bodies are read. */
const MAX_EVERYDAY_BYTES_AT_ONCE = 8 * 1024 * 1024;

let bytesUnderWay = 0;

/** The Hono app's `fetch`. What it answers may be a PlainAnswer (see `forHono`). */
export type Fetch = (request: Request) => Response | Promise<Response>;

/** Hands a PlainAnswer to Hono, which passes on what a handler returns and looks at its status alone. */
export function forHono(answer: PlainAnswer | Response): Response {
  return answer as Response;
}

/**
 * Answers a request without the Web API when it is one of those that every client sends: MCP of the 2025 era, its GET
 * and DELETE, /health, and what an open page asks for. They go through the same routes as all others; only what carries them there is lighter.
 * @returns false when it is none; the body, when it was read, is then in `incoming.rawBody` for @hono/node-server
 */
export async function answerEveryday(
  fetch: Fetch,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<boolean> {
  const { method = '', headers } = incoming;
  if (!isEverydayRoute(method, incoming.url ?? '') || headers.origin !== undefined) return false;
  let message: unknown;
  if (method === 'POST') {
    const lengthBytes = Number(headers['content-length']);
    if (!(lengthBytes <= MAX_EVERYDAY_BYTES)) return false;
    if (bytesUnderWay + lengthBytes > MAX_EVERYDAY_BYTES_AT_ONCE) return false;
    bytesUnderWay += lengthBytes;
    const body = await bodyOf(incoming);
    bytesUnderWay -= lengthBytes;
    if (body === undefined) return true; // the client went away while it was sending
    message = parsed(body);
    const get = (name: string) => oneHeader(headers[name]);
    if (!isObject(message) || !isEveryday2025(message, { get })) {
      Object.assign(incoming, { rawBody: body });
      return false;
    }
  }
  const request = new EverydayRequest({
    method,
    // The guard has the last word on the Host; here it only completes the address.
    url: `http://localhost${incoming.url}`,
    headers,
    message,
    closed: () => closedSignal(outgoing),
  });
  // The routes use of a Request what an EverydayRequest has.
  await send(await fetch(request as unknown as Request), outgoing);
  return true;
}

function isEverydayRoute(method: string, url: string): boolean {
  if (url === '/mcp' || url === '/') return method === 'POST' || method === 'GET' || method === 'DELETE';
  return method === 'GET' && (url === '/health' || url.startsWith('/page/'));
}

function oneHeader(value: string | string[] | undefined): string | null {
  return value === undefined ? null : String(value);
}

function bodyOf(incoming: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.once('end', () => resolve(Buffer.concat(chunks)));
    incoming.once('close', () => resolve(undefined)); // after "end" it changes nothing
    incoming.once('error', () => resolve(undefined));
  });
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

/** Aborted when the connection closes before the answer has left. */
function closedSignal(outgoing: ServerResponse): AbortSignal {
  const controller = new AbortController();
  const close = () => {
    if (!outgoing.writableFinished) controller.abort();
  };
  if (outgoing.closed) close();
  else outgoing.once('close', close);
  return controller.signal;
}

async function send(answer: Response | PlainAnswer, outgoing: ServerResponse): Promise<void> {
  const { status } = answer;
  const headers = answer instanceof PlainAnswer ? answer.headers : Object.fromEntries(answer.headers);
  const { body } = answer;
  if (typeof body === 'string') {
    outgoing.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
  } else if (!body) {
    outgoing.writeHead(status, headers).end();
  } else {
    outgoing.writeHead(status, headers);
    outgoing.flushHeaders();
    const stream = body instanceof Readable ? body : Readable.fromWeb(body as never); // Node's own type of it
    // A client that goes away ends the stream; there is nobody to tell.
    await pipeline(stream, outgoing).catch(() => {});
  }
}
