import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export const CLIENT_ID = 'Iv1.test';
export const CLIENT_SECRET = 'secret-of-the-oauth-app';

/** GitHub's web site and API, as far as signing in needs them: the real paths, parameters and answers. */
export interface GitHubStandIn {
  readonly url: string;
  /** Who presses "Authorize" next. */
  user: { id: number; login: string };
  /** Answers every request with 500 while true. */
  broken: boolean;
  close(): Promise<void>;
}

export async function startGitHub(): Promise<GitHubStandIn> {
  const codes = new Map<string, { id: number; login: string; challenge: string; redirectUri: string }>();
  const tokens = new Map<string, { id: number; login: string }>();
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://github.test');
    const answer = (status: number, body: unknown, headers: Record<string, string> = {}) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(body));
    };
    if (standIn.broken) return answer(500, {});
    if (request.method === 'GET' && url.pathname === '/login/oauth/authorize') {
      const query = url.searchParams;
      if (query.get('client_id') !== CLIENT_ID || query.get('code_challenge_method') !== 'S256') {
        return answer(400, {});
      }
      const code = randomBytes(10).toString('hex');
      const redirectUri = query.get('redirect_uri') ?? '';
      codes.set(code, { ...standIn.user, challenge: query.get('code_challenge') ?? '', redirectUri });
      const location = new URL(redirectUri);
      location.searchParams.set('code', code);
      location.searchParams.set('state', query.get('state') ?? '');
      return answer(302, {}, { location: location.href });
    }
    if (request.method === 'POST' && url.pathname === '/login/oauth/access_token') {
      const form = new URLSearchParams(await text(request));
      const granted = codes.get(form.get('code') ?? '');
      codes.delete(form.get('code') ?? '');
      const challenge = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url');
      const right =
        granted !== undefined &&
        form.get('client_id') === CLIENT_ID &&
        form.get('client_secret') === CLIENT_SECRET &&
        form.get('redirect_uri') === granted.redirectUri &&
        challenge === granted.challenge &&
        request.headers.accept === 'application/json';
      if (!right) return answer(200, { error: 'bad_verification_code', error_description: 'wrong' });
      const token = `gho_${randomBytes(16).toString('hex')}`;
      tokens.set(token, granted);
      return answer(200, { access_token: token, token_type: 'bearer', scope: '' });
    }
    if (request.method === 'GET' && url.pathname === '/user') {
      const user = tokens.get(/^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '');
      if (user === undefined) return answer(401, { message: 'Bad credentials' });
      if (!request.headers['user-agent']) return answer(403, { message: 'Request forbidden' });
      return answer(200, { id: user.id, login: user.login, name: null });
    }
    return answer(404, {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a listening TCP server has one
  const standIn: GitHubStandIn = {
    url: `http://127.0.0.1:${port}`,
    user: { id: 1, login: 'alice' },
    broken: false,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return standIn;
}
