import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { FetchDocument } from '../../src/auth/index.ts';
import { modern, post } from '../support/test-server.ts';
import {
  type Answer,
  type AuthServer,
  answerOf,
  authorizeUrl,
  Browser,
  codeFor,
  pkce,
  postForm,
  startAuthServer,
} from './support/auth-server.ts';
import { protectedMcp } from './support/mcp.ts';

const DOCUMENTS: Record<string, object> = {
  'https://chatgpt.com/oauth/client.json': {
    client_id: 'https://chatgpt.com/oauth/client.json',
    client_name: 'ChatGPT',
    client_uri: 'https://chatgpt.com',
    redirect_uris: ['https://chatgpt.com/connector_platform_oauth_redirect'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
    jwks_uri: 'https://chatgpt.com/oauth/jwks.json',
  },
  'https://claude.ai/oauth/mcp-oauth-client-metadata': {
    client_id: 'https://claude.ai/oauth/mcp-oauth-client-metadata',
    client_name: 'Claude',
    redirect_uris: ['https://claude.ai/api/mcp/auth_callback', 'http://localhost/callback'],
    token_endpoint_auth_method: 'none',
  },
};

/** Stands in for the clients' own servers. */
const documents: FetchDocument = async (url) => ({
  status: url.href in DOCUMENTS ? 200 : 404,
  contentType: 'application/json',
  cacheControl: 'public, max-age=3600',
  text: JSON.stringify(DOCUMENTS[url.href] ?? {}),
});

describe('the exchange of ChatGPT', { timeout: 60_000 }, () => {
  let server: AuthServer;
  before(async () => {
    server = await startAuthServer({
      publicUrl: 'https://words.trycloudflare.com',
      fetchDocument: documents,
      mcp: protectedMcp(),
    });
  });
  after(async () => {
    assert.deepEqual(server.defects, []);
    await server.close();
  });

  const discover = (authorization?: string) => {
    const { message, headers } = modern('server/discover', {}, 'openai-mcp-discover');
    const headersOf: Record<string, string> = authorization === undefined ? {} : { authorization };
    return post(`${server.base}/mcp`, message, {
      'user-agent': 'openai-mcp/1.0.0',
      ...headers,
      ...headersOf,
    });
  };
  const get = async (path: string): Promise<Answer> => answerOf(await fetch(server.base + path));

  test('from the first probe to disconnecting', async () => {
    const issuer = 'https://words.trycloudflare.com';
    const refused = await discover();
    assert.equal(refused.status, 401);
    assert.equal(
      refused.headers.get('www-authenticate'),
      `Bearer resource_metadata="${issuer}/.well-known/oauth-protected-resource/mcp"`,
    );
    const resource = await get('/.well-known/oauth-protected-resource/mcp');
    assert.equal(resource.body['resource'], `${issuer}/mcp`);
    const openId = await get('/.well-known/openid-configuration');
    assert.equal(openId.status, 404);
    assert.match(openId.headers.get('content-type') ?? '', /^application\/json/);
    const metadata = await get('/.well-known/oauth-authorization-server');
    assert.equal(metadata.body['issuer'], issuer);
    assert.equal(metadata.body['client_id_metadata_document_supported'], true);
    assert.equal(metadata.body['authorization_response_iss_parameter_supported'], true);
    assert.ok((metadata.body['scopes_supported'] as string[]).includes('offline_access'));

    const client_id = 'https://chatgpt.com/oauth/client.json';
    const redirect_uri = 'https://chatgpt.com/connector_platform_oauth_redirect';
    const { verifier, challenge } = pkce();
    const browser = new Browser();
    const page = await browser.open(
      authorizeUrl(server, client_id, challenge, {
        redirect_uri,
        state: 'oauth_s_68f1',
        scope: 'mcp offline_access',
      }),
    );
    assert.match(page.text, /ChatGPT \(published by chatgpt\.com/);
    assert.equal(server.desk.pending()[0]?.host, 'chatgpt.com');
    const answer = await browser.submit(page, {
      decision: 'allow',
      code: codeFor(server, page),
      access: 'workspace',
    });
    const back = new URL(answer.leadsTo ?? 'none:');
    assert.equal(back.origin + back.pathname, redirect_uri);
    assert.deepEqual([...back.searchParams.keys()].sort(), ['code', 'iss', 'state']);
    assert.equal(back.searchParams.get('iss'), issuer);
    assert.equal(back.searchParams.get('state'), 'oauth_s_68f1');

    const tokens = await postForm(`${server.base}/token`, {
      grant_type: 'authorization_code',
      client_id,
      code: back.searchParams.get('code') ?? '',
      redirect_uri,
      code_verifier: verifier,
      resource: `${issuer}/mcp`,
    });
    assert.equal(tokens.status, 200);
    assert.equal(tokens.body['scope'], 'mcp offline_access');
    const found = await discover(`Bearer ${tokens.body['access_token']}`);
    assert.equal(found.status, 200);
    assert.ok(found.message.result);

    server.pass(61 * 60_000);
    const expired = await discover(`Bearer ${tokens.body['access_token']}`);
    assert.equal(expired.status, 401);
    assert.match(expired.headers.get('www-authenticate') ?? '', /, error="invalid_token"$/);
    const fresh = await postForm(`${server.base}/token`, {
      grant_type: 'refresh_token',
      client_id,
      refresh_token: String(tokens.body['refresh_token']),
      resource: `${issuer}/mcp`,
    });
    assert.equal(fresh.status, 200);
    const bearer = `Bearer ${fresh.body['access_token']}`;
    assert.equal((await discover(bearer)).status, 200);
    assert.equal((await server.store.grants.list(Date.now()))[0]?.access, 'workspace');

    for (const token of [fresh.body['access_token'], fresh.body['refresh_token']]) {
      assert.equal(
        (await postForm(`${server.base}/revoke`, { token: String(token), client_id })).status,
        200,
      );
    }
    assert.equal((await discover(bearer)).status, 401);
    assert.deepEqual(await server.store.grants.list(Date.now()), []);
  });

  test('an application of its own registers itself', async () => {
    const redirect_uri = 'https://chatgpt.com/connector/oauth/aBc-123';
    const registered = await answerOf(
      await fetch(`${server.base}/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          client_name: 'ChatGPT',
          redirect_uris: [redirect_uri],
          grant_types: ['authorization_code', 'refresh_token'],
          response_types: ['code'],
          token_endpoint_auth_method: 'none',
          scope: 'mcp offline_access',
        }),
      }),
    );
    assert.equal(registered.status, 201);
    const url = authorizeUrl(server, String(registered.body['client_id']), pkce().challenge, {
      redirect_uri,
    });
    const page = await new Browser().open(url);
    assert.match(page.text, /ChatGPT \(calls itself so; nobody vouches for it/);
  });

  test('Claude, on the web and on loopback with any port', async () => {
    const client_id = 'https://claude.ai/oauth/mcp-oauth-client-metadata';
    for (const [redirect_uri, host] of [
      ['https://claude.ai/api/mcp/auth_callback', 'claude.ai'],
      ['http://localhost:51234/callback', 'localhost:51234'],
    ] as const) {
      server.pass(11 * 60_000);
      const page = await new Browser().open(
        authorizeUrl(server, client_id, pkce().challenge, { redirect_uri }),
      );
      assert.equal(page.status, 200);
      assert.ok(page.text.includes(host));
      assert.equal(server.desk.pending()[0]?.host, host);
    }
    const redirect_uri = 'https://claude.ai.evil.example/api/mcp/auth_callback';
    const refused = await new Browser().open(
      authorizeUrl(server, client_id, pkce().challenge, { redirect_uri }),
    );
    assert.equal(refused.status, 400);
    assert.equal(refused.leadsTo, undefined);
  });
});
