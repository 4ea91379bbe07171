import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type ChromiumPage, findChromium, openChromium } from '../../auth/support/chromium.ts';
import { type NodeHarness, startNode } from './harness.ts';

const chromium = await findChromium();

describe('the pages of the relay in a real browser', {
  timeout: 90_000,
  skip: chromium === undefined && 'there is no Chromium on this machine',
}, () => {
  let relay: NodeHarness;
  let page: ChromiumPage;
  before(async () => {
    relay = await startNode();
    page = await openChromium(chromium ?? '');
  });
  after(async () => {
    await page?.close();
    await relay?.close();
  });

  test('from the client through GitHub and consent back to the client; then the account page', async (t) => {
    const client = createServer((_request, response) => response.end('<p id="end">'));
    await new Promise<void>((resolve) => client.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      client.closeAllConnections();
      client.close();
    });
    const redirectUri = `http://localhost:${(client.address() as AddressInfo).port}/callback`;
    const registered = await fetch(`${relay.url}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: 'A client <b>', redirect_uris: [redirectUri] }),
    });
    const { client_id } = (await registered.json()) as { client_id: string };
    const query = new URLSearchParams({
      response_type: 'code',
      client_id,
      redirect_uri: redirectUri,
      code_challenge: 'A'.repeat(43),
      code_challenge_method: 'S256',
    });
    const fits = async (what: string) =>
      assert.equal(await page.evaluate('document.documentElement.scrollWidth > innerWidth'), false, what);
    relay.github.user = { id: 9, login: 'octocat' };
    await page.size(360, 800);
    await page.go(`${relay.url}/authorize?${query}`);
    await page.until('document.body.textContent.includes("Sign in with GitHub")');
    await fits('sign-in');
    await page.evaluate('document.querySelector("a.button").click()');
    await page.until('document.querySelector("input[name=access]") !== null');
    await fits('consent');
    const text = String(await page.evaluate('document.body.textContent'));
    assert.match(text, /A client <b>/);
    assert.match(text, /octocat \(GitHub\)/);
    assert.equal(
      await page.evaluate('document.querySelector("input[name=access]:checked").value'),
      'read-only',
    );
    await page.evaluate('document.querySelector("button[value=allow]").click()');
    await page.until('document.querySelector("#end") !== null');
    assert.match(String(await page.evaluate('location.href')), /\/callback\?code=lc_code_/);

    await page.go(`${relay.url}/`);
    await page.until('document.body.textContent.includes("Connected clients")');
    await page.evaluate('document.querySelector("form[action$=pairing-code] button").click()');
    await page.until('/local-coder pair [A-Z0-9-]{14} --relay/.test(document.body.textContent)');
    await fits('account');
    await page.evaluate('document.querySelector("form[action$=sign-out] button").click()');
    await page.until('document.body.textContent.includes("Sign in with GitHub")');
    assert.deepEqual(
      page.console.filter((line) => /policy/i.test(line)),
      [],
    );
    assert.deepEqual(relay.defects, []);
  });
});
