/** The real program with its page on a free loopback port, in this process: tests reach its parts. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGatekeeper } from '../../../src/cli/caller-auth.ts';
import { startProgram } from '../../../src/cli/program.ts';
import { ServedModes } from '../../../src/cli/served-modes.ts';
import type { SettingName } from '../../../src/config/definitions.ts';
import { loadSettings } from '../../../src/config/load.ts';
import { openStateDir } from '../../../src/config/state-dir.ts';
import { CallBook } from '../../../src/dashboard/call-book.ts';
import { createDashboard } from '../../../src/dashboard/dashboard.ts';
import { LoginLinks } from '../../../src/dashboard/login-links.ts';
import type { DashboardParts } from '../../../src/dashboard/parts.ts';
import { createApp } from '../../../src/http/app.ts';
import { listen } from '../../../src/http/listener.ts';
import { createMcpEndpoint } from '../../../src/mcp/http.ts';
import { createLog } from '../../../src/runtime/log.ts';

export interface Page {
  readonly session: string;
  readonly csrf: string;
}

export async function startPage(given: Readonly<Record<string, unknown>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'lc-page-'));
  const work = join(folder, 'work');
  await mkdir(work);
  const flags = new Map<string, unknown>([
    ['workspace', [work]],
    ['state-dir', join(folder, 'state')],
    ...Object.entries(given),
  ]);
  const settings = await loadSettings(flags as Map<SettingName, unknown>, {}, work);
  const { stateDir } = await openStateDir(settings['state-dir']);
  const log = createLog('error');
  const calls = new CallBook();
  const program = startProgram(settings, stateDir, log, { calls });
  const errors: unknown[] = [];
  const mcp = createMcpEndpoint({
    registry: program.registry,
    instructions: program.instructions,
    onError: (error) => errors.push(error),
  });
  const modes = new ServedModes({ program, mcp }, settings, stateDir, log);
  const gatekeeper = await openGatekeeper(settings, stateDir, log);
  const links = new LoginLinks();
  let port = 0;
  let logins = 0;
  const parts: DashboardParts = {
    settings: { roots: settings.workspace, access: settings.access, approve: settings.approve },
    address: () => `http://127.0.0.1:${port}/mcp`,
    startedAtMs: Date.now(),
    calls,
    services: () => modes.services,
    approvals: program.approvals,
    tunnel: () => undefined,
    connector: async () => undefined,
    gatekeeper: { auth: 'oauth', ...gatekeeper },
    links,
    owner: async () => ({ pid: process.pid, startTime: 'test' }),
    stateDir,
    onLogin: () => {
      logins++;
    },
    onError: (error) => errors.push(error),
  };
  const dashboard = createDashboard(parts);
  const app = createApp({
    mcp,
    workspace: program.services.workspace,
    offers: program.services.offers,
    port: () => port,
    page: (request) => dashboard.fetch(request),
    onRequest: (line) => {
      if (line.method !== undefined) calls.clients.seen(line.client, Date.now());
    },
    onError: (error) => errors.push(error),
  });
  const listener = await listen(app.fetch, { host: '127.0.0.1', port: 0 });
  port = listener.port;
  const origin = `http://127.0.0.1:${port}`;

  const send = (path: string, init: RequestInit & { headers?: Record<string, string> } = {}) =>
    fetch(`${origin}${path}`, init);
  const login = async (token = links.add(60_000)): Promise<Page> => {
    const answer = await send('/page/login', json({ token }));
    return (await answer.json()) as Page;
  };
  return {
    origin,
    port,
    folder,
    work,
    stateDir,
    parts,
    dashboard,
    calls,
    links,
    errors,
    registry: program.registry,
    approvals: program.approvals,
    services: program.services,
    gatekeeper,
    get logins() {
      return logins;
    },
    send,
    login,
    /** GET as who is logged in. */
    get: (page: Page, path: string) => send(path, { headers: proof(page) }),
    /** POST as who is logged in. */
    post: (page: Page, path: string, body: unknown = {}) => {
      const { headers, ...init } = json(body);
      return send(path, { ...init, headers: { ...headers, ...proof(page) } });
    },
    /** A tool call as a client makes it. */
    async call(name: string, args: object, client?: string) {
      const answer = await send('/mcp', {
        ...json({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }),
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...(client === undefined ? {} : { 'user-agent': client }),
        },
      });
      const text = await answer.text();
      return JSON.parse(text.startsWith('{') ? text : (text.split('data: ').at(-1) ?? '')) as {
        result: { content: { text: string }[]; isError?: boolean };
      };
    },
    async close() {
      await dashboard.close();
      await listener.close(0);
      await program.registry.drain(100);
      await program.close();
      await modes.close(0);
      await mcp.close();
      gatekeeper.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

export type PageServer = Awaited<ReturnType<typeof startPage>>;

export function json(body: unknown) {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json' } as Record<string, string>,
    body: JSON.stringify(body),
  };
}

export function proof({ session, csrf }: Page): Record<string, string> {
  return { 'x-local-coder-session': session, 'x-local-coder-csrf': csrf };
}

/** Waits until something holds. @throws after ten seconds */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadlineMs = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`Not within ten seconds: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
