import { createHttpClient, type HttpClient } from './http-client.ts';
import { LOOPBACK_HOST } from './release.ts';

const MAX_REDIRECTS = 5;
const HEADERS_MS = 30_000;
const BODY_MS = 15 * 60_000;
const STALL_MS = 60_000;

/** The server answered, with something else than the file. */
export class HttpStatusError extends Error {
  readonly status: number;

  constructor(host: string, status: number) {
    super(`${host} answered with status ${status}`);
    this.name = 'HttpStatusError';
    this.status = status;
  }
}

export interface DownloadOptions {
  /** Where proxy variables are read. */
  readonly env: NodeJS.ProcessEnv;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** Milliseconds without a byte after which it is given up; a minute by itself. */
  readonly stallMs?: number;
  /** Called for every piece with the bytes that have come so far. */
  readonly onBytes?: (bytes: number) => void;
}

/**
 * Downloads a file into memory, redirects followed but never away from https, through the environment's proxy where
 * there is one.
 * @throws the signal's reason, {HttpStatusError}, or an Error with what went wrong
 */
export async function download(url: URL, options: DownloadOptions): Promise<Buffer> {
  const client = createHttpClient({ env: options.env, maxConnections: 1 });
  const { stallMs = STALL_MS } = options;
  let stalled = false;
  const stall = setTimeout(() => {
    stalled = true;
    client.close();
  }, stallMs);
  const onBytes = (bytes: number) => {
    stall.refresh();
    options.onBytes?.(bytes);
  };
  const onAbort = () => client.close();
  options.signal.addEventListener('abort', onAbort, { once: true });
  try {
    let at = url;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const answer = await get(client, at, { ...options, onBytes });
      if (Buffer.isBuffer(answer)) return answer;
      if (!mayLead(at, answer)) throw new Error(`${at.host} leads away from https`);
      at = answer;
    }
    throw new Error(`${url.host} redirects more than ${MAX_REDIRECTS} times`);
  } catch (error) {
    options.signal.throwIfAborted();
    throw stalled ? new Error(`${url.host} sent nothing for ${stallMs / 1000} s`) : error;
  } finally {
    clearTimeout(stall);
    options.signal.removeEventListener('abort', onAbort);
    client.close();
  }
}

/** To https always; what began on this machine without it stays on this machine. */
function mayLead(from: URL, to: URL): boolean {
  if (to.protocol === 'https:') return true;
  return from.protocol === 'http:' && to.protocol === 'http:' && LOOPBACK_HOST.test(to.hostname);
}

/** @returns the body, or where a redirect leads */
async function get(client: HttpClient, url: URL, options: DownloadOptions): Promise<Buffer | URL> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const answer = await client.send({
    method: 'GET',
    url,
    headers: { 'user-agent': 'local-coder', accept: '*/*' },
    signal: options.signal,
    headersTimeoutMs: HEADERS_MS,
    bodyTimeoutMs: BODY_MS,
    maxBodyBytes: options.maxBytes,
    onData: (chunk) => {
      chunks.push(chunk);
      bytes += chunk.length;
      options.onBytes?.(bytes);
    },
  });
  const { location } = answer.headers;
  if (answer.status >= 300 && answer.status < 400 && location !== undefined) return new URL(location, url);
  if (answer.status !== 200) throw new HttpStatusError(url.host, answer.status);
  return Buffer.concat(chunks);
}
