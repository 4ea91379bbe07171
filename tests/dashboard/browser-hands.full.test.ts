/** Keys, focus and the browser's own settings, in a real browser while calls come and go. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { connect, type TestClient } from '../support/clients.ts';
import {
  chromiumPath,
  NO_CHROMIUM,
  openBrowser,
  openView,
  picture,
  startOnTerminal,
  type TerminalServer,
  type View,
} from './support/browser.ts';

describe('by hand, in a real browser', {
  skip: chromiumPath === undefined && NO_CHROMIUM,
  timeout: 120_000,
}, () => {
  let server: TerminalServer;
  let browser: Browser;
  let client: TestClient;
  let view: View;

  before(async () => {
    server = await startOnTerminal();
    browser = await openBrowser();
    client = await connect('v1', { url: server.url });
    view = await openView(browser, await server.link());
  });
  after(async () => {
    await client?.close();
    await browser?.close();
    await server?.stop();
  });
  afterEach(() => assert.deepEqual(view.complaints, [], 'the browser complained of nothing'));

  test('the focus stays on a call while the call ends', async () => {
    const { page, here } = view;
    await view.go('activity');
    const running = client.call('run_command', {
      command: 'until [ -e go-on ]; do sleep 0.05; done',
      yield_ms: 50_000,
    });
    const row = here.locator('tbody tr', { hasText: 'go-on' });
    await row.getByText('running', { exact: true }).waitFor();
    await row.locator('a').focus();
    await writeFile(join(server.work, 'go-on'), '');
    await running;
    await row.getByText('ok', { exact: true }).waitFor();
    assert.match(
      await page.evaluate<string>("document.activeElement.closest('tr')?.textContent ?? 'nowhere'"),
      /go-on/,
    );
  });

  test('a key that is held down is one press, and Escape takes the question back', async () => {
    const { page, here } = view;
    const started = await client.call('start_process', { command: 'sleep 60', name: 'sleeper' });
    assert.equal(started.ok, true, started.summary);
    await view.go('processes');
    const item = here.locator('#processes li', { hasText: 'sleeper' });
    await item.getByRole('button', { name: 'Stop: sleeper' }).focus();
    await page.keyboard.down('Enter');
    await page.waitForTimeout(500); // as keyboards wait before they repeat: longer than a double click
    for (let repeat = 0; repeat < 5; repeat++) await page.keyboard.down('Enter');
    await page.keyboard.up('Enter');
    await item.getByRole('button', { name: 'Press again to stop' }).waitFor();
    await page.keyboard.press('Escape');
    await item.getByRole('button', { name: 'Stop: sleeper' }).waitFor();
    await item.getByText('running', { exact: true }).waitFor();
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Stop', 'the focus stays');
    await page.keyboard.press('Enter');
    await page.waitForTimeout(450); // a double click is one intention
    await page.keyboard.press('Enter');
    await item.getByText(/^ended/).waitFor();
  });

  test("with the system's own colours the section that is shown is marked, and no other", async () => {
    const { page } = view;
    await page.emulateMedia({ forcedColors: 'active' });
    await view.go('status');
    const lines = await page.evaluate<string[]>(
      "[...document.querySelectorAll('#nav a')].map((link) => getComputedStyle(link).borderBottomColor)",
    );
    const background = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    assert.deepEqual(
      lines.map((line) => line !== background),
      [true, false, false, false, false, false],
    );
    await picture(page, 'status-forced-colors');
    await page.emulateMedia({ forcedColors: 'none' });
  });
});
