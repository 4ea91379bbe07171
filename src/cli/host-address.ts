import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '::1']);

/** True for a --host that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.has(host);
}

/** How a --host stands in an address; for "all addresses" the first one that others can reach. */
export function addressOf(host: string): string {
  const all = host === '0.0.0.0' || host === '::';
  const own = all
    ? Object.values(networkInterfaces())
        .flat()
        .find((address) => address !== undefined && !address.internal && address.family === 'IPv4')?.address
    : undefined;
  const shown = own ?? host;
  return isIPv6(shown) ? `[${shown}]` : shown;
}
