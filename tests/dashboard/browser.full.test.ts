/** The whole page in a real Chromium against the real program, while an MCP client works. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { connect, type TestClient } from '../support/clients.ts';
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

const EVIL = '<img src=x onerror="window.pwned=1">';
/** Buttons that answer for the owner take a press. */
const WARM = "!document.body.classList.contains('cold')";

const CODE = `import { a } from './a.ts';

/** Adds. */
export function add(one: number, two: number): number {
  return one + two; // "sum"
}
`;

describe('the page in a real browser', {
  skip: chromiumPath === undefined && NO_CHROMIUM,
  timeout: 300_000,
}, () => {
  let server: TerminalServer;
  let browser: Browser;
  let client: TestClient;
  let view: View;

  before(async () => {
    server = await startOnTerminal(['--approve', 'destructive']);
    await mkdir(join(server.work, 'src'));
    await writeFile(join(server.work, 'src/add.ts'), CODE);
    browser = await openBrowser();
    client = await connect('v1', { url: server.url });
    view = await openView(browser, await server.link());
  });
  after(async () => {
    await client?.close();
    await browser?.close();
    await server?.stop();
  });
  afterEach(async (t) => {
    if ('passed' in t && !t.passed)
      await picture(view.page, `failed-${t.name.slice(0, 30).replace(/\W+/g, '-')}`);
    assert.deepEqual(view.complaints, [], 'the browser complained of nothing');
    assert.equal(await view.page.evaluate("'pwned' in window"), false, 'nothing of what is shown has run');
  });

  /** A call that waits for approval, which the page gives. */
  const approved = async (tool: string, args: Record<string, unknown>) => {
    const answer = client.call(tool, args);
    await view.go('approvals');
    await answerWith('Allow');
    return answer;
  };
  /** Presses a button of the first question that waits, once it takes an answer. */
  const answerWith = async (label: string | RegExp) => {
    const { page } = view;
    await page.locator('article').first().waitFor();
    await until(page, WARM);
    const count = await page.locator('article').count();
    const first = page.locator('article').first();
    const id = await first.getAttribute('id');
    await first.getByRole('button', { name: label }).first().click();
    await until(page, `document.getElementById(${JSON.stringify(id)}) === null`);
    return count;
  };

  test('the link signs in once and leaves nothing in the address, no cookie, nothing outside of this tab', async () => {
    const { page, context } = view;
    assert.equal(page.url(), `${server.origin}/#status`);
    assert.deepEqual(await context.cookies(), []);
    assert.equal(await page.evaluate('localStorage.length'), 0);
    await page.reload();
    await page.locator('#main h2').waitFor();
    const other = await context.newPage();
    await other.goto(server.origin);
    await other.getByText('local-coder page', { exact: true }).waitFor();
    assert.equal(await other.locator('nav').isVisible(), false);
    await picture(other, 'signed-out');
    await other.close();
  });

  test('status: what is served, by whom it is called, and why it is not', async () => {
    await view.go('status');
    const { page, here } = view;
    await here.getByText(server.work).waitFor();
    // The client of this test has connected, and called nothing.
    await here.getByText('The client has not called yet').waitFor();
    assert.deepEqual(await violations(view), []);
    await picture(page, 'status-not-called');
    await client.call('list_directory', {});
    await here.getByText('The client has not called yet').waitFor({ state: 'detached' });
    await here.getByRole('button', { name: `Copy: ${server.url}` }).click();
    await page.getByText('Copied.').waitFor();
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), server.url);
  });

  test('activity: calls appear as they happen; search and filter; a name full of markup is text', async () => {
    await view.go('activity');
    const { page, here } = view;
    await client.call('read_text_file', { path: 'src/add.ts' });
    const row = here.locator('tbody tr', { hasText: 'src/add.ts' });
    await row.getByText('ok', { exact: true }).waitFor();
    await writeFile(
      join(server.work, `${EVIL.replaceAll('/', '')}.txt`),
      '\u001b]0;x\u0007\u001b[31mred\u001b[0m \u202eevil',
    );
    await client.call('read_text_file', { path: `${EVIL}.txt` });
    await client.call('read_text_file', { path: 'nowhere/at-all' });
    await here.getByText('FILE_NOT_FOUND').waitFor();
    await here.getByText(`${EVIL}.txt`).waitFor();
    await here.getByRole('searchbox').fill('at-all');
    await until(page, "document.querySelectorAll('#calls tr').length === 1");
    await here.getByRole('searchbox').fill('no such thing');
    await here.getByText('No call matches.').waitFor();
    await here.getByRole('searchbox').fill('');
    await here.getByLabel('Outcome').selectOption('failed');
    await until(page, "document.querySelectorAll('#calls tr').length === 1");
    await here.getByLabel('Outcome').selectOption('');
    await row.waitFor();
    // The filter kept new calls away while it was set, and lets them in again.
    await client.call('glob', { pattern: '**/*.ts' });
    await here.locator('tbody tr', { hasText: 'glob' }).waitFor();

    await here.getByText(`${EVIL}.txt`).click();
    await view.here.getByText('Arguments').waitFor();
    await view.here.locator('.out', { hasText: 'evil' }).getByText('\\u202e').waitFor();
    await view.page.goBack();
    await row.waitFor();
  });

  test('approvals: in full, counted in the title, and no click that was meant for something else counts', async () => {
    const { page } = view;
    await view.go('status');
    const first = client.call('run_command', { command: `echo one\n# ${EVIL} \u202e\necho two` });
    await until(page, "document.title === '(1) local-coder'");
    await page.getByRole('link', { name: /Approvals/ }).click();
    const card = page.locator('article').first();
    await card.getByText('echo two').waitFor();
    assert.match(
      (await card.locator('pre').textContent()) ?? '',
      /echo one\n# <img src=x onerror="window\.pwned=1"> \\u202e\necho two/,
    );
    // At once: too early to have been read.
    await page.evaluate(
      "dispatchEvent(new Event('focus')), document.querySelector('article button.good').click()",
    );
    assert.equal(await card.count(), 1);
    assert.equal(await page.evaluate("document.activeElement.matches('button.good')"), false);
    assert.deepEqual(await violations(view), []);
    await answerWith('Allow');
    assert.equal((await first).ok, true);
    await until(page, "document.title === 'local-coder'");

    const second = client.call('run_command', { command: 'echo denied' });
    await answerWith('Deny');
    assert.equal((await second).data.error?.code, 'DENIED');

    const third = client.call('run_command', { command: 'git status --short' });
    await answerWith(/commands that begin with/);
    assert.equal((await third).ok, true);
    assert.equal(
      (await client.call('run_command', { command: 'git status --short' })).ok,
      true,
      'asked no more',
    );

    const fourth = client.call('delete_file', { path: 'nothing-here' });
    await page.locator('article').waitFor();
    await page.waitForTimeout(500); // the terminal takes no key that came too early either
    await server.type('d');
    assert.equal((await fourth).data.error?.code, 'DENIED', 'the terminal was first');
    await page.getByText('Nothing waits for you.').waitFor();
  });

  test('an edit opens as a diff, unified or side by side, which is remembered', async () => {
    const { page } = view;
    await approved('edit_file', {
      path: 'src/add.ts',
      old_text: 'one + two; // "sum"',
      new_text: 'two + one; // 12',
    });
    await view.go('activity');
    await view.here.locator('tbody tr', { hasText: 'edit_file' }).getByText('ok', { exact: true }).waitFor();
    await view.here.locator('tbody tr a', { hasText: 'edit_file' }).first().click();
    const diff = view.here.locator('.diff');
    await diff.waitFor();
    assert.match((await diff.locator('del').textContent()) ?? '', /return one \+ two;/);
    assert.match((await diff.locator('ins').textContent()) ?? '', /return two \+ one;/);
    assert.equal(await diff.locator('ins .hw').textContent(), 'return');
    const left = () =>
      diff
        .locator('ins')
        .boundingBox()
        .then((box) => box?.x ?? Number.NaN);
    const unified = await left();
    await picture(page, 'call-edit-unified');
    await view.here.getByRole('button', { name: 'Side by side' }).click();
    assert.ok((await left()) > unified + 300, 'beside what it replaces');
    await picture(page, 'call-edit-side-by-side');
    await page.setViewportSize({ width: 600, height: 800 });
    assert.ok((await left()) < 200, 'too narrow for two');
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.reload();
    await diff.waitFor();
    assert.ok((await left()) > unified + 300, 'remembered');
    assert.equal(
      await view.here.getByRole('button', { name: 'Side by side' }).getAttribute('aria-pressed'),
      'true',
    );
    await view.here.getByRole('button', { name: 'Unified' }).click();
  });

  test('a command that runs: its output streams in colour, and a button stops it', async () => {
    const { page } = view;
    const running = client.call('run_command', {
      command: 'printf "\\033[32mgreen\\033[0m\\n10%%\\r20%%\\n"; while :; do date +tick-%s; sleep 0.2; done',
      yield_ms: 55_000,
    });
    await view.go('approvals');
    await answerWith('Allow');
    await view.go('activity');
    const row = view.here.locator('tbody tr', { hasText: 'tick' }).filter({ hasText: 'running' });
    await row.locator('a').click();
    const out = view.here.locator('#out');
    await out.locator('.f2', { hasText: 'green' }).waitFor();
    const lines = () => out.textContent().then((text) => text?.split('tick-').length ?? 0);
    const before = await lines();
    await until(page, `document.querySelector('#out').textContent.split('tick-').length > ${before + 3}`);
    assert.doesNotMatch((await out.textContent()) ?? '', /10%/, 'what was overwritten is gone');
    await picture(page, 'call-running');
    await view.here.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('Asked to stop.').waitFor();
    assert.equal((await running).ok, false);
    await view.here.locator('[data-outcome]:not([data-outcome="running"])').waitFor();
  });

  test('a process: output that is followed, a line of input, stop by a second press', async () => {
    const { page } = view;
    const started = await approved('start_process', {
      command: 'echo ready; while read -r line; do echo "got $line"; echo "warned" >&2; done',
      name: EVIL,
    });
    assert.equal(started.ok, true, started.summary);
    await view.go('processes');
    await view.here.getByText(EVIL).waitFor();
    await picture(page, 'processes');
    await view.here.getByText(EVIL).click();
    await view.here.locator('#out', { hasText: 'ready' }).waitFor();
    await view.here.getByRole('textbox').fill('hello there');
    await page.keyboard.press('Enter');
    await view.here.locator('#out', { hasText: 'got hello there' }).waitFor();
    await view.here.locator('#out', { hasText: 'warned' }).waitFor();
    assert.equal(await view.here.getByRole('textbox').inputValue(), '');
    assert.deepEqual(await violations(view), []);
    await picture(page, 'process');
    const stop = view.here.getByRole('button', { name: /Stop/ });
    await stop.dblclick();
    const sure = view.here.getByRole('button', { name: 'Press again to stop' });
    await sure.waitFor();
    await page.waitForTimeout(450); // a double click is one intention
    await sure.click();
    await view.here.getByText(/^ended/).waitFor();
  });

  test('history: what restoring would do is shown, done, done again; a conflict is never overwritten', async () => {
    const { page } = view;
    const file = join(server.work, 'src/add.ts');
    const edited = await readFile(file, 'utf8');
    assert.notEqual(edited, CODE);
    await view.go('history');
    const item = view.here.locator('#checkpoints li', { hasText: 'edit_file' });
    await item.waitFor();
    await picture(page, 'history');
    assert.deepEqual(await violations(view), []);
    await item.getByRole('link', { name: 'edit_file' }).click();
    await view.here.locator('.diff ins', { hasText: 'one + two' }).waitFor();
    await picture(page, 'checkpoint');
    await view.here.getByRole('button', { name: 'Restore' }).click();
    assert.equal(await readFile(file, 'utf8'), edited, 'one press is none');
    await page.waitForTimeout(450); // a double click is one intention
    await view.here.getByRole('button', { name: 'Press again to restore' }).click();
    await page.getByText('Restored.').waitFor();
    assert.equal(await readFile(file, 'utf8'), CODE);

    await view.go('history');
    await view.here.getByRole('button', { name: 'Redo' }).click();
    await page.waitForTimeout(450); // a double click is one intention
    await view.here.getByRole('button', { name: 'Press again to redo' }).click();
    await page.getByText('The last restore was taken back.').waitFor();
    assert.equal(await readFile(file, 'utf8'), edited);

    await view.go('history');
    await view.here.locator('a', { hasText: 'src/add.ts' }).first().click();
    await view.here.getByRole('link', { name: 'compare with now' }).last().click();
    await view.page.locator('[data-place="since"] .diff ins').first().waitFor();
    await picture(page, 'file-since');

    await writeFile(file, 'changed by hand\n');
    await view.go('history');
    await view.here
      .locator('#checkpoints li', { hasText: 'edit_file' })
      .last()
      .getByRole('link', { name: 'edit_file' })
      .click();
    await view.here.getByText(/changed since by something else: 1/).waitFor();
    assert.equal(await view.here.getByRole('button', { name: 'Restore' }).isDisabled(), true);
    assert.deepEqual(await violations(view), []);
    await picture(page, 'checkpoint-conflict');
    assert.equal(await readFile(file, 'utf8'), 'changed by hand\n');
  });

  test('a command output full of escape sequences and a diff of 5 MB are shown harmlessly', async () => {
    const lines = Array.from(
      { length: 60_000 },
      (_, index) => `line ${index} of a file that is large enough to matter ${index}`,
    );
    await writeFile(join(server.work, 'large.txt'), lines.join('\n'));
    const text = lines.map((line) => `${line} ${EVIL}`).join('\n');
    const written = await approved('write_file', { path: 'large.txt', content: text });
    assert.equal(written.ok, true, written.summary);
    await view.go('activity');
    const row = view.here.locator('tbody tr', { hasText: 'write_file' }).first();
    await row.getByText('ok', { exact: true }).waitFor();
    const startedAt = performance.now();
    await row.locator('a').click();
    await view.page.locator('[data-place="call"]').getByText('Result', { exact: true }).last().waitFor();
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs < 5_000, `${Math.round(tookMs)} ms`);
    assert.ok((await view.page.evaluate<number>("document.querySelectorAll('*').length")) < 60_000);

    await approved('run_command', {
      command: `printf '\\033]0;title\\007\\033[2J\\033[1;1H\\033[31m${EVIL}\\033[0m\\033[?1049h\\033P+q\\033\\\\ \\b\\b\\r\\033]8;;http://x\\007link\\033]8;;\\007'`,
    });
    await view.go('activity');
    await view.here.locator('tbody tr', { hasText: '1049h' }).first().locator('a').click();
    await view.page.locator('[data-place="call"] .out', { hasText: 'link' }).last().waitFor();
  });

  test('in Vietnamese and Chinese, by the browser or by hand', async () => {
    const { page } = view;
    for (const [locale, word] of [
      ['vi-VN', 'Hoạt động'],
      ['zh-CN', '活动'],
    ] as const) {
      const other = await openView(browser, await server.link(), { locale, width: 375 });
      await other.page.getByRole('link', { name: word, exact: true }).click();
      await other.here.locator('h2', { hasText: word }).waitFor();
      assert.equal(await overflow(other.page), 0);
      assert.deepEqual(await violations(other), []);
      await picture(other.page, `activity-${locale}`);
      await other.go('status');
      await picture(other.page, `status-${locale}`);
      assert.deepEqual(other.complaints, []);
      await other.close();
    }
    await view.go('history');
    await page.getByRole('link', { name: 'Tiếng Việt' }).click();
    await view.here.locator('h2', { hasText: 'Lịch sử' }).waitFor();
    assert.match(page.url(), /\?lang=vi#history$/);
    await page.getByRole('link', { name: 'English' }).click();
    await view.here.locator('h2', { hasText: 'History' }).waitFor();
  });

  test('by keyboard alone: to the content, through the sections, into a call and back, an answer', async () => {
    const { page } = view;
    await view.go('status');
    await page.reload();
    await view.here.locator('h2').waitFor();
    await page.keyboard.press('Tab');
    const focused = () => page.evaluate<string>("document.activeElement?.textContent ?? ''");
    assert.equal(await focused(), 'Skip to the content');
    assert.equal(
      await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'),
      'solid',
      'what has the focus is seen',
    );
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate('document.activeElement.id'), 'main');
    await page.keyboard.press('Shift+Tab');
    for (let step = 0; step < 20 && (await focused()) !== 'Activity'; step++)
      await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    await view.here.locator('tbody tr').first().waitFor();
    for (let step = 0; step < 30; step++) {
      await page.keyboard.press('Tab');
      if (await page.evaluate("document.activeElement.matches('#calls a')")) break;
    }
    await page.keyboard.press('Enter');
    await page.locator('[data-place="call"] h2').waitFor();
    await until(page, "document.activeElement.tagName === 'H2'");
    await page.keyboard.press('Shift+Tab');
    assert.match(await focused(), /← Activity/);
    await page.keyboard.press('Enter');
    await page.locator('[data-place="activity"] tbody tr').first().waitFor();

    const answer = client.call('delete_file', { path: 'src/nowhere' });
    await until(page, "document.title.startsWith('(1)')");
    await page.getByRole('link', { name: /Approvals/ }).focus();
    await page.keyboard.press('Enter');
    await page.locator('article').waitFor();
    for (let step = 0; step < 30; step++) {
      await page.keyboard.press('Tab');
      if ((await focused()) === 'Deny') break;
    }
    await until(page, WARM);
    await page.keyboard.press('Enter');
    assert.equal((await answer).data.error?.code, 'DENIED');
    // What had the focus is gone: it is at the heading, not at an answer.
    await until(page, "document.activeElement.tagName === 'H2'");
  });

  test('light, dark and on a phone: every section is kept as a picture, fits, and axe finds nothing serious', async () => {
    const waiting = client.call('run_command', {
      command: 'rm -rf build && npm publish --access public # and a long line that must wrap on a phone',
    });
    const process = await client.call('process_status', {});
    assert.ok(process.ok);
    const call = await view.page.evaluate<string>("document.querySelector('#calls a').hash.slice(1)");
    assert.match(call, /^call=/);
    for (const [name, options] of [
      ['light', { scheme: 'light' }],
      ['dark', { scheme: 'dark' }],
      ['phone', { scheme: 'light', width: 375 }],
      ['phone-dark', { scheme: 'dark', width: 375 }],
    ] as const) {
      const other = await openView(browser, await server.link(), options);
      for (const place of ['status', 'activity', call, 'history', 'approvals', 'processes', 'access']) {
        await other.go(place);
        await until(other.page, WARM);
        assert.deepEqual(await violations(other), [], `${name} ${place}`);
        assert.equal(await overflow(other.page), 0, `${name} ${place}`);
        await picture(other.page, `${name}-${place.split('=')[0]}`);
      }
      assert.deepEqual(other.complaints, [], name);
      await other.close();
    }
    await view.go('approvals');
    await answerWith('Deny');
    await waiting;
  });

  test('signed out, and when the program has gone, the page says so', async () => {
    const { page } = view;
    const other = await openView(browser, await server.link());
    await other.page.getByRole('button', { name: 'Sign out' }).click();
    await other.page.getByText('local-coder page', { exact: true }).waitFor();
    assert.equal(await other.page.evaluate('sessionStorage.length'), 0);
    await other.close();

    // A session that the server knows no more, and a link that is opened where the page is open already.
    await page.evaluate("sessionStorage.setItem('local-coder', JSON.stringify({ session: 'x', csrf: 'y' }))");
    await page.evaluate("location.hash = 'access'");
    await page.getByText('local-coder page', { exact: true }).waitFor();
    assert.equal(await page.title(), 'local-coder');
    await page.evaluate(`location.href = ${JSON.stringify(await server.link())}`);
    await view.here.locator('h2', { hasText: 'Status' }).waitFor();
    assert.equal(page.url().split('#')[1], 'status');
    await page.locator('#live.on').waitFor();
    await server.stop();
    await page.getByText('reconnecting …').waitFor();
    view.complaints.length = 0; // the browser says that nobody answers, and who was not let in
  });
});
