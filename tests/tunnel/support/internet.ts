/** The internet of these tests: a proxy at which every host name leads to the stand-in that registered for it, over TLS. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';

import { processesWith } from './processes.ts';

const STAND_IN = join(import.meta.dirname, 'stand-in.mjs');
const DOMAINS = ['*.trycloudflare.com', '*.ngrok-free.app', '*.tail0123.ts.net', '*.example.org'];

export interface Internet {
  /** Temporary folder of the test, removed at the end. */
  readonly folder: string;
  readonly ca: string;
  /** What a program needs to be in this internet; `bin` comes first on PATH. */
  readonly env: Readonly<Record<string, string>>;
  readonly bin: string;
  /** Puts stand-ins for programs on PATH. */
  install(...names: string[]): Promise<void>;
  /** Cuts everything off, or connects it again. */
  setConnected(connected: boolean): void;
  close(): Promise<void>;
}

export async function openInternet(): Promise<Internet> {
  const folder = mkdtempSync(join(tmpdir(), 'lc-tunnel-'));
  const bin = join(folder, 'bin');
  const edges = join(folder, 'edges');
  for (const path of [bin, edges]) mkdirSync(path);
  const { key, cert } = makeCertificate(folder);

  const inner = createServer((incoming, outgoing) => {
    const host = String(incoming.headers.host).replace(/:443$/, '');
    let port = 0;
    try {
      port = Number(readFileSync(join(edges, host), 'utf8'));
    } catch {
      return void outgoing.writeHead(530).end('error code: 1033');
    }
    const onward = request(
      { host: '127.0.0.1', port, method: incoming.method, path: incoming.url, headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        outgoing.flushHeaders();
        answer.pipe(outgoing);
      },
    );
    onward.on('error', () => outgoing.writeHead(530).end('error code: 1033'));
    incoming.pipe(onward);
  });
  const secure = createTlsServer({ key, cert }, (socket) => void inner.emit('connection', socket));
  secure.on('tlsClientError', () => {});
  let connected = true;
  const sockets = new Set<import('node:stream').Duplex>();
  const proxy = createServer((_, outgoing) => outgoing.writeHead(405).end());
  proxy.on('connect', (_, socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    if (!connected) return socket.destroy();
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    secure.emit('connection', socket);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo;
  return {
    folder,
    ca: cert,
    bin,
    env: {
      HTTPS_PROXY: `http://127.0.0.1:${port}`,
      NODE_EXTRA_CA_CERTS: join(folder, 'cert.pem'),
      DENO_CERT: join(folder, 'cert.pem'),
      EDGE_DIR: edges,
      PATH: `${bin}:${process.env['PATH']}`,
    },
    async install(...names) {
      for (const name of names) {
        const file = join(bin, name);
        await writeFile(file, `#!/bin/sh\nexec "${process.execPath}" "${STAND_IN}" ${name} "$@"\n`);
        await chmod(file, 0o755);
      }
    },
    setConnected(value) {
      connected = value;
      if (!connected) for (const socket of sockets) socket.destroy();
    },
    async close() {
      // Whatever a failed test left behind; its own folder is in the environment of each.
      for (const { pid } of process.platform === 'linux' ? processesWith(folder) : []) {
        if (pid !== process.pid) process.kill(pid, 'SIGKILL');
      }
      for (const socket of sockets) socket.destroy();
      proxy.close();
      inner.closeAllConnections();
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function makeCertificate(folder: string): { key: string; cert: string } {
  const config = join(folder, 'openssl.cnf');
  writeFileSync(
    config,
    `[req]\ndistinguished_name=n\nx509_extensions=e\nprompt=no\n[n]\nCN=test\n[e]\nbasicConstraints=critical,CA:TRUE\nsubjectAltName=${DOMAINS.map((name) => `DNS:${name}`).join(',')}\n`,
  );
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
    ].concat(['-config', config, '-keyout', keyFile, '-out', certFile]),
    { stdio: 'pipe' },
  );
  return { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8') };
}
