/** The tunnel and the card for ChatGPT's form, in a real browser: while a tunnel comes, goes and comes back. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import type { Browser, Locator } from 'playwright-core';
import { createHttpClient, type HttpClient } from '../../src/runtime/http-client.ts';
import { type Internet, openInternet } from '../tunnel/support/internet.ts';
import { processesWith } from '../tunnel/support/processes.ts';
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
  type View,
  violations,
} from './support/browser.ts';
import { scanned } from './support/qr-code.ts';

const SKIP =
  (process.platform !== 'linux' && 'only on Linux: looks into /proc') ||
  (chromiumPath === undefined && NO_CHROMIUM);
const ADDRESS = /^https:\/\/[a-z0-9-]+\.trycloudflare\.com$/;
const LOOKS = [
  ['light', { scheme: 'light' }],
  ['dark', { scheme: 'dark' }],
  ['phone', { scheme: 'light', width: 375 }],
  ['phone-dark', { scheme: 'dark', width: 375 }],
  ['phone-vi', { scheme: 'light', width: 375, locale: 'vi-VN' }],
] as const;

describe('the connector, in a real browser', { skip: SKIP, timeout: 240_000 }, () => {
  let browser: Browser;
  let internet: Internet;
  let client: HttpClient;
  before(async () => {
    internet = await openInternet();
    await internet.install('cloudflared');
    client = createHttpClient({ env: internet.env, maxConnections: 2, ca: internet.ca });
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    client?.close();
    await internet?.close();
  });

  /** The program on a terminal, with a tunnel by the stand-in for cloudflared. */
  const start = (auth: 'oauth' | 'url') =>
    startOnTerminal(['--tunnel', 'cloudflare', '--auth', auth], undefined, internet.env);
  /** `tools` where whoever has the address gets them, else the status that refuses. */
  const toolsAt = async (url: string): Promise<string> => {
    const { status, body } = await client.send({
      method: 'POST',
      url: new URL(url),
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
      headersTimeoutMs: 30_000,
      bodyTimeoutMs: 30_000,
      maxBodyBytes: 1_000_000,
    });
    return status === 200 && body.includes('"read_text_file"') ? 'tools' : String(status);
  };
  /** The stand-in that serves this address now. */
  const tunnelProgram = (server: TerminalServer) => {
    const [found, ...more] = processesWith(internet.folder).filter(
      ({ commandLine }) =>
        commandLine.includes('stand-in.mjs cloudflared') && commandLine.includes(server.stateDir),
    );
    assert.ok(found && more.length === 0, 'one program makes the tunnel');
    return found.pid;
  };

  describe('with a sign-in', () => {
    let server: TerminalServer;
    let view: View;
    let tunnel: Locator;
    let card: Locator;
    before(async () => {
      internet.setConnected(false);
      server = await start('oauth');
      view = await openView(browser, await server.link());
      tunnel = view.page.locator('#st-tunnel');
      card = view.page.locator('#st-connector');
    });
    after(async () => {
      internet.setConnected(true);
      await server?.stop();
    });
    afterEach(async (t) => {
      if ('passed' in t && !t.passed) await picture(view.page, `failed-connector-${t.name.slice(0, 20)}`);
      assert.deepEqual(view.complaints, [], 'the browser complained of nothing');
    });

    test('until the address is proven the tunnel is starting, what it waits for is said, and there is no card', async () => {
      await tunnel.getByText('starting', { exact: true }).waitFor();
      await tunnel.getByText(/checking that https:\/\/\S+ leads here/).waitFor();
      assert.deepEqual(Object.keys(await facts(tunnel)), ['Provider']);
      assert.equal(await card.count(), 0);
      await picture(view.page, 'connector-starting');
      internet.setConnected(true);
      await tunnel.getByText('up', { exact: true }).waitFor();
      await card.waitFor();
    });

    test('tunnel and card say what the terminal says, field by field', async () => {
      const printed = await printedCard(server, 1);
      const said = await facts(tunnel);
      assert.equal(said['Provider'], 'cloudflare');
      assert.match(said['Address'] ?? '', ADDRESS);
      assert.equal(`${said['Address']}/mcp`, printed['Server URL']);
      assert.equal(await tunnel.locator('.state').textContent(), 'up');
      assert.equal(await tunnel.locator('p').count(), 0, 'nothing to say while all is well');

      const fields = await facts(card);
      assert.deepEqual(Object.keys(fields), Object.keys(printed));
      for (const name of ['Name', 'Description', 'Server URL']) assert.equal(fields[name], printed[name]);
      // Each place explains the choice in its own words.
      assert.match(fields['Authentication'] ?? '', /^OAuth /);
      assert.match(printed['Authentication'] ?? '', /^OAuth /);
      assert.ok(printed['Description']?.includes(server.work));
      assert.equal(await toolsAt(fields['Server URL'] ?? ''), '401', 'it is there, and asks who calls');
    });

    test('each button copies its field, whole and alone', async () => {
      const values = { tunnel: await facts(tunnel), card: await facts(card) };
      await copies(view, tunnel, [values.tunnel['Address']]);
      await copies(
        view,
        card,
        ['Name', 'Description', 'Server URL'].map((name) => values.card[name]),
      );
    });

    test('where the clipboard is closed to pages, the field is marked for the keyboard', async () => {
      const { page } = view;
      await page.evaluate("navigator.clipboard.writeText('untouched')");
      await page.evaluate('navigator.clipboard.writeText = () => Promise.reject(new Error())');
      for (const name of ['Name', 'Description', 'Server URL']) {
        const value = (await facts(card))[name] ?? '';
        await card.getByRole('button', { name: `Copy: ${value}` }).click();
        await until(page, `getSelection().toString() === ${JSON.stringify(value)}`);
        await page.keyboard.press('Control+C');
        await until(page, `navigator.clipboard.readText().then((text) => text === ${JSON.stringify(value)})`);
      }
      await page.reload();
      await card.waitFor();
    });

    test('the QR code leads to the server; light, dark, on a phone, in another language; axe finds nothing serious', async () => {
      const { 'Server URL': url } = await printedCard(server, 1);
      for (const [name, options] of LOOKS) {
        const other = await openView(browser, await server.link(), options);
        const there = other.page.locator('#st-connector');
        assert.equal(await scanned(there), url, name);
        assert.deepEqual(await violations(other), [], name);
        assert.equal(await overflow(other.page), 0, name);
        await other.page.evaluate('scrollTo(0, 0)');
        await picture(other.page, `connector-${name}`);
        assert.deepEqual(other.complaints, [], name);
        await other.close();
      }
    });

    test('when the tunnel’s program has died the page says so, and shows the new address once that is proven', async () => {
      const before = await facts(tunnel);
      const first = tunnelProgram(server);
      internet.setConnected(false);
      process.kill(first, 'SIGKILL');
      await tunnel.getByText('down', { exact: true }).waitFor();
      await card.waitFor({ state: 'detached' });
      assert.equal((await facts(tunnel))['Address'], undefined, 'the old address leads nowhere');
      assert.notEqual(await tunnel.locator('p').textContent(), '', 'why, and what is done about it');
      assert.deepEqual(await violations(view), []);
      await picture(view.page, 'connector-down');
      await view.page.emulateMedia({ colorScheme: 'dark' });
      await view.page.setViewportSize({ width: 375, height: 800 });
      await tunnel.getByText(/checking that https:\/\/\S+ leads here/).waitFor();
      assert.deepEqual(await violations(view), []);
      assert.equal(await overflow(view.page), 0);
      await picture(view.page, 'connector-down-phone-dark');

      internet.setConnected(true);
      await tunnel.getByText('up', { exact: true }).waitFor();
      const printed = await printedCard(server, 2);
      const now = await facts(tunnel);
      assert.match(now['Address'] ?? '', ADDRESS);
      assert.notEqual(now['Address'], before['Address']);
      assert.equal((await facts(card))['Server URL'], printed['Server URL']);
      assert.equal(printed['Server URL'], `${now['Address']}/mcp`);
      assert.equal(await scanned(card), printed['Server URL']);
      await copies(view, card.locator('div', { hasText: 'Server URL' }).last(), [printed['Server URL']]);
      assert.notEqual(tunnelProgram(server), first);
    });
  });

  test('the secret address: shown, copied and scanned whole; and the new one when that takes its place', async (t) => {
    const server = await start('url');
    t.after(() => server.stop());
    const view = await openView(browser, await server.link(), { width: 375 });
    t.after(() => view.close());
    const { page } = view;
    const card = page.locator('#st-connector');
    await card.waitFor();
    const printed = await printedCard(server, 1);
    const fields = await facts(card);
    const url = fields['Server URL'] ?? '';
    assert.match(url, /^https:\/\/[a-z0-9-]+\.trycloudflare\.com\/mcp\/[\w-]{43}$/);
    assert.deepEqual(fields, printed);
    assert.equal(fields['Authentication'], 'No authentication');
    assert.ok(!((await facts(page.locator('#st-tunnel')))['Address'] ?? '').includes('/mcp'));
    assert.equal(await scanned(card), url);
    await copies(view, card, [fields['Name'], fields['Description'], url]);
    assert.equal(await toolsAt(url), 'tools');
    assert.equal(await overflow(page), 0);
    assert.deepEqual(await violations(view), []);
    await page.locator('#toast.on').waitFor({ state: 'detached' });
    await page.evaluate('scrollTo(0, 0)');
    await picture(page, 'connector-secret-address-phone');
    await page.setViewportSize({ width: 1280, height: 800 });
    await picture(page, 'connector-secret-address');

    await view.go('access');
    await view.here.getByRole('button', { name: 'Make a new secret' }).click();
    await page.waitForTimeout(450); // a double click is one intention
    await view.here.getByRole('button', { name: 'Press again' }).click();
    await page.getByText('There is a new address.').waitFor();
    await view.go('status');
    await card.getByText(url).waitFor({ state: 'detached' });
    const next = (await facts(card))['Server URL'] ?? '';
    assert.notEqual(next, url);
    assert.equal(await scanned(card), next);
    assert.equal(await toolsAt(next), 'tools');
    assert.equal(await toolsAt(url), '404');
    assert.deepEqual(view.complaints, []);
  });
});

