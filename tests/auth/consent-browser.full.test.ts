import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import {
  type AuthServer,
  authorizeUrl,
  pkce,
  registerClient,
  startAuthServer,
} from './support/auth-server.ts';
import { type ChromiumPage, findChromium, openChromium } from './support/chromium.ts';

const chromium = await findChromium();

describe('the consent page in a real browser', {
  timeout: 90_000,
  skip: chromium === undefined && 'there is no Chromium on this machine',
}, () => {
  let server: AuthServer;
  let page: ChromiumPage;
  const servers: Server[] = [];
  const visited: string[] = [];
  const serve = async (listener: RequestListener): Promise<number> => {
    const started = createServer(listener);
    servers.push(started);
    await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
    return (started.address() as AddressInfo).port;
  };
  before(async () => {
    server = await startAuthServer();
    page = await openChromium(chromium ?? '');
  });
  after(async () => {
    await page?.close();
    await server?.close();
    for (const started of servers) {
      started.closeAllConnections();
      started.close();
    }
  });

  test('works without scripts, leads back through a chain of origins, and tells nobody where it came from', async () => {
    const end = await serve((request, response) => {
      if (request.url === '/end') visited.push(`end ${request.headers.referer}`);
      response.end('<p id="end">');
    });
    // A client's callback that leads on to another origin: form-action would stop it here.
    const callback = await serve((request, response) => {
      visited.push(`callback ${request.url?.split('?')[0]} ${request.headers.referer}`);
      response.writeHead(302, { location: `http://127.0.0.1:${end}/end` }).end();
    });
    const redirect_uri = `http://localhost:${callback}/callback`;
    const clientId = await registerClient(server, { redirect_uris: [redirect_uri] });
    await page.size(360, 800);
    await page.go(authorizeUrl(server, clientId, pkce().challenge, { redirect_uri }));
    await page.until('document.activeElement?.name === "code"');
    assert.equal(
      await page.evaluate('document.documentElement.scrollWidth > innerWidth'),
      false,
      'fits a phone',
    );
    assert.equal(
      await page.evaluate('getComputedStyle(document.querySelector("main")).maxWidth'),
      '512px',
      'styled',
    );

    await page.allowScripts(false);
    await page.type('AAAA-AAAA');
    await page.pressEnter();
    await page.allowScripts(true);
    await page.until('document.querySelector(".bad") !== null && document.activeElement.name === "code"');
    await page.allowScripts(false);
    await page.type(server.announced.at(-1)?.code.toLowerCase() ?? '');
    await page.pressEnter();
    await page.allowScripts(true);
    await page.until('document.querySelector("#end") !== null');
    assert.deepEqual(visited, ['callback /callback undefined', 'end undefined']);
    assert.deepEqual(
      page.console.filter((line) => /policy/i.test(line)),
      [],
    );
  });

  test('cannot be framed', async () => {
    const url = authorizeUrl(server, await registerClient(server), pkce().challenge);
    const frame = await serve((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end(
        `<iframe src="${url.replaceAll('&', '&amp;')}" onload="document.title = 'loaded'"></iframe>`,
      );
    });
    await page.go(`http://localhost:${frame}/`);
    await page.until('document.title === "loaded"');
    assert.ok(
      page.console.some((line) => line.includes("frame-ancestors 'none'")),
      page.console.join('; '),
    );
  });
});
