import { lookup } from 'node:dns';
import type { IncomingMessage } from 'node:http';
import type { LookupFunction } from 'node:net';
import { isPublicAddress } from './public-address.ts';

export interface GuardedGetOptions {
  readonly signal: AbortSignal;
  /** Without a byte for this long the request is given up. */
  readonly idleTimeoutMs: number;
  readonly accept?: string;
  /** Which addresses may be connected to. Tests allow loopback; the product keeps the default. */
  readonly allowAddress?: (address: string) => boolean;
  /** Certificates to trust instead of the system's; for tests. */
  readonly ca?: string;
}

/** The name leads to an address that is not on the public internet. */
export class PrivateAddressError extends Error {
  readonly hostname: string;

  constructor(hostname: string) {
    super(`"${hostname}" is not an address on the public internet`);
    this.name = 'PrivateAddressError';
    this.hostname = hostname;
  }
}

/**
 * One GET of an https URL that comes from outside, redirects not followed. Every address that its name resolves to is
 * judged when the connection is made: a name that resolves to a public address now and to a private one a moment later
 * gains nothing.
 * @throws {PrivateAddressError}, the signal's reason, or an Error with what went wrong
 */
export async function guardedGet(url: URL, options: GuardedGetOptions): Promise<IncomingMessage> {
  if (url.protocol !== 'https:') throw new Error('only https addresses are fetched');
  const { request } = await import('node:https');
  const allow = options.allowAddress ?? isPublicAddress;
  const literal = url.hostname.replace(/^\[|\]$/g, '');
  if (/^[\d.]+$|:/.test(literal) && !allow(literal)) throw new PrivateAddressError(url.hostname);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        lookup: guardedLookup(allow, url.hostname),
        signal: options.signal,
        timeout: options.idleTimeoutMs,
        agent: false,
        headers: { 'user-agent': 'local-coder', accept: options.accept ?? '*/*' },
        ...(options.ca === undefined ? {} : { ca: options.ca }),
      },
      resolve,
    );
    outgoing.once('timeout', () =>
      outgoing.destroy(new Error(`nothing came for ${options.idleTimeoutMs / 1000} seconds`)),
    );
    outgoing.once('error', (error) => reject(options.signal.aborted ? options.signal.reason : error));
    outgoing.end();
  });
}

function guardedLookup(allow: (address: string) => boolean, name: string): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      const [first] = addresses;
      if (first === undefined || !addresses.every(({ address }) => allow(address))) {
        return callback(new PrivateAddressError(name), '', 0);
      }
      if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}
