import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface TestProxy {
  readonly url: string;
  /** `CONNECT host:port` or `GET http://…`, in their order, with the credentials that came along. */
  readonly requests: { line: string; authorization: string | undefined }[];
  /** Answers every request with this status instead of doing it. */
  refuseWith: number | undefined;
  stop(): Promise<void>;
}

/** A forward proxy that leads every name to loopback. */
export async function startProxy(tls?: { key: string; cert: string }): Promise<TestProxy> {
  const sockets = new Set<Socket>();
  const server = tls === undefined ? createServer() : createSecureServer(tls);
  const requests: TestProxy['requests'] = [];
  const note = ({ method, url, headers }: IncomingMessage) =>
    requests.push({ line: `${method} ${url}`, authorization: headers['proxy-authorization'] });
  const proxy = {
    requests,
    refuseWith: undefined as number | undefined,
    url: '',
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  server.on('connect', (request: IncomingMessage, client: Socket) => {
    note(request);
    if (proxy.refuseWith !== undefined) return client.end(`HTTP/1.1 ${proxy.refuseWith} No\r\n\r\n`);
    const upstream = connect(Number(request.url?.split(':').at(-1)), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => [client, upstream].map((end) => end.destroy()));
    }
    return undefined;
  });
  server.on('request', (request, response) => {
    note(request);
    if (proxy.refuseWith !== undefined) return response.writeHead(proxy.refuseWith).end();
    const url = new URL(request.url ?? '');
    const forwarded = httpRequest(
      { host: '127.0.0.1', port: url.port, path: url.pathname, method: request.method },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    return request.pipe(forwarded);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  proxy.url = tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`;
  return proxy;
}
