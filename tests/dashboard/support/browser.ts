/** A real Chromium and a real program on a terminal of its own, which prints the links that the browser opens. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from 'playwright-core';
import { openPty } from '../../../src/runtime/pty.ts';
import { findChromium } from '../../auth/support/chromium.ts';
import { ROOT } from '../../support/built.ts';
import { programCommand, programEnvironment, type Shape } from '../../support/programs.ts';

export const NO_CHROMIUM = 'there is no Chromium on this machine';
/** Looked at by people: what the page is like, section by section. */
const ARTIFACTS = join(ROOT, 'dist/test-artifacts/page');
const LIMIT_MS = 30_000;
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const chromiumPath = await findChromium();

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath ?? '', args: FLAGS, timeout: LIMIT_MS });
}

/** The shape that the page is tested in: the executable, as people have it. */
export const SHAPE: Shape = process.env['LOCAL_CODER_TEST_FULL'] === '1' ? 'executable' : 'source';

/** The program on a terminal. */
export interface TerminalServer {
  readonly origin: string;
  readonly url: string;
  readonly pid: number;
  readonly work: string;
  readonly stateDir: string;
  /** Everything that it has printed so far. */
  readonly printed: string;
  /** A link that nobody has opened yet. */
  link(): Promise<string>;
  /** As if typed. */
  type(text: string): Promise<void>;
  until(words: RegExp): Promise<RegExpExecArray>;
  stop(): Promise<void>;
}

export async function startOnTerminal(
  args: readonly string[] = [],
  stateDir?: string,
  env: Readonly<Record<string, string>> = {},
): Promise<TerminalServer> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'lc-browser-')));
  const work = join(folder, 'project');
  await mkdir(work);
  const state = stateDir ?? join(folder, 'state');
  const { command, args: all } = await programCommand(SHAPE, ['--port', '0', '--state-dir', state, ...args]);
  let printed = '';
  let ended = () => {};
  const exited = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const environment = { ...programEnvironment({ TERM: 'xterm-256color', ...env }) };
  const pty = await openPty({
    file: command,
    args: all,
    cwd: work,
    env: Object.fromEntries(
      Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    columns: 200,
    rows: 50,
    folder,
    onData: async (chunk) => {
      printed += chunk.toString('utf8');
    },
    onExit: () => ended(),
  });
  const until = async (words: RegExp, from = 0) => {
    const deadlineMs = performance.now() + LIMIT_MS;
    for (;;) {
      const found = words.exec(printed.slice(from));
      if (found) return found;
      if (performance.now() > deadlineMs) throw new Error(`${words} is not in\n${printed}`);
      await new Promise((resolve) => setTimeout(resolve, 20)); // the terminal tells nobody
    }
  };
  const [, origin = ''] = await until(/(http:\/\/127\.0\.0\.1:\d+)\/mcp/);
  let used = 0;
  return {
    origin,
    url: `${origin}/mcp`,
    pid: pty.pid,
    work,
    stateDir: state,
    get printed() {
      return printed;
    },
    async link() {
      const found = await until(/http:\/\/\S+\/#login=[\w-]+/, used);
      used += found.index + found[0].length;
      return found[0];
    },
    type: (text) => pty.write(text),
    until,
    async stop() {
      const timer = setTimeout(() => process.kill(pty.pid, 'SIGKILL'), 10_000);
      try {
        process.kill(pty.pid, 'SIGTERM');
      } catch {
        // It has ended.
      }
      await exited;
      clearTimeout(timer);
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

export interface View {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the browser complained of: errors, refusals of a policy. */
  readonly complaints: string[];
  /** Goes to a place and waits until it has been drawn. */
  go(hash: string): Promise<void>;
  /** The element of the place that is shown. */
  readonly here: Locator;
  close(): Promise<void>;
}

export interface ViewOptions {
  readonly scheme?: 'light' | 'dark';
  readonly width?: number;
  readonly locale?: string;
}

/** A browser of its own (storage, settings) that opens a link. */
export async function openView(browser: Browser, link: string, options: ViewOptions = {}): Promise<View> {
  const context = await browser.newContext({
    colorScheme: options.scheme ?? 'light',
    viewport: { width: options.width ?? 1280, height: 800 },
    locale: options.locale ?? 'en-US',
    reducedMotion: 'reduce',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  context.setDefaultTimeout(LIMIT_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    // A short command is forgotten with its end, and the page asks for the rest of its output once too often.
    const isForgotten = /\/output\?/.test(message.location().url) && / 404 /.test(message.text());
    if (['error', 'warning'].includes(message.type()) && !isForgotten) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(link);
  await page.locator('#main h2').first().waitFor();
  return {
    page,
    context,
    complaints,
    here: page.locator('#main > [data-place]:visible'),
    async go(hash) {
      const name = hash.split('=')[0] ?? '';
      await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
      await page.locator(`#main > [data-place="${name}"]:visible h2`).first().waitFor();
    },
    close: () => context.close(),
  };
}

/** Waits until an expression is true. Not by Playwright's own means: the page's policy stops its eval. */
export async function until(page: Page, expression: string): Promise<void> {
  const deadlineMs = performance.now() + LIMIT_MS;
  while ((await page.evaluate(expression)) !== true) {
    if (performance.now() > deadlineMs) throw new Error(`Never true: ${expression}`);
    await page.waitForTimeout(20);
  }
}

/** Keeps a picture of the whole page. */
export async function picture(page: Page, name: string): Promise<void> {
  await mkdir(ARTIFACTS, { recursive: true });
  await page.screenshot({ path: join(ARTIFACTS, `${name}.png`), fullPage: true });
}

let axeSource: Promise<string> | undefined;

/** What axe-core holds against the page, of serious and critical violations. */
export async function violations({ page, context }: Pick<View, 'page' | 'context'>): Promise<string[]> {
  axeSource ??= readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  // Past the page's policy, which lets no script of ours in.
  const session = await context.newCDPSession(page);
  try {
    await session.send('Runtime.evaluate', { expression: await axeSource });
    const { result } = await session.send('Runtime.evaluate', {
      expression: `axe.run().then(({ violations, passes }) => JSON.stringify({ violations, passes: passes.length }))`,
      awaitPromise: true,
    });
    const { violations: found, passes } = JSON.parse(String(result.value)) as {
      violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
      passes: number;
    };
    assert.ok(passes > 10, 'axe has looked');
    return found
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(
        ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`)}`,
      );
  } finally {
    await session.detach();
  }
}

/** Nothing may be wider than the window. */
export async function overflow(page: Page): Promise<number> {
  return page.evaluate<number>(
    'Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)',
  );
}
