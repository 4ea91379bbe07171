/** What a call costs while the local page is open and while it is not: on one server, taking turns. */
import { Agent, request } from 'node:http';
import { openLinkTable } from '../src/dashboard/link-table.ts';
import { hashOf, newSecret } from '../src/dashboard/login-links.ts';
import { processStartTime } from '../src/runtime/process-identity.ts';
import { median } from './statistics.ts';

export interface PageCost {
  readonly closedMs: number;
  readonly openMs: number;
}

export interface PageCostOptions {
  /** `http://127.0.0.1:PORT`, of a running server. */
  readonly origin: string;
  readonly pid: number;
  readonly stateDir: string;
  /** A small file of its workspace, which the calls read. */
  readonly file: string;
  readonly rounds: number;
}

/** Long enough that live updates, four a second, go out while calls are made. */
const CALLS_PER_TURN = 400;
const WARM_UP_CALLS = 1_000;
/** Before each turn: opening and closing the page is no part of what it costs to have it open. */
const SETTLING_CALLS = 40;

export async function measurePageCost(options: PageCostOptions): Promise<PageCost> {
  const { origin, file, rounds } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const headers = await logIn(options);
  const samples = { closed: [] as number[], open: [] as number[] };
  const take = async (into: number[] | undefined, count: number) => {
    for (let n = 0; n < count; n++) {
      const started = performance.now();
      await readFileCall(origin, agent, file);
      into?.push(performance.now() - started);
    }
  };
  try {
    await take(undefined, WARM_UP_CALLS);
    for (let round = 0; round < rounds; round++) {
      await take(undefined, SETTLING_CALLS);
      await take(samples.closed, CALLS_PER_TURN);
      const close = await openPage(origin, headers);
      try {
        await take(undefined, SETTLING_CALLS);
        await take(samples.open, CALLS_PER_TURN);
      } finally {
        await close();
      }
    }
  } finally {
    agent.destroy();
  }
  return { closedMs: median(samples.closed) ?? Number.NaN, openMs: median(samples.open) ?? Number.NaN };
}

/** As `local-coder page` does it, and then the browser. */
async function logIn({ origin, pid, stateDir }: PageCostOptions): Promise<Record<string, string>> {
  const token = newSecret();
  const table = await openLinkTable(stateDir);
  table.add({ pid, startTime: (await processStartTime(pid)) ?? '' }, hashOf(token), Date.now() + 60_000);
  table.close();
  const answer = await fetch(`${origin}/page/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  });
  const { session } = (await answer.json()) as { session?: string };
  if (session === undefined) throw new Error(`no login: ${answer.status}`);
  return { 'x-local-coder-session': session };
}

/** An open page: its sections were asked for, and its live updates are read. @returns what closes it */
async function openPage(origin: string, headers: Record<string, string>): Promise<() => Promise<void>> {
  for (const section of ['status', 'activity']) {
    await (await fetch(`${origin}/page/${section}`, { headers })).text();
  }
  const gone = new AbortController();
  const answer = await fetch(`${origin}/page/events`, { headers, signal: gone.signal });
  if (answer.status !== 200) throw new Error(`no live updates: ${answer.status}`);
  const read = (async () => {
    for await (const _chunk of answer.body ?? []) {
      // A page that is open takes what comes.
    }
  })().catch(() => {});
  return async () => {
    gone.abort();
    await read;
  };
}

function readFileCall(origin: string, agent: Agent, file: string): Promise<void> {
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'read_text_file', arguments: { path: file } },
  });
  return new Promise((resolve, reject) => {
    const sent = request(
      `${origin}/mcp`,
      {
        agent,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'content-length': Buffer.byteLength(body),
        },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        answer.on('end', () => (text.includes('\\"ok\\":true') ? resolve() : reject(new Error(text))));
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
