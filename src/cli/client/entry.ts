import { EXIT, UsageError } from '../../config/usage-error.ts';
import { isLoopback } from '../host-address.ts';
import type { OwnCommand } from '../own-command.ts';
import { type Client, type Entry, KEYS_OF_KIND } from './clients.ts';

/** The entry of a server that the client starts itself. @throws {UsageError} for what the client would misread */
export function stdioEntry(client: Client, own: OwnCommand, options: readonly string[]): Entry {
  const entry: Entry = {
    ...(client.typed && { type: 'stdio' as const }),
    command: own.command,
    args: [...own.args, '--stdio', ...options],
  };
  const odd = client.variables ? [entry.command, ...(entry.args ?? [])].find(hasVariable) : undefined;
  if (odd !== undefined) {
    throw new UsageError(
      `${client.label} would take \${…} in "${odd}" for a variable. Rename the folder, or make a link to it without a dollar sign.`,
      EXIT.failed,
    );
  }
  return entry;
}

function hasVariable(text: string | undefined): boolean {
  return text?.includes('${') === true;
}

/**
 * The entry of a server that is reached at an address.
 * @throws {UsageError} for an address that is none, or that holds a secret: these files are read by many, and committed
 */
export function httpEntry(client: Client, address: string): Entry {
  if (client.noHttp !== undefined) throw new UsageError(client.noHttp);
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(
      `--http is "${address}", but it must be the address that local-coder prints, such as http://127.0.0.1:3000/mcp.`,
    );
  }
  if (/^\/mcp\/./.test(url.pathname) || url.username || url.password || url.search || url.hash) {
    throw new UsageError(
      'The address of --http holds a secret, which does not belong into a configuration file. Give the address that ends in /mcp, and let the server ask for OAuth (--auth oauth).',
    );
  }
  if (url.pathname !== '/mcp') {
    throw new UsageError(`--http is "${address}", but the address of local-coder ends in /mcp.`);
  }
  if (hasVariable(address)) throw new UsageError('--http holds a variable; give the address itself.');
  return { ...(client.typed && { type: 'http' as const }), url: url.href };
}

/** What to say of an address that others could read on its way. */
export function addressWarnings({ url }: Entry): string[] {
  if (url === undefined) return [];
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !isLoopback(hostname.replace(/^\[|\]$/g, ''))
    ? [`${url} is not encrypted: what passes can be read in the network.`]
    : [];
}

/** Keys that a present entry of the other kind has and that would contradict the new one. */
export function contradicting(entry: Entry): readonly string[] {
  const isStdio = entry.command !== undefined;
  return [...KEYS_OF_KIND[isStdio ? 'http' : 'stdio'], ...(entry.type === undefined ? ['type'] : [])];
}

/**
 * True for an entry of the usual name, or one that starts local-coder, under whatever name: the executable may be
 * renamed, so what its options begin with (stdioEntry) counts as well. An address alone says nothing of who answers there.
 */
export function isOurs(name: string, value: unknown): boolean {
  if (name === 'local-coder') return true;
  if (typeof value !== 'object' || value === null) return false;
  const { command, args } = value as { command?: unknown; args?: unknown };
  const words = [command, ...(Array.isArray(args) ? args : [])].filter((word) => typeof word === 'string');
  const stdio = words.indexOf('--stdio');
  if (stdio === -1) return false;
  return (
    words[stdio + 1] === '--workspace' ||
    words.some((word) => /local-coder|[\\/]src[\\/]main\.ts$/.test(word))
  );
}
