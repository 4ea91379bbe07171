/** Who may call, in a real browser: a client that waits, grants, the secret address. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import {
  chromiumPath,
  NO_CHROMIUM,
  openBrowser,
  openView,
  overflow,
  picture,
  startOnTerminal,
  type TerminalServer,
  until,
  violations,
} from './support/browser.ts';

const CALLBACK = 'https://client.example/callback';
const NAME = '<img src=x onerror="window.pwned=1">';
const LIST = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
const WARM = "!document.body.classList.contains('cold')";

const list = (url: string, token?: string) =>
  fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: LIST,
  });

describe('access, in a real browser', {
  skip: chromiumPath === undefined && NO_CHROMIUM,
  timeout: 180_000,
}, () => {
  let browser: Browser;
  before(async () => {
    browser = await openBrowser();
  });
  after(() => browser?.close());

  /** A client's way to the page that asks for consent. */
  const askForAccess = async (server: TerminalServer) => {
    const json = { 'content-type': 'application/json' };
    const registered = await fetch(`${server.origin}/register`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({
        client_name: NAME,
        redirect_uris: [CALLBACK],
        token_endpoint_auth_method: 'none',
      }),
    });
    const { client_id } = (await registered.json()) as { client_id: string };
    const verifier = randomBytes(32).toString('base64url');
    const query = new URLSearchParams({
      response_type: 'code',
      client_id,
      redirect_uri: CALLBACK,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      scope: 'mcp offline_access',
      resource: `${server.origin}/mcp`,
    });
    const page = await fetch(`${server.origin}/authorize?${query}`, { headers: { accept: 'text/html' } });
    const html = await page.text();
    const cookie = page.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
    const fields = [...html.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map(
      ([, name = '', value = '']) => [name, value] as [string, string],
    );
    return {
      number: /<dd class="number">([^<]+)</.exec(html)?.[1] ?? '',
      /** Presses Allow on the page, and goes on to the token. */
      async finish(): Promise<string> {
        const answer = await fetch(`${server.origin}/authorize`, {
          method: 'POST',
          redirect: 'manual',
          headers: { cookie, origin: server.origin, 'content-type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams([...fields, ['decision', 'allow']]).toString(),
        });
        const leadsTo =
          answer.headers.get('location') ?? /url=(\S+)/.exec(answer.headers.get('refresh') ?? '')?.[1] ?? '';
        if (leadsTo === '') return '';
        const token = await fetch(`${server.origin}/token`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams({
            grant_type: 'authorization_code',
            code: new URL(leadsTo).searchParams.get('code') ?? '',
            redirect_uri: CALLBACK,
            client_id,
            code_verifier: verifier,
            resource: `${server.origin}/mcp`,
          }).toString(),
        });
        return ((await token.json()) as { access_token?: string }).access_token ?? '';
      },
    };
  };

  test('a client that waits is shown with its code, allowed by a second press, listed, and revoked', async (t) => {
    const server = await startOnTerminal(['--auth', 'oauth']);
    t.after(() => server.stop());
    const view = await openView(browser, await server.link());
    t.after(() => view.close());
    const { page, here } = view;
    await view.go('access');
    await here.getByText('No client is connected.').waitFor();

    const asked = await askForAccess(server);
    const card = here.locator('article', { hasText: 'wants to connect' });
    await card.getByText(asked.number, { exact: true }).waitFor();
    const [, code = ''] = await server.until(/One-time code: ([A-Z0-9-]+)/);
    await card.getByText(code, { exact: true }).waitFor();
    assert.match(
      (await card.locator('h3').textContent()) ?? '',
      /^“<img src=x onerror="window\.pwned=1">” wants/,
    );
    await until(page, WARM);
    assert.deepEqual(await violations(view), []);
    await picture(page, 'access-waiting');
    await page.setViewportSize({ width: 375, height: 800 });
    await until(page, WARM);
    assert.equal(await overflow(page), 0);
    assert.deepEqual(await violations(view), []);
    await picture(page, 'access-waiting-phone');
    await page.setViewportSize({ width: 1280, height: 800 });

    await until(page, WARM);
    await card.getByLabel('It may do').selectOption('read-only');
    await card.getByRole('button', { name: /^Allow/ }).click();
    const sure = card.getByRole('button', { name: 'Press again to allow' });
    await sure.waitFor();
    assert.equal(await asked.finish(), '', 'one press is none');
    await page.waitForTimeout(450); // a double click is one intention
    await sure.click();
    await page.getByText('Allowed.').waitFor();
    const token = await asked.finish();
    const answer = await list(server.url, token);
    assert.equal(answer.status, 200);
    const tools = await answer.text();
    assert.ok(tools.includes('read_text_file') && !tools.includes('write_file'), 'read only, as was chosen');

    const grant = here.locator('#grants li');
    await grant.getByText('Read only').waitFor();
    await picture(page, 'access-granted');
    assert.deepEqual(await violations(view), []);
    await grant.getByRole('button', { name: /^Revoke/ }).click();
    await page.waitForTimeout(450); // a double click is one intention
    await grant.getByRole('button', { name: 'Press again to revoke' }).click();
    await here.getByText('No client is connected.').waitFor();
    assert.equal((await list(server.url, token)).status, 401);

    const other = await askForAccess(server);
    await card.getByText(other.number, { exact: true }).waitFor();
    await until(page, WARM);
    await card.getByRole('button', { name: /^Deny/ }).click();
    await card.waitFor({ state: 'detached' });
    assert.equal(await other.finish(), '');
    assert.deepEqual(view.complaints, []);
    assert.equal(await page.evaluate("'pwned' in window"), false);
  });

  test('a new secret address takes the place of the old one', async (t) => {
    const server = await startOnTerminal(['--auth', 'url']);
    t.after(() => server.stop());
    const [, secret = ''] = await server.until(/http:\/\/127\.0\.0\.1:\d+(\/mcp\/[\w-]+)/);
    const view = await openView(browser, await server.link());
    t.after(() => view.close());
    assert.equal((await list(`${server.origin}${secret}`)).status, 200);
    await view.go('access');
    await picture(view.page, 'access-secret-address');
    const { here, page } = view;
    await here.getByRole('button', { name: 'Make a new secret' }).click();
    await page.waitForTimeout(450); // a double click is one intention
    await here.getByRole('button', { name: 'Press again' }).click();
    await page.getByText('There is a new address.').waitFor();
    assert.notEqual((await list(`${server.origin}${secret}`)).status, 200);
    assert.deepEqual(view.complaints, []);
  });
});
