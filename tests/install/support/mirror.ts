/** A mirror of releases on loopback, whose files and faults a test decides. */
import { createHash, type KeyObject, sign } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What is answered for a path: its bytes; half of them and then a cut connection; some of them and then nothing. */
export type Answer =
  | Buffer
  | { readonly cut: Buffer }
  | { readonly hang: Buffer }
  | { readonly status: number; readonly location?: string };

export interface Mirror {
  /** The value of LOCAL_CODER_BASE_URL. */
  readonly url: string;
  /** Path below the base → answer. */
  readonly files: Map<string, Answer>;
  /** Paths in the order in which they were asked for. */
  readonly asked: string[];
  /** Resolves when a path of `hang` is asked for the next time and its first bytes are sent. */
  hanging(): Promise<void>;
  stop(): Promise<void>;
}

export async function startMirror(): Promise<Mirror> {
  const files = new Map<string, Answer>();
  const asked: string[] = [];
  const waiting: (() => void)[] = [];
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace('/releases/', '');
    asked.push(path);
    answer(response, files.get(path), () => {
      for (const go of waiting.splice(0)) go();
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/releases`,
    files,
    asked,
    hanging: () => new Promise((resolve) => waiting.push(resolve)),
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(response: ServerResponse, what: Answer | undefined, onHang: () => void): void {
  if (what === undefined) return void response.writeHead(404).end('not here');
  if (Buffer.isBuffer(what)) return void response.writeHead(200, { 'content-length': what.length }).end(what);
  if ('status' in what) {
    const headers = what.location === undefined ? {} : { location: what.location };
    return void response.writeHead(what.status, headers).end();
  }
  const bytes = 'cut' in what ? what.cut : what.hang;
  response.writeHead(200, { 'content-length': bytes.length });
  response.write(bytes.subarray(0, bytes.length >> 1), () => {
    if ('cut' in what) response.destroy();
    else onHang();
  });
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The text of SHA256SUMS for files of a release. */
export function sumsOf(files: Readonly<Record<string, Buffer>>): Buffer {
  const lines = Object.entries(files)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`);
  return Buffer.from(lines.join(''));
}

/** The text of SHA256SUMS.sig. */
export function signatureOf(sums: Buffer, key: KeyObject): Buffer {
  return Buffer.from(`${sign(null, sums, key).toString('base64')}\n`);
}
