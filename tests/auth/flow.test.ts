import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  type AuthServer,
  authorizeUrl,
  Browser,
  CALLBACK,
  callMcp,
  codeFor,
  consent,
  getCode,
  pkce,
  postForm,
  redeem,
  refresh,
  registerClient,
  signIn,
  startAuthServer,
  type Tokens,
} from './support/auth-server.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

describe('signing in', { timeout: 60_000 }, () => {
  let server: AuthServer;
  before(async () => {
    server = await startAuthServer();
  });
  after(async () => {
    assert.deepEqual(server.defects, []);
    await server.close();
  });

  test('a client without a browser walks the whole way', async () => {
    const refused = await callMcp(server, undefined);
    assert.equal(refused.status, 401);
    const metadataUrl = `${server.base}/.well-known/oauth-protected-resource/mcp`;
    assert.equal(refused.headers.get('www-authenticate'), `Bearer resource_metadata="${metadataUrl}"`);

    const resource = (await (await fetch(metadataUrl)).json()) as Record<string, unknown>;
    assert.equal(resource['resource'], `${server.base}/mcp`);
    assert.deepEqual(resource['authorization_servers'], [server.base]);
    const root = await fetch(`${server.base}/.well-known/oauth-protected-resource`);
    assert.deepEqual(await root.json(), resource);
    const metadata = (await (
      await fetch(`${server.base}/.well-known/oauth-authorization-server`)
    ).json()) as Record<string, unknown>;
    assert.equal(metadata['issuer'], server.base);
    assert.deepEqual(metadata['code_challenge_methods_supported'], ['S256']);
    assert.deepEqual(metadata['token_endpoint_auth_methods_supported'], ['none']);
    assert.equal(metadata['authorization_response_iss_parameter_supported'], true);
    assert.equal(metadata['client_id_metadata_document_supported'], true);

    const clientId = await registerClient(server);
    const { verifier, challenge } = pkce();
    const told = await consent(server, authorizeUrl(server, clientId, challenge));
    assert.equal(told.get('state'), 'state of the client');
    assert.equal(told.get('iss'), server.base);
    const tokens = await redeem(server, { clientId, code: told.get('code') ?? '', verifier });
    assert.equal(tokens.status, 200);
    assert.equal(tokens.headers.get('cache-control'), 'no-store');
    const { access_token, refresh_token, ...rest } = tokens.body as unknown as Tokens;
    assert.deepEqual(rest, { token_type: 'Bearer', expires_in: 3600, scope: 'mcp offline_access' });
    const called = await callMcp(server, access_token);
    assert.equal(called.status, 200);
    assert.equal(called.body['clientName'], 'Test client');
    assert.equal(called.body['grantedAccess'], 'full');

    const fresh = (await refresh(server, { clientId }, refresh_token)).body as unknown as Tokens;
    assert.equal((await callMcp(server, fresh.access_token)).status, 200);
    assert.notEqual(fresh.refresh_token, refresh_token);
    const revoked = await postForm(`${server.base}/revoke`, {
      token: fresh.refresh_token,
      client_id: clientId,
    });
    assert.equal(revoked.status, 200);
    for (const token of [access_token, fresh.access_token]) {
      const after = await callMcp(server, token);
      assert.equal(after.status, 401);
      assert.equal(
        after.headers.get('www-authenticate'),
        `Bearer resource_metadata="${metadataUrl}", error="invalid_token"`,
      );
    }
    assert.equal((await refresh(server, { clientId }, fresh.refresh_token)).body['error'], 'invalid_grant');
  });

  test('the owner may grant less than the server has, and nothing more', async () => {
    for (const access of ['workspace', 'read-only']) {
      const { access_token } = await signIn(server, { access });
      assert.equal((await callMcp(server, access_token)).body['grantedAccess'], access);
    }
    const narrow = await startAuthServer({ accessMode: 'workspace' });
    try {
      const { access_token } = await signIn(narrow, { access: 'full' });
      assert.equal((await callMcp(narrow, access_token)).body['grantedAccess'], 'workspace');
      const page = await new Browser().open(
        authorizeUrl(narrow, await registerClient(narrow), pkce().challenge),
      );
      assert.ok(!page.html.includes('value="full"'), 'a mode that cannot be had is not offered');
      assert.equal(page.fields['access'], 'workspace');
    } finally {
      await narrow.close();
    }
  });

  test('an access token lasts an hour, a refresh token thirty days from its issue', async () => {
    const signedIn = await signIn(server);
    server.pass(59 * MINUTE);
    assert.equal((await callMcp(server, signedIn.access_token)).status, 200);
    server.pass(2 * MINUTE);
    assert.equal((await callMcp(server, signedIn.access_token)).status, 401);
    server.pass(29 * DAY);
    const second = (await refresh(server, signedIn, signedIn.refresh_token)).body as unknown as Tokens;
    assert.equal((await callMcp(server, second.access_token)).status, 200);
    server.pass(29 * DAY);
    const third = (await refresh(server, signedIn, second.refresh_token)).body as unknown as Tokens;
    server.pass(30 * DAY + MINUTE);
    assert.equal((await refresh(server, signedIn, third.refresh_token)).body['error'], 'invalid_grant');
  });

  test('a lost refresh answer costs nothing: the token works again until its successor is used', async () => {
    const signedIn = await signIn(server);
    const lost = (await refresh(server, signedIn, signedIn.refresh_token)).body as unknown as Tokens;
    const again = (await refresh(server, signedIn, signedIn.refresh_token)).body as unknown as Tokens;
    assert.ok(again.refresh_token && again.refresh_token !== lost.refresh_token);
    const next = (await refresh(server, signedIn, again.refresh_token)).body as unknown as Tokens;
    assert.equal((await callMcp(server, next.access_token)).status, 200);
  });

  test('a native client gets its loopback port from the system', async () => {
    const clientId = await registerClient(server, {
      redirect_uris: ['http://127.0.0.1/callback', 'http://localhost:1234/callback', 'http://[::1]/callback'],
    });
    for (const redirect_uri of [
      'http://127.0.0.1:49152/callback',
      'http://localhost:50000/callback',
      'http://[::1]:50001/callback',
    ]) {
      const { verifier, challenge } = pkce();
      const told = await consent(server, authorizeUrl(server, clientId, challenge, { redirect_uri }));
      const tokens = await redeem(
        server,
        { clientId, code: told.get('code') ?? '', verifier },
        { redirect_uri },
      );
      assert.equal(tokens.status, 200, redirect_uri);
    }
  });

  test('what a request does not say gets its default; what nobody knows is let be', async () => {
    const clientId = await registerClient(server);
    const { verifier, challenge } = pkce();
    const url = authorizeUrl(server, clientId, challenge, {
      resource: undefined,
      state: undefined,
      scope: 'openid profile',
      prompt: 'consent',
      access_type: 'offline',
      nonce: 'x',
    });
    const told = await consent(server, url);
    assert.deepEqual([...told.keys()], ['code', 'iss']);
    const tokens = await redeem(server, { clientId, code: told.get('code') ?? '', verifier });
    assert.equal(tokens.body['scope'], 'mcp');
  });

  test('a redirect URI keeps its own query', async () => {
    const redirect_uri = 'https://client.example/cb?app=a%20b&x=';
    const clientId = await registerClient(server, { redirect_uris: [redirect_uri] });
    const { challenge } = pkce();
    const browser = new Browser();
    const page = await browser.open(authorizeUrl(server, clientId, challenge, { redirect_uri }));
    const answer = await browser.submit(page, { decision: 'deny' });
    assert.equal(
      answer.leadsTo,
      `${redirect_uri}&error=access_denied&error_description=The+owner+denied+the+request.&state=state+of+the+client&iss=${encodeURIComponent(server.base)}`,
    );
  });

  test('private schemes are left out of a registration, so that the other addresses work', async () => {
    const response = await fetch(`${server.base}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify({
        client_name: 'Cursor',
        redirect_uris: ['cursor://anysphere.cursor-mcp/oauth/callback', CALLBACK],
        token_endpoint_auth_method: 'client_secret_basic',
        grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
        application_type: 'native',
        unknown: { deep: [1] },
      }),
    });
    assert.equal(response.status, 201);
    const body = (await response.json()) as Record<string, unknown>;
    assert.deepEqual(body['redirect_uris'], [CALLBACK]);
    assert.equal(body['token_endpoint_auth_method'], 'none');
    assert.ok(!('client_secret' in body));
  });

  test('issuer and resource may be on different origins', async () => {
    const apart = await startAuthServer({ resourceUrl: () => 'https://mcp.example/mcp' });
    try {
      const refused = await callMcp(apart, undefined);
      assert.equal(
        refused.headers.get('www-authenticate'),
        'Bearer resource_metadata="https://mcp.example/.well-known/oauth-protected-resource/mcp"',
      );
      const clientId = await registerClient(apart);
      const { verifier, challenge } = pkce();
      const resource = 'https://mcp.example/mcp';
      const told = await consent(apart, authorizeUrl(apart, clientId, challenge, { resource }));
      assert.equal(told.get('iss'), apart.base);
      const tokens = await redeem(apart, { clientId, code: told.get('code') ?? '', verifier }, { resource });
      assert.equal((await callMcp(apart, String(tokens.body['access_token']))).status, 200);
    } finally {
      await apart.close();
    }
  });

  test('tokens outlive a restart; a page that was open does not', async () => {
    const first = await startAuthServer({ publicUrl: 'https://fixed.example' });
    const second = await startAuthServer({ publicUrl: 'https://fixed.example', stateDir: first.stateDir });
    try {
      const signedIn = await signIn(first);
      assert.equal((await callMcp(second, signedIn.access_token)).status, 200);
      const browser = new Browser();
      const page = await browser.open(authorizeUrl(first, signedIn.clientId, pkce().challenge));
      const code = codeFor(first, page);
      const moved = { ...page, url: second.base };
      const answer = await browser.submit(moved, { decision: 'allow', code });
      assert.equal(answer.status, 400);
      assert.match(answer.text, /too old, or was not made by this server/);
    } finally {
      await second.close();
      await first.close();
    }
  });

  test('no token, code or verifier is in the database', async () => {
    const signedIn = await signIn(server);
    const files = ['state.db', 'state.db-wal'].map((name) =>
      readFile(join(server.stateDir, name), 'latin1').catch(() => ''),
    );
    const stored = (await Promise.all(files)).join('');
    assert.ok(stored.includes('auth_tokens'));
    for (const secret of [signedIn.access_token, signedIn.refresh_token, signedIn.code, signedIn.verifier]) {
      assert.ok(secret.length > 40 && !stored.includes(secret));
    }
    for (const { code } of server.announced) assert.ok(!stored.includes(code));
  });

  test('a code waits five minutes for its client', async () => {
    const inTime = await getCode(server);
    server.pass(4 * MINUTE);
    assert.equal((await redeem(server, inTime)).status, 200);
    const late = await getCode(server);
    server.pass(6 * MINUTE);
    assert.equal((await redeem(server, late)).body['error'], 'invalid_grant');
  });
});
