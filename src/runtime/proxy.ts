import { BlockList, isIP } from 'node:net';

/** A proxy setting that cannot be used; the message names the variable, never its value (it may hold a password). */
export class ProxySettingError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ProxySettingError';
  }
}

/**
 * The proxy through which a URL is reached by the usual variables: HTTPS_PROXY or HTTP_PROXY by the URL's own scheme,
 * ALL_PROXY for both, NO_PROXY for exceptions; each in lower case too, which wins. Loopback is never proxied: no proxy
 * can reach this machine's own loopback.
 * @throws {ProxySettingError} for a value that is no http or https URL
 */
export function proxyFor(url: URL, env: NodeJS.ProcessEnv): URL | undefined {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (isLoopback(host)) return undefined;
  const names = url.protocol === 'https:' ? ['https_proxy', 'all_proxy'] : ['http_proxy', 'all_proxy'];
  for (const name of names.flatMap((lower) => [lower, lower.toUpperCase()])) {
    const value = env[name];
    if (!value) continue;
    const port = url.port || (url.protocol === 'https:' ? '443' : '80');
    return isExcepted(host, port, env['no_proxy'] ?? env['NO_PROXY'] ?? '')
      ? undefined
      : parseProxy(name, value);
  }
  return undefined;
}

function parseProxy(name: string, value: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  const proxy = URL.canParse(text) ? new URL(text) : undefined;
  if (proxy?.hostname && (proxy.protocol === 'http:' || proxy.protocol === 'https:')) return proxy;
  throw new ProxySettingError(
    `${name} in the environment is not the address of an http:// or https:// proxy${
      proxy?.protocol.startsWith('socks') ? ' (SOCKS proxies cannot be used)' : ''
    }.`,
  );
}

function isLoopback(host: string): boolean {
  return (
    host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127(\.\d+){3}$/.test(host)
  );
}

/** NO_PROXY: `*`, names (with their subdomains), `.domain`, `host:port`, addresses and address ranges (CIDR). */
function isExcepted(host: string, port: string, noProxy: string): boolean {
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => entry !== '' && (entry === '*' || matches(entry, host, port)));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry.includes('/')) return isInRange(entry, host);
  const withPort = /^(.*[^:]):(\d+)$/.exec(entry);
  if (withPort !== null && isIP(entry) === 0) {
    return withPort[2] === port && matches(withPort[1] ?? '', host, port);
  }
  const name = entry.replace(/^\[|\]$/g, '').replace(/^\*?\./, '');
  return host === name || (isIP(name) === 0 && host.endsWith(`.${name}`));
}

function isInRange(range: string, host: string): boolean {
  const [network = '', bits = ''] = range.split('/');
  const family = isIP(host);
  const prefix = Number(bits);
  if (family === 0 || isIP(network) !== family || !/^\d+$/.test(bits) || prefix > (family === 4 ? 32 : 128)) {
    return false;
  }
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(network, prefix, type);
  return list.check(host, type);
}
