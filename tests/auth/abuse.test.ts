import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  type Answer,
  type AuthServer,
  answerOf,
  authorizeUrl,
  CALLBACK,
  callMcp,
  getCode,
  pkce,
  postForm,
  redeem,
  refresh,
  type SignedIn,
  signIn,
  startAuthServer,
} from './support/auth-server.ts';

const MINUTE = 60_000;

/** What everybody in the table starts from. */
interface Scene {
  readonly server: AuthServer;
  readonly clientId: string;
  readonly challenge: string;
}

type Abuse = readonly [name: string, act: (scene: Scene) => Promise<Answer>, status: number, error: string];

const authorize = (changes: Record<string, string | undefined>, more = '') => {
  return async ({ server, clientId, challenge }: Scene) =>
    answerOf(await fetch(authorizeUrl(server, clientId, challenge, changes) + more, { redirect: 'manual' }));
};

/** Client or redirect URI are wrong: nothing may be redirected anywhere. */
const NOT_REDIRECTED: readonly Abuse[] = [
  ['a client that nobody knows', authorize({ client_id: 'lc_client_unknown' }), 400, 'invalid_client'],
  ['no client', authorize({ client_id: undefined }), 400, 'invalid_request'],
  ['two clients', authorize({}, '&client_id=other'), 400, 'invalid_request'],
  ['a client id over http', authorize({ client_id: 'http://client.example/id.json' }), 400, 'invalid_client'],
  ['a client id that is a file', authorize({ client_id: 'file:///etc/passwd' }), 400, 'invalid_client'],
  ['a client id with SQL', authorize({ client_id: "' OR 1=1 --" }), 400, 'invalid_client'],
  ['no redirect URI', authorize({ redirect_uri: undefined }), 400, 'invalid_request'],
  ['two redirect URIs', authorize({}, '&redirect_uri=https://evil.example/'), 400, 'invalid_request'],
  ['a redirect URI one character off', authorize({ redirect_uri: `${CALLBACK}s` }), 400, 'invalid_request'],
  [
    'a redirect URI one character short',
    authorize({ redirect_uri: CALLBACK.slice(0, -1) }),
    400,
    'invalid_request',
  ],
  ['a redirect URI with a slash', authorize({ redirect_uri: `${CALLBACK}/` }), 400, 'invalid_request'],
  ['a redirect URI with a query', authorize({ redirect_uri: `${CALLBACK}?x=1` }), 400, 'invalid_request'],
  ['a redirect URI with a fragment', authorize({ redirect_uri: `${CALLBACK}#x` }), 400, 'invalid_request'],
  [
    'a redirect URI in capitals',
    authorize({ redirect_uri: 'https://CLIENT.example/callback' }),
    400,
    'invalid_request',
  ],
  [
    'a redirect URI over http',
    authorize({ redirect_uri: 'http://client.example/callback' }),
    400,
    'invalid_request',
  ],
  [
    'a redirect URI with a user name',
    authorize({ redirect_uri: 'https://client.example@evil.example/callback' }),
    400,
    'invalid_request',
  ],
  [
    'a redirect URI with a backslash',
    authorize({ redirect_uri: 'https://evil.example\\@client.example/callback' }),
    400,
    'invalid_request',
  ],
  [
    'a redirect URI with dot segments',
    authorize({ redirect_uri: 'https://client.example/x/../callback' }),
    400,
    'invalid_request',
  ],
  [
    'a redirect URI on another port',
    authorize({ redirect_uri: 'https://client.example:444/callback' }),
    400,
    'invalid_request',
  ],
  [
    'a redirect URI that splits headers',
    authorize({ redirect_uri: `${CALLBACK}\r\nSet-Cookie: a=b` }),
    400,
    'invalid_request',
  ],
  [
    'a redirect URI that is a script',
    authorize({ redirect_uri: 'javascript:alert(1)' }),
    400,
    'invalid_request',
  ],
  [
    'loopback that is not registered',
    authorize({ redirect_uri: 'http://127.0.0.1:9/callback' }),
    400,
    'invalid_request',
  ],
  ['a query without end', authorize({ state: 'x'.repeat(9_000) }), 414, 'invalid_request'],
];