/** Names and values of a card, without the words of its buttons. */
async function facts(card: Locator): Promise<Record<string, string>> {
  await card.waitFor();
  const found: Record<string, string> = {};
  for (const pair of await card.locator('dl > div').all()) {
    const value = pair.locator('dd code').or(pair.locator('dd:not(:has(code))'));
    found[(await pair.locator('dt').textContent()) ?? ''] = ((await value.textContent()) ?? '').trim();
  }
  return found;
}

/** The fields of a connector card as the terminal has printed it. @param count which card: the first is 1 */
async function printedCard(server: TerminalServer, count: number): Promise<Record<string, string>> {
  await server.until(new RegExp(`(Server URL[^]*){${count}}Then name it`));
  const text = stripVTControlCharacters(server.printed).split('for ChatGPT:')[count] ?? '';
  return Object.fromEntries(
    [...text.matchAll(/^ {2}(Name|Description|Server URL|Authentication) {2,}(.*?)\r?$/gm)].map(
      ([, name = '', value = '']) => [name, value],
    ),
  );
}

/** Presses every button that copies, in order: the clipboard holds exactly the values. */
async function copies({ page }: View, card: Locator, values: readonly (string | undefined)[]): Promise<void> {
  const buttons = await card.getByRole('button', { name: /^Copy: / }).all();
  assert.equal(buttons.length, values.length);
  for (const [index, button] of buttons.entries()) {
    await page.evaluate("navigator.clipboard.writeText('nothing was copied')");
    await button.click();
    await until(page, "navigator.clipboard.readText().then((text) => text !== 'nothing was copied')");
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), values[index]);
    await page.getByText('Copied.').waitFor();
  }
}
