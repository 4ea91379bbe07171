const LOOPBACK_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]']);
const MAX_LENGTH = 2_048;

/**
 * What a redirect URI may be: https, or http to this machine's loopback (RFC 8252 section 7.3, OAuth 2.1 section
 * 2.3.1, and the rule of MCP). No fragment, no user name, nothing that could end a header or leave an attribute.
 */
export function isAllowedRedirectUri(uri: unknown): uri is string {
  if (typeof uri !== 'string' || uri.length > MAX_LENGTH || !/^https?:\/\/[\x21-\x7e]+$/i.test(uri)) {
    return false;
  }
  if (/["<>\\^`{|}#]/.test(uri)) return false;
  const url = URL.parse(uri);
  if (url === null || url.username !== '' || url.password !== '' || /^[a-z]+:\/\/[^/?]*@/i.test(uri))
    return false;
  return url.protocol === 'https:' || isLoopback(url);
}

/**
 * True when a request's redirect URI is a registered one: character by character, except that a native client
 * gets its loopback port from the system (RFC 8252 section 7.3).
 */
export function isRegistered(uri: string, registered: readonly string[]): boolean {
  if (!isAllowedRedirectUri(uri)) return false;
  return registered.some(
    (known) => known === uri || (isAllowedRedirectUri(known) && sameButPort(uri, known)),
  );
}

/** The host that an answer goes to, as people are shown it; with the port where it is not the scheme's own. */
export function redirectHost(uri: string): string {
  return new URL(uri).host;
}

export function isLoopbackRedirect(uri: string): boolean {
  return isLoopback(new URL(uri));
}

function isLoopback(url: URL): boolean {
  return url.protocol === 'http:' && LOOPBACK_HOSTS.has(url.hostname);
}

function sameButPort(uri: string, known: string): boolean {
  const [a, b] = [new URL(uri), new URL(known)];
  return isLoopback(a) && isLoopback(b) && withoutPort(uri) === withoutPort(known);
}

/** The text before any normalization, so that everything but the port is still compared character by character. */
function withoutPort(uri: string): string {
  return uri.replace(/^(http:\/\/(?:\[[^\]]*\]|[^:/?]*))(?::\d*)?/i, '$1');
}
