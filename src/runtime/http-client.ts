import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { systemCode } from './errors.ts';
import { createAgent, describeNetworkError, isConnectError, proxyAuthorization } from './http-agent.ts';
import { isDeno } from './platform.ts';
import { proxyFor } from './proxy.ts';

export interface HttpClientOptions {
  /** Where HTTP_PROXY and its siblings are read. */
  readonly env: NodeJS.ProcessEnv;
  /** Connections at once; further requests wait for one. */
  readonly maxConnections: number;
  /** Certificates to trust instead of the system's; for tests. */
  readonly ca?: string | undefined;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Must not arrive twice, whatever happens to the connection. */
  readonly onlyOnce?: boolean | undefined;
  /** Gives the request up as long as no answer has begun; one that has begun is read to its end. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the answer's headers. */
  readonly headersTimeoutMs: number;
  /** Milliseconds from the headers to the end of the body. */
  readonly bodyTimeoutMs: number;
  /** A longer body is an error. */
  readonly maxBodyBytes: number;
  /** Takes the body as it comes; it is not collected then, and the answer's is empty. */
  readonly onData?: ((chunk: Buffer) => void) | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** performance.now() when the headers came. */
  readonly headersAtMs: number;
  readonly body: string;
}

/** A request without a whole answer. */
export class HttpFailure extends Error {
  /** Nothing of it was sent, so that it cannot have had an effect. */
  readonly unsent: boolean;
  /** The answer's body is over the bound. */
  readonly tooLarge: boolean;

  constructor(message: string, facts: { unsent: boolean; tooLarge?: boolean }) {
    super(message);
    this.name = 'HttpFailure';
    this.unsent = facts.unsent;
    this.tooLarge = facts.tooLarge ?? false;
  }
}

export interface HttpClient {
  /**
   * One request, redirects not followed: its headers may hold a credential that is for nobody else.
   * @throws {HttpFailure}; {ProxySettingError} for a proxy variable that cannot be used; the signal's reason
   */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** Closes every connection; requests under way fail. */
  close(): void;
}

/** Makes requests over connections that are kept open, through the environment's proxy where there is one. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const agents = new Map<string, Promise<Agent>>();
  return {
    async send(request) {
      request.signal?.throwIfAborted();
      const proxy = proxyFor(request.url, options.env);
      // When a kept connection breaks, Deno sends the request again by itself, a POST too (measured with 2.9).
      const keepAlive = !(isDeno && request.onlyOnce);
      const key = `${keepAlive} ${request.url.protocol} ${proxy?.href ?? ''}`;
      let agent = agents.get(key);
      if (agent === undefined) {
        agent = createAgent({
          protocol: request.url.protocol,
          proxy,
          keepAlive,
          maxConnections: options.maxConnections,
          ca: options.ca,
        });
        agents.set(key, agent);
      }
      return exchange(request, await agent, proxy);
    },
    close() {
      for (const agent of agents.values()) void agent.then((made) => made.destroy());
      agents.clear();
    },
  };
}

async function exchange(request: HttpRequest, agent: Agent, proxy: URL | undefined): Promise<HttpAnswer> {
  const { url } = request;
  // Over http a proxy is asked for the whole URL; over https the agent has it make a tunnel.
  const viaProxy = url.protocol === 'http:' && proxy !== undefined;
  const target = viaProxy ? proxy : url;
  const isTls = target.protocol === 'https:';
  const start = (isTls ? await import('node:https') : await import('node:http')).request;
  return new Promise((resolve, reject) => {
    let socket: Socket | undefined;
    let answered = false;
    let timer: NodeJS.Timeout | undefined;
    const outgoing: ClientRequest = start({
      agent,
      method: request.method,
      host: target.hostname.replace(/^\[|\]$/g, ''),
      port: target.port || (isTls ? 443 : 80),
      path: viaProxy ? url.href : url.pathname + url.search,
      headers: {
        host: url.host,
        ...(viaProxy ? proxyAuthorization(proxy) : {}),
        ...(request.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(request.body)) }),
        ...request.headers,
      },
    });
    const fail = (reason: unknown) => {
      done();
      outgoing.destroy();
      reject(reason);
    };
    const failure = (error: unknown) => {
      const unsent = !answered && (socket === undefined || socket.connecting || isConnectError(error));
      fail(new HttpFailure(describeNetworkError(error), { unsent, tooLarge: error instanceof BodyTooLarge }));
    };
    const onAbort = () => fail(request.signal?.reason);
    const done = () => {
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', onAbort);
    };
    const limit = (timeoutMs: number, message: string) => {
      clearTimeout(timer);
      timer = setTimeout(() => failure(new Error(message)), timeoutMs);
    };

    limit(request.headersTimeoutMs, `no answer within ${request.headersTimeoutMs / 1000} s`);
    request.signal?.addEventListener('abort', onAbort, { once: true });
    outgoing.once('socket', (given) => (socket = given));
    outgoing.on('error', failure);
    outgoing.once('response', (response) => {
      const headersAtMs = performance.now();
      answered = true;
      request.signal?.removeEventListener('abort', onAbort);
      limit(request.bodyTimeoutMs, `the answer did not end within ${request.bodyTimeoutMs / 1000} s`);
      readBody(response, request.maxBodyBytes, request.onData).then((body) => {
        done();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, headersAtMs, body });
      }, failure);
    });
    outgoing.end(request.body);
  });
}

class BodyTooLarge extends Error {}

function readBody(
  response: IncomingMessage,
  maxBytes: number,
  onData: ((chunk: Buffer) => void) | undefined,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) reject(new BodyTooLarge(`the answer is larger than ${maxBytes} bytes`));
      else if (onData === undefined) chunks.push(chunk);
      else onData(chunk);
    });
    response.once('end', () => {
      if (response.complete) resolve(Buffer.concat(chunks).toString('utf8'));
      else reject(new Error('the connection was closed within the answer'));
    });
    const closed = () => reject(new Error('the connection was closed within the answer'));
    // Node's own word for that is "aborted".
    response.once('error', (error) => (systemCode(error) === 'ECONNRESET' ? closed() : reject(error)));
    response.once('close', closed);
  });
}
