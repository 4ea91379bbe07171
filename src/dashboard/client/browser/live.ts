import { find, parse, text } from './dom.ts';
import { addRows, dropRows } from './lists.ts';
import { pull, watchedProcess } from './output.ts';
import { place, refresh, stale } from './routes.ts';
import { ask, currentSession } from './session.ts';

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;
/** The server sends something every 15 s; a stream that is silent for longer is dead, whatever the socket says. */
const SILENCE_MS = 40_000;

let stream: AbortController | undefined;
let follows = '';
let waitMs = FIRST_WAIT_MS;
let retry = 0;

/** Places that an event is about: who looks at one of them sees it anew. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  status: ['status'],
  approvals: ['approvals', 'status'],
  processes: ['processes', 'process', 'status'],
  access: ['access', 'status'],
  history: ['history', 'checkpoint', 'file', 'since'],
  calls: ['status'],
  skipped: ['activity'],
};

/** Opens the live view, or opens it anew when another process is looked at. */
export function connect(): void {
  if (currentSession() === undefined) return;
  if (stream && follows === watchedProcess()) return;
  stream?.abort();
  clearTimeout(retry);
  follows = watchedProcess();
  const mine = new AbortController();
  stream = mine;
  void read(mine).then(
    () => again(mine),
    () => again(mine),
  );
}

export function disconnect(): void {
  stream?.abort();
  stream = undefined;
  clearTimeout(retry);
}

function again(mine: AbortController): void {
  if (stream !== mine) return;
  stream = undefined;
  stale();
  indicate(false);
  retry = window.setTimeout(connect, waitMs * (0.75 + Math.random() / 2));
  waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
}

async function read(mine: AbortController): Promise<void> {
  const answer = await ask(`events${follows ? `?process=${follows}` : ''}`, undefined, mine.signal);
  const reader = answer.ok ? answer.body?.getReader() : undefined;
  if (!reader) return;
  indicate(true);
  waitMs = FIRST_WAIT_MS;
  // What happened before the stream was open.
  refresh();
  void countApprovals();
  const decoder = new TextDecoder();
  let buffer = '';
  let silence = 0;
  for (;;) {
    clearTimeout(silence);
    silence = window.setTimeout(() => mine.abort(), SILENCE_MS);
    const { done, value } = await reader.read();
    if (done) break;
    buffer += decoder.decode(value, { stream: true });
    const events = buffer.split(/\r?\n\r?\n/);
    buffer = events.pop() ?? '';
    for (const event of events) take(event);
  }
  clearTimeout(silence);
}

/** One event, as it came: lines of `event:` and `data:`. */
function take(event: string): void {
  let name = '';
  const data: string[] = [];
  for (const line of event.split(/\r?\n/)) {
    if (line.startsWith('event:')) name = line.slice(6).trim();
    else if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
  }
  if (name === 'resync') {
    stale();
    dropRows();
    refresh();
    void pull();
  } else if (name === 'skipped') stale();
  else if (name === 'output') void pull();
  else if (name === 'approvals') void countApprovals();
  if (name === 'calls') {
    // Who does not look costs nothing; the list is asked for when the tab comes back.
    if (document.hidden) stale();
    else addRows(data.join('\n'));
  }
  if (PLACES[name]?.includes(place().name)) refresh();
}

let counting = false;
let countAgain = false;

/** The number of questions that wait, for the tab's title and the link. */
export async function countApprovals(): Promise<void> {
  countAgain = counting;
  if (counting) return;
  counting = true;
  try {
    const answer = await ask('approvals');
    if (answer.ok) showCount(parse(await answer.text()).querySelectorAll('article').length);
  } catch {
    // The live view says that the server is away.
  } finally {
    counting = false;
    if (countAgain) void countApprovals();
  }
}

export function showCount(count: number): void {
  document.title = count > 0 ? `(${count}) local-coder` : 'local-coder';
  const badge = find('#badge') as HTMLElement;
  badge.hidden = count === 0;
  badge.textContent = String(count);
}

function indicate(isLive: boolean): void {
  const sign = find('#live') as HTMLElement;
  sign.className = isLive ? 'live on' : 'live';
  sign.textContent = text(isLive ? 'live' : 'reconnecting');
}
