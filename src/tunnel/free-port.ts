import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** A loopback port that is free now; whoever takes it must cope with it being taken meanwhile. */
export async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a listening TCP server has an AddressInfo
  server.close();
  await once(server, 'close');
  return port;
}
