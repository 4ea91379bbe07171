import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import axe from 'axe-core';
import { build } from 'esbuild';
import { type Browser, chromium, type Frame, type Page } from 'playwright-core';
import { VIEW_HTML } from '../../../src/widgets/view-document.ts';
import { ROOT } from '../../support/built.ts';

/** What the specification has a host set where a resource asks for no origin ("Restrictive Default", "Sandbox proxy"). */
const VIEW_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "media-src 'self' data:",
  "connect-src 'none'",
  "frame-src 'none'",
  "object-src 'none'",
  "base-uri 'self'",
].join('; ');
const HOST_HTML =
  '<!doctype html><html lang="en"><title>host</title><style>body{margin:0}iframe{border:0;width:100%;height:60px;display:block}</style><body><script type="module" src="/host.js"></script>';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** Kept for whoever wants to look at them. */
const SCREENSHOTS = join(ROOT, '.cache/screenshots/widgets');

/** Evaluated in the view: how high its content is. */
export const VIEW_HEIGHT = 'Math.ceil(document.getElementById("view").getBoundingClientRect().height)';

/** Evaluated in a frame: settles when what has changed so far is on the screen. */
const PAINTED = 'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))';

export interface HostContext {
  readonly theme?: 'light' | 'dark';
  readonly locale?: string;
  readonly toolInfo?: object;
  readonly styles?: object;
}

/** A browser with a host page in it, the view in the page's frame. */
export async function openHost(program: string) {
  const script = await build({
    entryPoints: [join(import.meta.dirname, 'host-page.js')],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    logLevel: 'error',
  });
  const asked: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    asked.push(url);
    const [type, body, policy] =
      url === '/host.js'
        ? ['text/javascript', script.outputFiles[0]!.text]
        : url === '/view'
          ? ['text/html', VIEW_HTML, VIEW_POLICY]
          : ['text/html', HOST_HTML];
    response.writeHead(200, {
      'content-type': `${type}; charset=utf-8`,
      ...(policy !== undefined && { 'content-security-policy': policy }),
    });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const browser: Browser = await chromium.launch({ executablePath: program, headless: true, args: FLAGS });
  const page: Page = await browser.newPage({ viewport: { width: 760, height: 720 } });
  const written: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') written.push(message.text());
  });
  page.on('pageerror', (error) => written.push(String(error)));
  const requests: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  await page.route('**/favicon.ico', (route) => route.fulfill({ status: 204 }));
  await page.goto(`http://127.0.0.1:${port}/`);
  const host = <T>(call: string, ...values: unknown[]) =>
    page.evaluate(
      `window.host.${call}(${values.map((value) => JSON.stringify(value)).join(',')})`,
    ) as Promise<T>;
  return {
    page,
    host,
    /** Errors and warnings of the console. */
    written,
    /** Addresses that anything asked for. */
    requests,
    asked,
    /** Opens a new view. */
    async open(context: HostContext = {}): Promise<Frame> {
      await host('open', context);
      const frame = page.frames().find((one) => one.url().endsWith('/view'));
      if (frame === undefined) throw new Error('there is no view');
      return frame;
    },
    seen: () => page.evaluate('window.host.seen') as Promise<HostSeen>,
    async screenshot(name: string): Promise<void> {
      await mkdir(SCREENSHOTS, { recursive: true });
      // As a user sees it: with the height that the view asked for.
      const frame = page.frames().find((one) => one.url().endsWith('/view'));
      const height = await frame?.evaluate(VIEW_HEIGHT);
      await page.waitForFunction(`window.host.seen.sizes.at(-1)?.height === ${height}`);
      for (const one of [page, frame]) await one?.evaluate(PAINTED);
      await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
    },
    async close(): Promise<void> {
      await browser.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface HostSeen {
  readonly sizes: readonly { width?: number; height?: number }[];
  readonly problems: readonly string[];
  readonly app: { capabilities: unknown; version: unknown };
}

/** axe-core's serious findings, one line each. */
export async function seriousProblems(frame: Frame): Promise<string[]> {
  await frame.evaluate(axe.source);
  const found = (await frame.evaluate('axe.run(document)')) as axe.AxeResults;
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`);
}
