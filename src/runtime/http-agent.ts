import type { Agent } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Idle connections are closed before the middle boxes of the network forget them. */
const IDLE_MS = 20_000;
const CONNECT_MS = 15_000;

export interface AgentOptions {
  /** Of the URLs that are asked for: `http:` or `https:`. */
  readonly protocol: string;
  readonly proxy: URL | undefined;
  readonly keepAlive: boolean;
  readonly maxConnections: number;
  /** Certificates to trust instead of the system's. */
  readonly ca: string | undefined;
}

/** An agent that, for https, makes connections through the proxy where there is one. */
export async function createAgent({
  protocol,
  proxy,
  keepAlive,
  maxConnections,
  ca,
}: AgentOptions): Promise<Agent> {
  const settings = {
    keepAlive,
    maxSockets: maxConnections,
    timeout: IDLE_MS,
    scheduling: 'lifo',
  } as const;
  const trust = ca === undefined ? {} : { ca };
  if (protocol !== 'https:') {
    const secureProxy = proxy?.protocol === 'https:';
    const { Agent } = secureProxy ? await import('node:https') : await import('node:http');
    return new Agent({ ...settings, ...(secureProxy ? trust : {}) });
  }
  const { Agent } = await import('node:https');
  if (proxy === undefined) return new Agent({ ...settings, ...trust });
  const { connect } = await import('node:tls');
  const proxyUrl = proxy;
  /** Node's own proxy support is younger than the oldest Node 24, and Deno's agents have none. */
  class TunnellingAgent extends Agent {
    override createConnection(
      target: { host?: string | null; port?: string | number | null },
      created?: (error: Error | null, socket: Duplex) => void,
    ): undefined {
      const host = target.host ?? '';
      // The type wants a socket beside the error; callers look at the error first.
      const failed = (error: Error) => created?.(error, undefined as unknown as Duplex);
      openTunnel(proxyUrl, `${host.includes(':') ? `[${host}]` : host}:${target.port}`, ca).then((socket) => {
        const servername = /^[\d.]+$|:/.test(host) ? {} : { servername: host };
        const secure = connect({ socket, ...servername, ...trust, ALPNProtocols: ['http/1.1'] });
        secure.once('error', failed);
        secure.once('secureConnect', () => {
          secure.removeListener('error', failed);
          created?.(null, secure);
        });
      }, failed);
      return undefined;
    }
  }
  return new TunnellingAgent(settings);
}

/** Has a proxy make a tunnel (CONNECT, RFC 9110 section 9.3.6) and gives its end. */
async function openTunnel(proxy: URL, target: string, ca: string | undefined): Promise<Socket> {
  const secureProxy = proxy.protocol === 'https:';
  const { request } = secureProxy ? await import('node:https') : await import('node:http');
  return new Promise<Socket>((resolve, reject) => {
    const connecting = request({
      method: 'CONNECT',
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: proxy.port || (secureProxy ? 443 : 80),
      path: target,
      headers: { host: target, ...proxyAuthorization(proxy) },
      agent: false,
      ...(ca === undefined || !secureProxy ? {} : { ca }),
    });
    const timer = setTimeout(
      () => connecting.destroy(new Error(`the proxy ${proxy.host} did not answer`)),
      CONNECT_MS,
    );
    connecting.once('connect', (answer, socket) => {
      clearTimeout(timer);
      if (answer.statusCode === 200) return resolve(socket);
      socket.destroy();
      reject(new Error(`the proxy ${proxy.host} refused the connection with status ${answer.statusCode}`));
    });
    connecting.once('response', (answer) => {
      clearTimeout(timer);
      answer.destroy();
      reject(new Error(`the proxy ${proxy.host} refused the connection with status ${answer.statusCode}`));
    });
    connecting.once('error', (error) => {
      clearTimeout(timer);
      reject(new Error(`the proxy ${proxy.host} cannot be used: ${describeNetworkError(error)}`));
    });
    connecting.end();
  });
}

/** The header with which a proxy's own user and password are sent. */
export function proxyAuthorization({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` };
}

/** What went wrong with a connection, in words; never empty. */
export function describeNetworkError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A name with several addresses fails with one error per address and no message of its own.
  const errors = error instanceof AggregateError ? error.errors : [];
  const first: unknown = errors[0];
  return error.message || (first instanceof Error ? first.message : error.name);
}

/** True for an error of making a connection: nothing was sent over it. When in doubt, false. */
export function isConnectError(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isConnectError);
  if (!(error instanceof Error)) return false;
  const { syscall, code = '' } = error as NodeJS.ErrnoException;
  return (
    syscall === 'connect' ||
    syscall === 'getaddrinfo' ||
    // A certificate that is not trusted or not for this name.
    /CERT|SELF_SIGNED|^UNABLE_TO_|^ERR_TLS_/.test(code)
  );
}
