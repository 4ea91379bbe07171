import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { which } from '../../../src/runtime/which.ts';

/** A page of a real browser, driven over its DevTools protocol. */
export interface ChromiumPage {
  go(url: string): Promise<void>;
  /** The value of an expression in the page. */
  evaluate(expression: string): Promise<unknown>;
  /** Waits until an expression is true. */
  until(expression: string): Promise<void>;
  type(text: string): Promise<void>;
  pressEnter(): Promise<void>;
  /** Scripts of pages run or do not; evaluate works only while they do. */
  allowScripts(allowed: boolean): Promise<void>;
  size(width: number, height: number): Promise<void>;
  /** What the browser wrote to its console, refusals of its policies among them. */
  readonly console: string[];
  close(): Promise<void>;
}

/** The path of a Chromium on this machine. */
export async function findChromium(): Promise<string | undefined> {
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    const path = await which(name);
    if (path !== undefined) return path;
  }
  return undefined;
}

export async function openChromium(program: string): Promise<ChromiumPage> {
  const profile = await mkdtemp(join(tmpdir(), 'lc-chromium-'));
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--remote-debugging-port=0'];
  const browser = spawn(program, [...flags, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = new Promise((resolve) => browser.once('close', resolve));
  const port = await new Promise<string>((resolve, reject) => {
    let printed = '';
    browser.stderr.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      const found = /DevTools listening on ws:\/\/[^:]+:(\d+)/.exec(printed)?.[1];
      if (found !== undefined) resolve(found);
    });
    browser.once('close', () => reject(new Error(`Chromium did not start: ${printed}`)));
  });
  const target = await fetch(`http://127.0.0.1:${port}/json/new?about:blank`, { method: 'PUT' });
  const { webSocketDebuggerUrl } = (await target.json()) as { webSocketDebuggerUrl: string };
  const socket = new WebSocket(webSocketDebuggerUrl);
  await new Promise((resolve) => socket.addEventListener('open', resolve));
  const waiting = new Map<number, (message: Message) => void>();
  const console: string[] = [];
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.id !== undefined) waiting.get(message.id)?.(message);
    if (message.method === 'Log.entryAdded') console.push(message.params?.entry?.text ?? '');
  });
  let lastId = 0;
  const send = (method: string, params: object = {}): Promise<Message> =>
    new Promise((resolve) => {
      const id = ++lastId;
      waiting.set(id, resolve);
      socket.send(JSON.stringify({ id, method, params }));
    });
  for (const domain of ['Page', 'Log', 'Runtime']) await send(`${domain}.enable`);
  const evaluate = async (expression: string) =>
    (await send('Runtime.evaluate', { expression })).result?.result?.value;
  return {
    console,
    evaluate,
    async go(url) {
      await send('Page.navigate', { url });
    },
    async until(expression) {
      const deadline = Date.now() + 10_000;
      while ((await evaluate(expression)) !== true) {
        if (Date.now() > deadline) throw new Error(`never true: ${expression}; ${console.join('; ')}`);
        await new Promise((resolve) => setTimeout(resolve, 20)); // the page tells nobody
      }
    },
    async type(text) {
      await send('Input.insertText', { text });
    },
    async pressEnter() {
      const key = { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13 };
      await send('Input.dispatchKeyEvent', { type: 'keyDown', text: '\r', ...key });
      await send('Input.dispatchKeyEvent', { type: 'keyUp', ...key });
    },
    async allowScripts(allowed) {
      await send('Emulation.setScriptExecutionDisabled', { value: !allowed });
    },
    async size(width, height) {
      const device = { width, height, deviceScaleFactor: 1, mobile: width < 600 };
      await send('Emulation.setDeviceMetricsOverride', device);
    },
    async close() {
      socket.close();
      browser.kill();
      await exited;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly entry?: { readonly text: string } };
  readonly result?: { readonly result?: { readonly value?: unknown } };
}
