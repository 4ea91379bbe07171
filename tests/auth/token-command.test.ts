import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openAuthStore, SecretUrl, withoutSecret } from '../../src/auth/index.ts';
import { token } from '../../src/cli/token.ts';
import { UsageError } from '../../src/config/usage-error.ts';
import {
  type AuthServer,
  authorizeUrl,
  Browser,
  callMcp,
  pkce,
  refresh,
  registerClient,
  signIn,
  startAuthServer,
} from './support/auth-server.ts';

describe('local-coder token', { timeout: 60_000 }, () => {
  let server: AuthServer;
  before(async () => {
    server = await startAuthServer();
  });
  after(() => server.close());

  const run = async (...words: string[]) => {
    let text = '';
    const output = { isTTY: true, write: (part: string) => (text += part) };
    const exitCode = await token(words, new Map([['state-dir', server.stateDir] as const]), output);
    return { exitCode, text };
  };
  const piped = async (...words: string[]) => {
    let text = '';
    const output = { write: (part: string) => (text += part) };
    const exitCode = await token(words, new Map([['state-dir', server.stateDir] as const]), output);
    return { exitCode, text };
  };

  test('list shows who was let in and no secret; revoke ends it on the running server', async () => {
    assert.equal((await run('list')).text, 'No client has been let in.\n');
    const signedIn = await signIn(server, { access: 'read-only' });
    const other = await signIn(server);
    const { text } = await run('list');
    const id = String((await callMcp(server, signedIn.access_token)).body['grantId']);
    const line = text.split('\n').find((row) => row.startsWith(id)) ?? '';
    assert.match(line, /Test client +client\.example +read-only +0 min ago +in 30 days +http:\/\/127/);
    for (const secret of [signedIn.access_token, signedIn.refresh_token]) assert.ok(!text.includes(secret));

    const revoked = await run('revoke', id.toLowerCase());
    assert.equal(revoked.exitCode, 0);
    assert.equal((await callMcp(server, signedIn.access_token)).status, 401);
    assert.equal((await refresh(server, signedIn, signedIn.refresh_token)).body['error'], 'invalid_grant');
    assert.equal((await callMcp(server, other.access_token)).status, 200, 'others stay');
    assert.equal((await run('revoke', id)).exitCode, 1);
  });

  test('approve lets in the request that the browser shows; deny does not', async () => {
    const clientId = await registerClient(server);
    for (const [words, expected] of [
      [['approve'], 'code'],
      [['deny'], 'error'],
    ] as const) {
      const browser = new Browser();
      const page = await browser.open(authorizeUrl(server, clientId, pkce().challenge));
      const reference = page.reference ?? '';
      assert.equal((await run(...words, reference.replace('-', '').toLowerCase())).exitCode, 0);
      const answer = await browser.submit(page, { decision: 'allow' });
      assert.ok(new URL(answer.leadsTo ?? 'none:').searchParams.has(expected), expected);
    }
  });

  test('show and rotate print the secret path to a terminal only', async () => {
    const url = new SecretUrl(server.store);
    await assert.rejects(piped('show'), UsageError);
    const shown = await run('show');
    const path = /\/mcp\/[\w-]{43}(?=\n)/.exec(shown.text)?.[0] ?? '';
    const secret = path.slice('/mcp/'.length);
    assert.equal(await url.matches(secret), true);
    assert.equal((await run('show')).text, shown.text);
    const rotated = await piped('rotate');
    assert.doesNotMatch(rotated.text, /[\w-]{43}/);
    assert.equal(await url.matches(secret), false);
    const fresh = /\/mcp\/([\w-]{43})(?=\n)/.exec((await run('rotate')).text)?.[1] ?? '';
    assert.equal(await url.matches(fresh), true);
  });

  test('anything else is wrong usage', async () => {
    for (const words of [
      [],
      ['lst'],
      ['list', 'x'],
      ['revoke'],
      ['approve', 'short'],
      ['constructor'],
      ['deny'],
    ]) {
      await assert.rejects(run(...words), UsageError, words.join(' '));
    }
    await assert.rejects(run('approve', 'ACDEF-GHJKM', 'root'), /"root" is no access mode/);
  });
});

describe('the secret address', { timeout: 30_000 }, () => {
  test('only the whole secret opens it; without one nothing does', async () => {
    const stateDir = await mkdtemp(join(tmpdir(), 'lc-auth-'));
    const [store, other] = [await openAuthStore(stateDir), await openAuthStore(stateDir)];
    try {
      const url = new SecretUrl(store);
      for (const guess of ['', 'undefined', 'null']) assert.equal(await url.matches(guess), false);
      const paths = await Promise.all([url.path(), new SecretUrl(other).path(), url.path()]);
      assert.equal(new Set(paths).size, 1, 'two instances agree on one');
      const secret = paths[0].slice('/mcp/'.length);
      assert.equal(Buffer.from(secret, 'base64url').length, 32);
      assert.equal(await new SecretUrl(other).matches(secret), true);
      for (const guess of [secret.slice(1), `${secret}=`, `${secret}/`, secret.toLowerCase(), '']) {
        assert.equal(await url.matches(guess), false, guess);
      }
      for (const shown of [paths[0], `/mcp/${secret}/x`, `//mcp/${secret}`, `/MCP/${secret}`]) {
        assert.ok(!withoutSecret(shown).includes(secret), shown);
      }
      assert.equal(withoutSecret('/mcp'), '/mcp');
      assert.equal(withoutSecret('/health'), '/health');
    } finally {
      other.close();
      store.close();
      await rm(stateDir, { recursive: true, force: true, maxRetries: 3 });
    }
  });
});
