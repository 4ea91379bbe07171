import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  Client as ClientV2,
  StreamableHTTPClientTransport as HttpV2,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  UnauthorizedError as UnauthorizedV2,
} from '@modelcontextprotocol/client';
import { UnauthorizedError as UnauthorizedV1 } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { type AuthServer, consent, postForm, startAuthServer } from './support/auth-server.ts';
import { protectedMcp } from './support/mcp.ts';

const HOUR = 60 * 60_000;

/** What an application keeps for the SDK's OAuth code; both SDKs ask for the same. */
class Application implements OAuthClientProvider {
  readonly redirectUrl = 'http://localhost:33418/callback';
  readonly clientMetadata = {
    client_name: 'SDK client',
    redirect_uris: [this.redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
  sentTo: URL | undefined;
  discovered: OAuthDiscoveryState | undefined;
  saved: { client?: Stored; tokens?: Stored; verifier?: string } = {};

  state() {
    return 'state-of-the-application';
  }
  clientInformation() {
    return this.saved.client as ReturnType<OAuthClientProvider['clientInformation']>;
  }
  saveClientInformation(client: Stored) {
    this.saved.client = client;
  }
  tokens() {
    return this.saved.tokens as ReturnType<OAuthClientProvider['tokens']>;
  }
  saveTokens(tokens: Stored) {
    this.saved.tokens = tokens;
  }
  redirectToAuthorization(url: URL) {
    this.sentTo = url;
  }
  saveCodeVerifier(verifier: string) {
    this.saved.verifier = verifier;
  }
  saveDiscoveryState(state: OAuthDiscoveryState) {
    this.discovered = state;
  }
  discoveryState() {
    return this.discovered;
  }
  codeVerifier() {
    return this.saved.verifier ?? '';
  }
}

type Stored = object & { readonly access_token?: string; readonly refresh_token?: string };

for (const version of ['v1', 'v2'] as const) {
  describe(`the OAuth code of the SDK's ${version} client`, { timeout: 60_000 }, () => {
    let server: AuthServer;
    before(async () => {
      server = await startAuthServer({ mcp: protectedMcp() });
    });
    after(async () => {
      assert.deepEqual(server.defects, []);
      await server.close();
    });

    const connect = async (application: Application) => {
      const url = new URL(`${server.base}/mcp`);
      const info = { name: 'test', version: '1.0.0' };
      if (version === 'v1') {
        // The two SDKs spell the same interface in their own types.
        const transport = new HttpV1(url, { authProvider: application as never });
        const client = new ClientV1(info);
        return {
          transport,
          open: () => client.connect(transport),
          list: () => client.listTools(),
          echo: () => client.callTool({ name: 'echo', arguments: { text: 'x' } }),
          client,
        };
      }
      const transport = new HttpV2(url, { authProvider: application });
      const client = new ClientV2(info, { versionNegotiation: { mode: 'auto' } });
      return {
        transport,
        open: () => client.connect(transport),
        list: () => client.listTools(),
        echo: () => client.callTool({ name: 'echo', arguments: { text: 'x' } }),
        client,
      };
    };

    test('finds the way, signs in, calls, refreshes, and hears of a revocation', async () => {
      const application = new Application();
      const first = await connect(application);
      const Unauthorized = version === 'v1' ? UnauthorizedV1 : UnauthorizedV2;
      await assert.rejects(first.open(), Unauthorized);
      const asked = application.sentTo?.searchParams;
      assert.equal(asked?.get('resource'), `${server.base}/mcp`);
      assert.equal(asked?.get('code_challenge_method'), 'S256');

      const told = await consent(server, application.sentTo?.href ?? '');
      assert.equal(told.get('state'), 'state-of-the-application');
      if (first.transport instanceof HttpV2) await first.transport.finishAuth(told);
      else await first.transport.finishAuth(told.get('code') ?? '');

      const second = await connect(application);
      await second.open();
      assert.ok((await second.list()).tools.some(({ name }) => name === 'echo'));

      const before = application.saved.tokens;
      server.pass(2 * HOUR);
      assert.ok((await second.echo()).content, 'refreshed on 401');
      assert.notEqual(application.saved.tokens?.access_token, before?.access_token);
      await second.client.close();

      application.sentTo = undefined;
      await postForm(`${server.base}/revoke`, { token: application.saved.tokens?.refresh_token ?? '' });
      const third = await connect(application);
      await assert.rejects(third.open());
      assert.ok(application.sentTo, 'asks the owner again');
      await first.client.close();
      await third.client.close();
    });
  });
}