/** Told to the client by redirect, with its state and our issuer. */
const REDIRECTED: readonly Abuse[] = [
  ['no response type', authorize({ response_type: undefined }), 302, 'invalid_request'],
  ['the implicit grant', authorize({ response_type: 'token' }), 302, 'unsupported_response_type'],
  ['a hybrid grant', authorize({ response_type: 'code id_token' }), 302, 'unsupported_response_type'],
  ['an answer in the fragment', authorize({ response_mode: 'fragment' }), 302, 'invalid_request'],
  ['an answer by form', authorize({ response_mode: 'form_post' }), 302, 'invalid_request'],
  [
    'no PKCE',
    authorize({ code_challenge: undefined, code_challenge_method: undefined }),
    302,
    'invalid_request',
  ],
  ['plain PKCE', authorize({ code_challenge_method: 'plain' }), 302, 'invalid_request'],
  [
    'PKCE without a method, which means plain',
    authorize({ code_challenge_method: undefined }),
    302,
    'invalid_request',
  ],
  ['a short challenge', authorize({ code_challenge: 'abc' }), 302, 'invalid_request'],
  ['a challenge that is no base64url', authorize({ code_challenge: '+'.repeat(43) }), 302, 'invalid_request'],
  ['two challenges', authorize({}, `&code_challenge=${'A'.repeat(43)}`), 302, 'invalid_request'],
  ['another resource', authorize({ resource: 'https://other.example/mcp' }), 302, 'invalid_target'],
  [
    'a resource that is the origin only',
    authorize({ resource: 'https://public.example/' }),
    302,
    'invalid_target',
  ],
  [
    'a resource with a fragment',
    authorize({ resource: 'https://public.example/mcp#x' }),
    302,
    'invalid_target',
  ],
  ['a resource that is no URL', authorize({ resource: '*' }), 302, 'invalid_target'],
  ['two resources', authorize({}, '&resource=https://other.example/mcp'), 302, 'invalid_target'],
  [
    'a request object without signature',
    authorize({ request: 'eyJhbGciOiJub25lIn0.e30.' }),
    302,
    'request_not_supported',
  ],
  [
    'a request object from elsewhere',
    authorize({ request_uri: 'https://169.254.169.254/' }),
    302,
    'request_uri_not_supported',
  ],
  ['a scope with a quote', authorize({ scope: 'mcp "x"' }), 302, 'invalid_scope'],
  ['two scopes parameters', authorize({}, '&scope=other'), 302, 'invalid_request'],
  ['a state that is too long', authorize({ state: 's'.repeat(5_000) }), 302, 'invalid_request'],
];

const withCode =
  (changes: Record<string, string>) =>
  async ({ server }: Scene) =>
    redeem(server, await getCode(server), changes);
const token = (fields: Record<string, string>, more = '', headers: Record<string, string> = {}) => {
  return ({ server, clientId }: Scene) =>
    postForm(
      `${server.base}/token`,
      new URLSearchParams(`${new URLSearchParams({ client_id: clientId, ...fields })}${more}`),
      headers,
    );
};
const withTokens = (act: (server: AuthServer, signedIn: SignedIn) => Promise<Answer>) => {
  return async ({ server }: Scene) => act(server, await signIn(server));
};

