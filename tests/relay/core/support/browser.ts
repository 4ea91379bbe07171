import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';

/** A browser without a screen: keeps cookies by host, follows redirects, sends forms. */
export class TestBrowser {
  readonly #cookies = new Map<string, Map<string, string>>();

  async open(url: string, init: RequestInit = {}): Promise<{ url: string; status: number; html: string }> {
    let at = url;
    let request = init;
    for (let hop = 0; hop < 10; hop++) {
      const { host, origin } = new URL(at);
      const jar = this.#cookies.get(host) ?? new Map<string, string>();
      this.#cookies.set(host, jar);
      const headers = new Headers(request.headers);
      headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '));
      if (request.method === 'POST' && !headers.has('origin')) headers.set('origin', origin);
      const response = await fetch(at, { ...request, headers, redirect: 'manual' });
      for (const line of response.headers.getSetCookie()) {
        const [pair = ''] = line.split(';');
        const [name = '', value = ''] = pair.split(/=(.*)/s);
        if (value === '') jar.delete(name);
        else jar.set(name, value);
      }
      const location = response.headers.get('location');
      const html = await response.text();
      if (location === null) return { url: at, status: response.status, html };
      at = new URL(location, at).href;
      if (!/^http:\/\/(127\.0\.0\.1|localhost)/.test(at)) return { url: at, status: response.status, html };
      request = {};
    }
    throw new Error(`more than ten redirects from ${url}`);
  }

  send(url: string, fields: Record<string, string>, headers: Record<string, string> = {}) {
    return this.open(url, { method: 'POST', body: new URLSearchParams(fields), headers });
  }
}

/** The value of the hidden field of a page's (first) form. */
export function sealedField(html: string): string {
  const value = /name="request" value="([^"]+)"/.exec(html)?.[1];
  assert.ok(value, `a form with a hidden field in: ${html.slice(0, 2_000)}`);
  return value;
}

const REDIRECT_URI = 'http://127.0.0.1:9/callback';

/**
 * What a client does to be let in: registers, sends the browser to /authorize, trades the code.
 * @param signedIn a browser that is signed in, or that the consent page can send through a sign-in without questions
 */
export async function connectClient(
  relayUrl: string,
  signedIn: TestBrowser,
  access: 'read-only' | 'full' = 'read-only',
): Promise<{ token: string; refreshToken: string; clientId: string; consent: string }> {
  const registered = await fetch(`${relayUrl}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_name: 'Test client', redirect_uris: [REDIRECT_URI] }),
  });
  assert.equal(registered.status, 201, await registered.clone().text());
  const { client_id: clientId } = (await registered.json()) as { client_id: string };
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: REDIRECT_URI,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    state: 'xyz',
    resource: `${relayUrl}/mcp`,
  });
  const consent = await signedIn.open(`${relayUrl}/authorize?${query}`);
  assert.equal(consent.status, 200, consent.html);
  const allowed = await signedIn.send(`${relayUrl}/authorize`, {
    request: sealedField(consent.html),
    access,
    decision: 'allow',
  });
  const location = /<a class="button" href="([^"]+)"/.exec(allowed.html)?.[1]?.replaceAll('&amp;', '&');
  assert.ok(location, allowed.html);
  const code = new URL(location).searchParams.get('code');
  const answer = await fetch(`${relayUrl}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: clientId,
      code: code ?? '',
      code_verifier: verifier,
      redirect_uri: REDIRECT_URI,
      resource: `${relayUrl}/mcp`,
    }),
  });
  const tokens = (await answer.json()) as { access_token: string; refresh_token: string };
  assert.equal(answer.status, 200, JSON.stringify(tokens));
  return { token: tokens.access_token, refreshToken: tokens.refresh_token, clientId, consent: consent.html };
}
