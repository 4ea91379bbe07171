import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import {
  type AuthServer,
  authorizeUrl,
  Browser,
  codeFor,
  type Page,
  pkce,
  registerClient,
  startAuthServer,
} from './support/auth-server.ts';

const MINUTE = 60_000;

describe('consent', { timeout: 60_000 }, () => {
  let server: AuthServer;
  let clientId: string;
  before(async () => {
    server = await startAuthServer();
    clientId = await registerClient(server);
  });
  after(async () => {
    assert.deepEqual(server.defects, []);
    await server.close();
  });
  beforeEach(() => server.pass(11 * MINUTE)); // nothing waits any more, codes can be had again

  const url = () => authorizeUrl(server, clientId, pkce().challenge);
  const asked = async (): Promise<{ browser: Browser; page: Page }> => {
    const browser = new Browser();
    return { browser, page: await browser.open(url()) };
  };
  const wrong = (page: Page) => (codeFor(server, page).startsWith('ACDE') ? 'FGHJ-KMNP' : 'ACDE-FGHJ');
  const letIn = (answer: Page) => new URL(answer.leadsTo ?? 'none:').searchParams.has('code');

  test('the page names client, host, modes and number, and is closed to everything else', async () => {
    const { browser, page } = await asked();
    assert.equal(page.status, 200);
    for (const shown of [
      'Test client',
      'client.example',
      'nobody vouches',
      'Full',
      'Workspace',
      'Read only',
    ]) {
      assert.ok(page.text.includes(shown), shown);
    }
    assert.match(page.number ?? '', /^\d{4}$/);
    assert.equal(page.fields['access'], 'full');
    const policy = page.headers.get('content-security-policy') ?? '';
    const style = /<style>([\s\S]*?)<\/style>/.exec(page.html)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    assert.equal(
      policy,
      `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
    );
    assert.equal(page.headers.get('x-frame-options'), 'DENY');
    assert.equal(page.headers.get('referrer-policy'), 'same-origin');
    assert.equal(page.headers.get('cache-control'), 'no-store');
    assert.doesNotMatch(page.html, /<script|<img|<link|<iframe|https?:\/\/(?!www\.w3)|style="| on\w+=/);
    assert.match(page.html, /<meta name="viewport"/);
    assert.match(page.html, /prefers-color-scheme: dark/);
    assert.match(browser.cookie ?? '', /^local-coder=[\w-]{43}$/);
  });

  test('under https the cookie is one that no other host can set', async () => {
    const https = await startAuthServer({ publicUrl: 'https://public.example' });
    try {
      const page = await new Browser().open(
        authorizeUrl(https, await registerClient(https), pkce().challenge),
      );
      assert.match(
        page.headers.get('set-cookie') ?? '',
        /^__Host-local-coder=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/,
      );
    } finally {
      await https.close();
    }
  });

  test('the terminal tells number, client, host and code in one line; strangers cannot move its cursor', async () => {
    const { page } = await asked();
    assert.match(
      server.announcedLines().at(-1) ?? '',
      new RegExp(
        `^One-time code: [A-Z0-9]{4}-[A-Z0-9]{4} {2}for request ${page.number}: "Test client" at client\\.example, valid for 10 minutes$`,
      ),
    );
    const evil = await registerClient(server, {
      client_name: 'Chat\u001b[2JGPT\r\nOne-time code: \u202eevil\u2066\u200b<script>alert(1)</script>"',
    });
    server.pass(11 * MINUTE);
    const shown = await new Browser().open(authorizeUrl(server, evil, pkce().challenge));
    const line = server.announcedLines().at(-1) ?? '';
    assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069]/);
    assert.doesNotMatch(shown.html, /<script|\u202e|\u001b/);
    assert.ok(shown.html.includes('&lt;script&gt;'));
    const long = await registerClient(server, { client_name: 'x'.repeat(5_000) });
    assert.ok((await new Browser().open(authorizeUrl(server, long, pkce().challenge))).html.length < 12_000);
  });

  test('the right code lets in once, typed in any way', async () => {
    const { browser, page } = await asked();
    const code = ` ${codeFor(server, page).toLowerCase().replace('-', ' ')} `;
    const answer = await browser.submit(page, { decision: 'allow', code });
    assert.equal(answer.status, 200);
    assert.ok(letIn(answer));
    assert.ok(answer.html.includes('Continue'), 'a link, where the refresh is off');
    assert.equal(server.desk.pending().length, 0);
    const again = await browser.submit(page, { decision: 'allow', code });
    assert.equal(again.status, 403);
    assert.equal(again.leadsTo, undefined);
  });

  test('the right code at ten places at once lets in once', async () => {
    const { browser, page } = await asked();
    const fields = { decision: 'allow', code: codeFor(server, page) };
    const answers = await Promise.all(Array.from({ length: 10 }, () => browser.submit(page, fields)));
    assert.equal(answers.filter(letIn).length, 1);
  });

  test('five wrong codes burn the request, then the right one is refused too', async () => {
    const { browser, page } = await asked();
    for (const left of ['4 tries are left', '3 tries are left', '2 tries are left', 'One try is left']) {
      const answer = await browser.submit(page, { decision: 'allow', code: wrong(page) });
      assert.equal(answer.status, 403);
      assert.ok(answer.text.includes(left), left);
      assert.equal(answer.number, page.number);
    }
    const burnt = await browser.submit(page, { decision: 'allow', code: wrong(page) });
    assert.ok(burnt.text.includes('no code any more'));
    const late = await browser.submit(page, { decision: 'allow', code: codeFor(server, page) });
    assert.equal(late.status, 403);
    assert.equal(late.leadsTo, undefined);
  });

  test('guesses at many places at once are five guesses', async () => {
    const { browser, page } = await asked();
    const right = codeFor(server, page);
    const guesses = Array.from({ length: 40 }, (_, n) => (n === 30 ? right : wrong(page)));
    const answers: Page[] = [];
    await Promise.all(
      guesses.map(async (code) => answers.push(await browser.submit(page, { decision: 'allow', code }))),
    );
    const counted = answers.filter(({ text }) => /(tries are|try is) left/.test(text)).length;
    assert.ok(counted <= 4, `${counted} wrong codes before the request was burnt`);
    assert.ok(answers.filter(letIn).length <= 1);
    assert.ok(answers.some(({ text }) => text.includes('no code any more')));
  });

  test('the code of another request is a wrong one', async () => {
    const [first, second] = [await asked(), await asked()];
    assert.notEqual(first.page.number, second.page.number);
    const code = codeFor(server, first.page);
    const answer = await second.browser.submit(second.page, { decision: 'allow', code });
    assert.ok(answer.text.includes('4 tries are left'));
    assert.ok(letIn(await first.browser.submit(first.page, { decision: 'allow', code })));
  });

  test('after ten minutes nothing of it is left', async () => {
    const { browser, page } = await asked();
    assert.equal(server.desk.pending().length, 1);
    server.pass(10 * MINUTE + 1);
    assert.equal(server.desk.pending().length, 0);
    const answer = await browser.submit(page, { decision: 'allow', code: codeFor(server, page) });
    assert.equal(answer.status, 400);
    assert.equal(answer.leadsTo, undefined);
  });

  test('loading the page anew asks for no second code', async () => {
    const browser = new Browser();
    const same = url();
    const pages = [await browser.open(same), await browser.open(same), await browser.open(same)];
    // The first visit had no cookie yet; the others are recognised.
    assert.equal(pages[1]?.number, pages[2]?.number);
    assert.equal(server.desk.pending().length, 1);
  });

  test('deny tells the client', async () => {
    const { browser, page } = await asked();
    const answer = await browser.submit(page, { decision: 'deny' });
    const told = new URL(answer.leadsTo ?? 'none:').searchParams;
    assert.equal(told.get('error'), 'access_denied');
    assert.equal(told.get('state'), 'state of the client');
    assert.equal(told.get('iss'), server.base);
    assert.equal(server.desk.pending().length, 0);
  });

  describe('a form that is not ours', () => {
    const cases: Record<
      string,
      (page: Page, browser: Browser) => { fields?: Record<string, string>; headers?: Record<string, string> }
    > = {
      'from another site': () => ({ headers: { origin: 'https://evil.example' } }),
      'from a frame without origin': () => ({ headers: { origin: 'null' } }),
      'from another site, as the browser says': () => ({ headers: { 'sec-fetch-site': 'cross-site' } }),
      'without the cookie': (_page, browser) => {
        browser.cookie = undefined;
        return {};
      },
      'with the cookie of another browser': (_page, browser) => {
        browser.cookie = `local-coder=${'A'.repeat(43)}`;
        return {};
      },
      'with another request in it': (page) => {
        const [content = '', signature = ''] = (page.fields['request'] ?? '').split('.');
        const changed = Buffer.from(content, 'base64url')
          .toString()
          .replace('client.example', 'evil.example');
        return { fields: { request: `${Buffer.from(changed).toString('base64url')}.${signature}` } };
      },
      'without a signature': (page) => ({ fields: { request: page.fields['request']?.split('.')[0] ?? '' } }),
      'with nonsense': () => ({ fields: { request: '%%%.%%%' } }),
      'without a request': () => ({ fields: { request: '' } }),
      'with a mode that is none': () => ({ fields: { access: 'root' } }),
      'without a decision': () => ({ fields: { decision: '' } }),
    };
    for (const [name, change] of Object.entries(cases)) {
      test(`is refused: ${name}`, async () => {
        const { browser, page } = await asked();
        const { fields = {}, headers = {} } = change(page, browser);
        const code = codeFor(server, page);
        const answer = await browser.submit(page, { decision: 'allow', code, ...fields }, headers);
        assert.ok(answer.status === 400 || answer.status === 403, String(answer.status));
        assert.equal(answer.leadsTo, undefined);
        assert.ok(!answer.html.includes(code));
        assert.equal(server.desk.pending().length, 1, 'the request still waits');
      });
    }

    test('is refused: as text, twice the same field, too large', async () => {
      const { browser, page } = await asked();
      const post = async (body: string, type: string) => {
        const headers = { 'content-type': type, cookie: browser.cookie ?? '' };
        const response = await fetch(`${server.base}/authorize`, { method: 'POST', headers, body });
        await response.arrayBuffer();
        return response.status;
      };
      const form = new URLSearchParams({ ...page.fields, decision: 'allow', code: codeFor(server, page) });
      assert.equal(await post(String(form), 'text/plain'), 415);
      assert.equal(await post(`${form}&code=x`, 'application/x-www-form-urlencoded'), 400);
      assert.equal(await post(`${form}&x=${'x'.repeat(20_000)}`, 'application/x-www-form-urlencoded'), 413);
      assert.equal(await post(String(form), 'application/x-www-form-urlencoded'), 200);
    });

    test('is refused: made for an old public URL', async () => {
      const { browser, page } = await asked();
      const code = codeFor(server, page);
      server.at.publicUrl = 'http://127.0.0.1:1';
      try {
        assert.equal((await browser.submit(page, { decision: 'allow', code })).status, 400);
      } finally {
        server.at.publicUrl = undefined;
      }
    });
  });

  test('looking ahead costs nothing: HEAD makes no request', async () => {
    const before = server.announced.length;
    assert.equal((await fetch(url(), { method: 'HEAD' })).status, 405);
    assert.equal(server.announced.length, before);
  });

  test('an error is a page for people and JSON for programs', async () => {
    const bad = authorizeUrl(server, 'nobody', pkce().challenge);
    const page = await new Browser().open(bad);
    assert.equal(page.status, 400);
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
    assert.match(page.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/);
    const json = await fetch(bad);
    assert.match(json.headers.get('content-type') ?? '', /^application\/json/);
    assert.equal(((await json.json()) as { error: string }).error, 'invalid_client');
  });
});

describe('the owner', { timeout: 60_000 }, () => {
  let server: AuthServer;
  let clientId: string;
  before(async () => {
    server = await startAuthServer();
    clientId = await registerClient(server);
  });
  after(() => server.close());
  beforeEach(() => server.pass(11 * MINUTE));

  const ask = async () => {
    const browser = new Browser();
    const page = await browser.open(authorizeUrl(server, clientId, pkce().challenge));
    return {
      page,
      press: (fields: Record<string, string> = {}) => browser.submit(page, { decision: 'allow', ...fields }),
    };
  };
  const codeOf = (answer: Page) => new URL(answer.leadsTo ?? 'none:').searchParams.get('code');

  test('sees what waits, without codes, and hears of changes', async () => {
    let changes = 0;
    const stop = server.desk.onChange(() => changes++);
    const { page } = await ask();
    const [waiting, ...more] = server.desk.pending();
    assert.deepEqual(more, []);
    assert.equal(waiting?.number, page.number);
    assert.equal(waiting?.reference, page.reference);
    assert.equal(waiting?.client, 'Test client');
    assert.equal(waiting?.host, 'client.example');
    assert.ok(!JSON.stringify(waiting).includes(codeFor(server, page)));
    assert.equal(await server.desk.deny(page.reference ?? ''), true);
    assert.equal(changes, 2);
    stop();
  });

  test('approves here, and the browser goes on without a code, once', async () => {
    const { page, press } = await ask();
    assert.equal((await press()).status, 403, 'not yet');
    assert.equal(await server.desk.approve(page.reference?.toLowerCase() ?? '', 'read-only'), true);
    assert.equal(server.desk.pending().length, 0);
    assert.ok(codeOf(await press({ access: 'full' })));
    const again = await press();
    assert.equal(again.status, 403);
    assert.equal(again.leadsTo, undefined);
  });

  test('denies here, and the client hears it', async () => {
    const { page, press } = await ask();
    await server.desk.deny(page.reference ?? '');
    const told = new URL((await press({ code: codeFor(server, page) })).leadsTo ?? 'none:').searchParams;
    assert.equal(told.get('error'), 'access_denied');
  });

  test('an answer of the owner is for ten minutes', async () => {
    const { page, press } = await ask();
    await server.desk.approve(page.reference ?? '');
    server.pass(10 * MINUTE + 1);
    assert.equal((await press()).leadsTo, undefined);
    assert.equal(await server.desk.approve('no reference'), false);
    assert.equal(await server.desk.approve(''), false);
  });

  test('is not locked out by strangers who take every place, and not by their asking on', async () => {
    const strangers = [await ask(), await ask(), await ask()];
    assert.equal(server.desk.pending().length, 3);
    for (let n = 0; n < 30; n++) await ask();
    assert.equal(server.desk.pending().length, 3, 'at most three wait with a code');
    const mine = await ask();
    assert.equal(mine.page.number, undefined);
    assert.ok(mine.page.text.includes('No code was printed'));
    assert.equal((await mine.press({ code: 'ACDE-FGHJ' })).status, 403);
    assert.equal(await server.desk.approve(mine.page.reference ?? ''), true);
    assert.ok(codeOf(await mine.press()));
    for (const { press } of strangers) assert.equal((await press()).leadsTo, undefined);
  });

  test('is not flooded: a stranger who burns requests gets twelve codes in ten minutes', async () => {
    const before = server.announced.length;
    for (let n = 0; n < 20; n++) await (await ask()).press({ decision: 'deny' });
    assert.equal(server.announced.length - before, 12);
    const mine = await ask();
    await server.desk.approve(mine.page.reference ?? '');
    assert.ok(codeOf(await mine.press()));
    server.pass(10 * MINUTE + 1);
    assert.ok((await ask()).page.number);
  });

  test('codes have no letters that look alike, and no two are the same', () => {
    const codes = server.announced.map(({ code }) => code);
    assert.ok(codes.length > 12);
    for (const code of codes)
      assert.match(code, /^[ACDEFGHJKMNPQRTUVWXY3479]{4}-[ACDEFGHJKMNPQRTUVWXY3479]{4}$/);
    assert.equal(new Set(codes).size, codes.length);
  });
});