const AT_THE_TOKEN_ENDPOINT: readonly Abuse[] = [
  ['no verifier', withCode({ code_verifier: '' }), 400, 'invalid_request'],
  ['another verifier', withCode({ code_verifier: pkce().verifier }), 400, 'invalid_grant'],
  ['a short verifier', withCode({ code_verifier: 'short' }), 400, 'invalid_grant'],
  ['another redirect URI', withCode({ redirect_uri: `${CALLBACK}/` }), 400, 'invalid_grant'],
  ['another client', withCode({ client_id: 'lc_client_other' }), 400, 'invalid_grant'],
  ['no client', withCode({ client_id: '' }), 400, 'invalid_request'],
  ['another resource', withCode({ resource: 'https://other.example/mcp' }), 400, 'invalid_target'],
  ['a client secret', withCode({ client_secret: 'guess' }), 401, 'invalid_client'],
  [
    'an assertion with alg none',
    withCode({
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: 'eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0.',
    }),
    401,
    'invalid_client',
  ],
  [
    'Basic',
    token({ grant_type: 'authorization_code' }, '', { authorization: 'Basic eDp5' }),
    401,
    'invalid_client',
  ],
  [
    'a code that was never issued',
    token({ grant_type: 'authorization_code', code: 'lc_code_guess', code_verifier: 'v'.repeat(43) }),
    400,
    'invalid_grant',
  ],
  ['no grant type', token({}), 400, 'invalid_request'],
  [
    'a password',
    token({ grant_type: 'password', username: 'a', password: 'b' }),
    400,
    'unsupported_grant_type',
  ],
  ['client credentials', token({ grant_type: 'client_credentials' }), 400, 'unsupported_grant_type'],
  [
    'token exchange',
    token({ grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange' }),
    400,
    'unsupported_grant_type',
  ],
  [
    'two grant types',
    token({ grant_type: 'refresh_token' }, '&grant_type=authorization_code'),
    400,
    'invalid_request',
  ],
  ['two codes', token({ grant_type: 'authorization_code', code: 'a' }, '&code=b'), 400, 'invalid_request'],
  [
    'a code that comes twice',
    async ({ server }) => {
      const got = await getCode(server);
      await redeem(server, got);
      return redeem(server, got);
    },
    400,
    'invalid_grant',
  ],
  [
    'an expired code',
    async ({ server }) => {
      const got = await getCode(server);
      server.pass(6 * MINUTE);
      return redeem(server, got);
    },
    400,
    'invalid_grant',
  ],
  [
    'a code of an old public URL',
    async ({ server }) => {
      const got = await getCode(server);
      return elsewhere(server, () => redeem(server, got));
    },
    400,
    'invalid_grant',
  ],
  [
    'a refresh token of an old public URL',
    withTokens((server, signedIn) =>
      elsewhere(server, () => refresh(server, signedIn, signedIn.refresh_token)),
    ),
    400,
    'invalid_grant',
  ],
  [
    'a refresh token by another client',
    withTokens((server, { refresh_token }) => refresh(server, { clientId: 'other' }, refresh_token)),
    400,
    'invalid_grant',
  ],
  [
    'an access token as refresh token',
    withTokens((server, signedIn) => refresh(server, signedIn, signedIn.access_token)),
    400,
    'invalid_grant',
  ],
  [
    'a refresh for another resource',
    withTokens((server, signedIn) =>
      refresh(server, signedIn, signedIn.refresh_token, { resource: 'https://other.example/mcp' }),
    ),
    400,
    'invalid_target',
  ],
  [
    'a refresh for more than was granted',
    withTokens((server, signedIn) =>
      refresh(server, signedIn, signedIn.refresh_token, { scope: 'mcp admin' }),
    ),
    400,
    'invalid_scope',
  ],
  [
    'somebody else’s revocation',
    withTokens((server, { refresh_token }) =>
      postForm(`${server.base}/revoke`, { token: refresh_token, client_id: 'other' }),
    ),
    400,
    'invalid_grant',
  ],
  ['a revocation of nothing', ({ server }) => postForm(`${server.base}/revoke`, {}), 400, 'invalid_request'],
  [
    'JSON at the token endpoint',
    async ({ server }) =>
      answerOf(
        await fetch(`${server.base}/token`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{"grant_type":"refresh_token"}',
        }),
      ),
    415,
    'invalid_request',
  ],
  [
    'a huge body',
    token({ grant_type: 'refresh_token', refresh_token: 'x'.repeat(20_000) }),
    413,
    'invalid_request',
  ],
  ['a huge body without a length', ({ server }) => stream(`${server.base}/token`), 413, 'invalid_request'],
  [
    'GET',
    async ({ server }) => answerOf(await fetch(`${server.base}/token?grant_type=x`)),
    405,
    'invalid_request',
  ],
  [
    'PUT',
    async ({ server }) => answerOf(await fetch(`${server.base}/authorize`, { method: 'PUT' })),
    405,
    'invalid_request',
  ],
];

const bearer = (authorization: string, query = '') => {
  return async ({ server }: Scene) =>
    answerOf(await fetch(`${server.base}/mcp${query}`, { method: 'POST', headers: { authorization } }));
};

const WITH_A_BAD_TOKEN: readonly Abuse[] = [
  ['a guess', bearer('Bearer lc_at_guess'), 401, 'invalid_token'],
  [
    'a token without signature',
    bearer('Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJvd25lciJ9.'),
    401,
    'invalid_token',
  ],
  ['nothing', bearer('Bearer '), 401, 'invalid_token'],
  ['another scheme', bearer('Basic b3duZXI6'), 401, 'invalid_token'],
  ['two tokens', bearer('Bearer a, Bearer b'), 401, 'invalid_token'],
  ['a token without end', bearer(`Bearer ${'a'.repeat(8_000)}`), 401, 'invalid_token'],
  [
    'a refresh token',
    withTokens((server, { refresh_token }) => callMcp(server, refresh_token)),
    401,
    'invalid_token',
  ],
  ['a code', async ({ server }) => callMcp(server, (await getCode(server)).code), 401, 'invalid_token'],
  [
    'a token with another case',
    withTokens((server, { access_token }) => callMcp(server, access_token.toUpperCase())),
    401,
    'invalid_token',
  ],
  [
    'a token of an old public URL',
    withTokens((server, { access_token }) => elsewhere(server, () => callMcp(server, access_token))),
    401,
    'invalid_token',
  ],
  [
    'an expired token',
    withTokens((server, { access_token }) => {
      server.pass(61 * MINUTE);
      return callMcp(server, access_token);
    }),
    401,
    'invalid_token',
  ],
];

const registration = (body: unknown, contentType = 'application/json') => {
  return async ({ server }: Scene) => {
    server.pass(11 * MINUTE); // past the limit of registrations
    return answerOf(
      await fetch(`${server.base}/register`, {
        method: 'POST',
        headers: { 'content-type': contentType },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    );
  };
};
const redirects = (...redirect_uris: unknown[]) => registration({ redirect_uris });

const REGISTERING: readonly Abuse[] = [
  ['a script', redirects(CALLBACK, 'javascript:alert(1)'), 400, 'invalid_redirect_uri'],
  ['data', redirects('data:text/html,x'), 400, 'invalid_redirect_uri'],
  ['http elsewhere', redirects('http://client.example/callback'), 400, 'invalid_redirect_uri'],
  ['a private scheme alone', redirects('com.example.app:/cb'), 400, 'invalid_redirect_uri'],
  ['a fragment', redirects(CALLBACK, `${CALLBACK}#x`), 400, 'invalid_redirect_uri'],
  ['a user name', redirects('https://a:b@client.example/cb'), 400, 'invalid_redirect_uri'],
  [
    'a host that looks like loopback',
    redirects('http://127.0.0.1.evil.example/cb'),
    400,
    'invalid_redirect_uri',
  ],
  ['a line end', redirects(`${CALLBACK}\r\nx`), 400, 'invalid_redirect_uri'],
  ['no redirect URI', redirects(), 400, 'invalid_redirect_uri'],
  ['a number', redirects(7), 400, 'invalid_redirect_uri'],
  [
    'too many',
    redirects(...Array.from({ length: 21 }, (_, n) => `${CALLBACK}${n}`)),
    400,
    'invalid_redirect_uri',
  ],
  [
    'another grant',
    registration({ redirect_uris: [CALLBACK], grant_types: ['client_credentials'] }),
    400,
    'invalid_client_metadata',
  ],
  [
    'another response',
    registration({ redirect_uris: [CALLBACK], response_types: ['token'] }),
    400,
    'invalid_client_metadata',
  ],
  ['no JSON', registration('{"redirect_uris": ['), 400, 'invalid_client_metadata'],
  ['an array', registration([]), 400, 'invalid_client_metadata'],
  ['null', registration('null'), 400, 'invalid_client_metadata'],
  [
    'a form',
    registration('redirect_uris=x', 'application/x-www-form-urlencoded'),
    415,
    'invalid_client_metadata',
  ],
  ['a huge body', registration({ redirect_uris: [CALLBACK], x: 'x'.repeat(20_000) }), 413, 'invalid_request'],
];

describe('abuse is refused with the right error and tells nothing', { timeout: 60_000 }, () => {
  let server: AuthServer;
  let scene: Scene;
  const secrets: string[] = [];
  before(async () => {
    server = await startAuthServer({ publicUrl: 'https://public.example' });
    const signedIn = await signIn(server);
    secrets.push(signedIn.access_token, signedIn.refresh_token, signedIn.code, signedIn.verifier);
    scene = { server, clientId: signedIn.clientId, challenge: pkce().challenge };
  });
  after(async () => {
    assert.deepEqual(server.defects, [], 'no abuse reaches a defect');
    await server.close();
  });

  const told = (answer: Answer) => {
    const everything = `${answer.text}\n${[...answer.headers].join('\n')}`;
    for (const secret of [...secrets, ...server.announced.map(({ code }) => code)]) {
      assert.ok(!everything.includes(secret), 'a secret is told');
    }
    assert.doesNotMatch(
      everything,
      /node:|\.ts:\d|SQLITE|state\.db|\bat [A-Za-z.]+ \(/,
      'the inside is told',
    );
    assert.equal(answer.headers.get('set-cookie'), null);
    assert.match(answer.headers.get('cache-control') ?? '', /no-store/);
  };

  for (const [group, abuses] of Object.entries({
    'not redirected': NOT_REDIRECTED,
    'at the token endpoint': AT_THE_TOKEN_ENDPOINT,
    'with a bad token': WITH_A_BAD_TOKEN,
    registering: REGISTERING,
  })) {
    for (const [name, act, status, error] of abuses) {
      test(`${group}: ${name}`, async () => {
        // Each starts with time of its own: the codes of the others do not count.
        server.pass(11 * MINUTE);
        const answer = await act(scene);
        assert.equal(`${answer.status} ${answer.body['error']}`, `${status} ${error}`);
        assert.equal(answer.headers.get('location'), null);
        assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
        told(answer);
        if (group === 'with a bad token') {
          const metadata = 'https://[a-z]+\\.example/\\.well-known/oauth-protected-resource/mcp';
          const challenge = answer.headers.get('www-authenticate') ?? '';
          assert.match(
            challenge,
            new RegExp(`^Bearer resource_metadata="${metadata}", error="invalid_token"$`),
          );
        }
      });
    }
  }
  for (const [name, act, status, error] of REDIRECTED) {
    test(`told to the client: ${name}`, async () => {
      const answer = await act(scene);
      const location = new URL(answer.headers.get('location') ?? 'none:');
      assert.equal(`${answer.status} ${location.searchParams.get('error')}`, `${status} ${error}`);
      assert.equal(location.origin + location.pathname, CALLBACK);
      const state = name.startsWith('a state') ? null : 'state of the client';
      assert.equal(location.searchParams.get('state'), state);
      assert.equal(location.searchParams.get('iss'), 'https://public.example');
      assert.equal(location.searchParams.get('code'), null);
      assert.equal(answer.text, '');
      told(answer);
    });
  }

  test('two states: the client is told, neither state is', async () => {
    const answer = await authorize({}, '&state=other')(scene);
    const location = new URL(answer.headers.get('location') ?? 'none:');
    assert.equal(location.searchParams.get('error'), 'invalid_request');
    assert.equal(location.searchParams.get('state'), null);
  });

  test('a state with line ends comes back encoded, in one header', async () => {
    const answer = await authorize({ state: 'a\r\nSet-Cookie: x=y', response_type: 'token' })(scene);
    assert.match(answer.headers.get('location') ?? '', /state=a%0D%0ASet-Cookie%3A\+x%3Dy/);
    assert.equal(answer.headers.get('set-cookie'), null);
  });

  test('well-known documents that are none answer with a JSON 404', async () => {
    for (const path of [
      'openid-configuration',
      'openid-configuration/mcp',
      'oauth-authorization-server/mcp',
      'oauth-protected-resource/other',
      'jwks.json',
      '..%2f..%2fetc',
    ]) {
      const answer = await answerOf(await fetch(`${server.base}/.well-known/${path}`));
      assert.equal(answer.status, 404, path);
      assert.equal(answer.body['error'], 'not_found');
    }
    const post = await fetch(`${server.base}/.well-known/oauth-authorization-server`, { method: 'POST' });
    assert.equal(post.status, 405);
    assert.equal(post.headers.get('allow'), 'GET, HEAD');
  });

  test('ten redemptions of one code at once: one is served', async () => {
    const got = await getCode(server);
    const answers = await Promise.all(Array.from({ length: 10 }, () => redeem(server, got)));
    const served = answers.filter(({ status }) => status === 200);
    assert.equal(served.length, 1);
    assert.ok(answers.every(({ status, body }) => status === 200 || body['error'] === 'invalid_grant'));
    assert.equal((await callMcp(server, String(served[0]?.body['access_token']))).status, 200);
  });

  test('a code that comes again later ends what it was traded for', async () => {
    const signedIn = await signIn(server);
    server.pass(30_000);
    assert.equal((await redeem(server, signedIn)).body['error'], 'invalid_grant');
    assert.equal((await callMcp(server, signedIn.access_token)).status, 401);
    assert.equal((await refresh(server, signedIn, signedIn.refresh_token)).body['error'], 'invalid_grant');
  });

  test('a wrong verifier does not use the code up, the right one does', async () => {
    const got = await getCode(server);
    assert.equal((await redeem(server, got, { code_verifier: pkce().verifier })).status, 400);
    assert.equal((await redeem(server, got)).status, 200);
  });

  test('a spent refresh token ends everything that was granted', async () => {
    for (const reuse of ['parent', 'sibling'] as const) {
      const signedIn = await signIn(server);
      const first = (await refresh(server, signedIn, signedIn.refresh_token)).body;
      const sibling = (await refresh(server, signedIn, signedIn.refresh_token)).body;
      const next = (await refresh(server, signedIn, String(first['refresh_token']))).body;
      assert.equal((await callMcp(server, String(next['access_token']))).status, 200);
      const spent = reuse === 'parent' ? signedIn.refresh_token : String(sibling['refresh_token']);
      assert.equal((await refresh(server, signedIn, spent)).body['error'], 'invalid_grant', reuse);
      for (const { access_token } of [signedIn, first, sibling, next]) {
        assert.equal((await callMcp(server, String(access_token))).status, 401, reuse);
      }
      const last = await refresh(server, signedIn, String(next['refresh_token']));
      assert.equal(last.body['error'], 'invalid_grant', reuse);
    }
  });

  test('a refresh by another client changes nothing for the right one', async () => {
    const signedIn = await signIn(server);
    await refresh(server, { clientId: 'other' }, signedIn.refresh_token);
    await postForm(`${server.base}/revoke`, { token: signedIn.refresh_token, client_id: 'other' });
    assert.equal((await refresh(server, signedIn, signedIn.refresh_token)).status, 200);
  });

  test('asking for new tokens without end leaves few of them', async () => {
    const signedIn = await signIn(server);
    const got: Answer[] = [];
    for (let n = 0; n < 40; n++) got.push(await refresh(server, signedIn, signedIn.refresh_token));
    assert.ok(got.every(({ status }) => status === 200));
    const alive = await Promise.all(got.map(({ body }) => callMcp(server, String(body['access_token']))));
    assert.equal(alive.filter(({ status }) => status === 200).length, 32);
    assert.equal(alive.at(-1)?.status, 200);
    assert.equal((await refresh(server, signedIn, String(got.at(-1)?.body['refresh_token']))).status, 200);
  });

  test('a token is no token in the query', async () => {
    const { access_token } = await signIn(server);
    const response = await fetch(`${server.base}/mcp?access_token=${access_token}`, { method: 'POST' });
    assert.equal(response.status, 401);
    assert.doesNotMatch(response.headers.get('www-authenticate') ?? '', /error/, 'there was none');
  });

  test('a client that registered under an old public URL is unknown', async () => {
    const answer = await elsewhere(server, () => authorize({})(scene));
    assert.equal(answer.body['error'], 'invalid_client');
  });

  test('what was issued works again when its URL comes back', async () => {
    const { access_token } = await signIn(server);
    assert.equal((await elsewhere(server, () => callMcp(server, access_token))).status, 401);
    assert.equal((await callMcp(server, access_token)).status, 200);
  });
});

describe('registrations are bounded', { timeout: 60_000 }, () => {
  test('by address where it is known', async () => {
    const server = await startAuthServer({
      clientAddress: (request) => request.headers.get('cf-connecting-ip') ?? undefined,
    });
    try {
      const from = async (address: string) => {
        const response = await fetch(`${server.base}/register`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'cf-connecting-ip': address },
          body: JSON.stringify({ redirect_uris: [CALLBACK] }),
        });
        await response.arrayBuffer();
        return response;
      };
      for (let n = 0; n < 10; n++) assert.equal((await from(`2001:db8:0:7::${n}`)).status, 201);
      const refused = await from('2001:db8:0:7:ffff::1');
      assert.equal(refused.status, 429, 'a network counts as one');
      assert.equal(refused.headers.get('retry-after'), '600');
      assert.equal((await from('192.0.2.1')).status, 201, 'others are not held to it');
      server.pass(11 * MINUTE);
      assert.equal((await from('2001:db8:0:7::1')).status, 201);
    } finally {
      await server.close();
    }
  });

  test('in number; unused ones make room after ten minutes and go after a day, used ones stay', async () => {
    const server = await startAuthServer({
      clientAddress: (request) => request.headers.get('x-from') ?? undefined,
    });
    try {
      const signedIn = await signIn(server);
      let address = 0;
      const add = async () => {
        const response = await fetch(`${server.base}/register`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-from': String(address++) },
          body: JSON.stringify({ redirect_uris: [CALLBACK] }),
        });
        return { status: response.status, id: ((await response.json()) as { client_id?: string }).client_id };
      };
      const first = await add();
      server.pass(1); // the oldest, whatever the clock's grain
      for (let n = 1; n < 200; n++) assert.equal((await add()).status, 201);
      assert.equal((await add()).status, 429);
      server.pass(11 * MINUTE);
      assert.equal((await add()).status, 201);
      assert.equal(await server.store.clients.get(first.id ?? '', server.base), undefined, 'made room');
      server.pass(25 * 60 * MINUTE);
      const last = await add();
      assert.equal(last.status, 201);
      assert.ok(await server.store.clients.get(signedIn.clientId, server.base), 'the used one stays');
      const page = await fetch(authorizeUrl(server, signedIn.clientId, pkce().challenge));
      assert.equal(page.status, 200);
      await page.arrayBuffer();
    } finally {
      await server.close();
    }
  });
});

/** Does something while the server has another public URL. */
async function elsewhere<T>(server: AuthServer, act: () => Promise<T>): Promise<T> {
  const before = server.at.publicUrl;
  server.at.publicUrl = 'https://new.example';
  try {
    return await act();
  } finally {
    server.at.publicUrl = before;
  }
}

/** A form that goes on until it is refused. */
async function stream(url: string): Promise<Answer> {
  const body = new ReadableStream({
    pull(controller) {
      controller.enqueue(new TextEncoder().encode('x'.repeat(4_096)));
    },
  });
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return answerOf(await fetch(url, { method: 'POST', headers, body, duplex: 'half' }));
}
