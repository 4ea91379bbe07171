import type { Context } from 'hono';
import type { Section } from './actions.ts';
import { answer, refusal } from './answers.ts';
import type { BookedCall } from './call-book.ts';
import { EventStream } from './event-stream.ts';
import { localeOf } from './fragments.ts';
import type { PageEnv } from './guard.ts';
import type { DashboardParts } from './parts.ts';
import { callOf } from './sources/activity.ts';
import { processesSign, shellOf } from './sources/processes.ts';
import { activityRows, type Locale } from './views/index.ts';

/** What happens between two looks goes out as one message: at most four a second, whatever the calls. */
const GATHER_MS = 250;
/** Rows of one message; how many more there were is a number. */
const MAX_ROWS = 100;
/**
 * Of all readers together. A browser opens six connections to one origin, and streams that take all of them would leave
 * none to answer anything with.
 */
const MAX_STREAMS = 4;
/** Looks at what tells nobody that it changes: the process table, a watched output, the tunnel. */
const LOOK_MS = 500;
/** The numbers of the status change by themselves. */
const STATUS_MS = 5_000;

interface Reader {
  readonly stream: EventStream;
  readonly locale: Locale;
  /** Id of the process whose output is watched. */
  readonly process: string | undefined;
  outputBytes: number;
}

/**
 * The page's live updates. While nobody looks there is no listener, no timer, and nothing is computed.
 *
 * `calls`: rows of calls that began or changed. `skipped`: how many more did. `approvals`: how many wait. `status`,
 * `processes`, `history`, `access`: ask again. `output`: the watched process (its id) has printed more or ended.
 * `resync`: something was left out for this reader; ask for everything again.
 */
export function createEvents(parts: DashboardParts) {
  const readers = new Set<Reader>();
  const changedCalls = new Map<string, BookedCall>();
  const changedSections = new Set<Section>();
  let gathering: NodeJS.Timeout | undefined;
  let stopListening: (() => void) | undefined;

  const changed = (section: Section) => {
    if (readers.size === 0) return;
    changedSections.add(section);
    gather();
  };
  const gather = () => {
    gathering ??= setTimeout(() => {
      gathering = undefined;
      flush().catch(parts.onError);
    }, GATHER_MS);
  };
  const flush = async () => {
    const calls = [...changedCalls.values()];
    changedCalls.clear();
    const sections = [...changedSections];
    changedSections.clear();
    if (calls.length > 0) await sendCalls(calls);
    for (const section of sections) {
      const data = section === 'approvals' ? String(parts.approvals.waiting().length) : '1';
      for (const { stream } of readers) stream.send(section, data);
    }
  };
  const sendCalls = async (calls: readonly BookedCall[]) => {
    const rows = calls.slice(-MAX_ROWS).reverse().map(callOf);
    const drawn = new Map<Locale, string>();
    for (const { locale } of readers) {
      if (!drawn.has(locale)) drawn.set(locale, String(await activityRows(rows, locale)));
    }
    for (const { stream, locale } of readers) {
      stream.send('calls', drawn.get(locale) ?? '');
      if (calls.length > rows.length) stream.send('skipped', String(calls.length - rows.length));
    }
  };

  const listen = () => {
    const stops = [
      parts.calls.onChange((call) => {
        // The latest word on a call stands last.
        changedCalls.delete(call.id);
        changedCalls.set(call.id, call);
        if (call.checkpointId !== undefined) changedSections.add('history');
        gather();
      }),
      parts.approvals.onChange(() => changed('approvals')),
      parts.gatekeeper?.desk.onChange(() => changed('access')),
    ];
    let sign = '';
    let tunnel = tunnelSign(parts);
    const look = setInterval(() => {
      const now = processesSign(parts);
      if (now !== sign) changed('processes');
      sign = now;
      const tunnelNow = tunnelSign(parts);
      if (tunnelNow !== tunnel) changed('status');
      tunnel = tunnelNow;
      void lookAtOutputs();
    }, LOOK_MS);
    let grants = '';
    const status = setInterval(() => {
      changed('status');
      // Clients are let in and turned out by commands and other instances, too.
      parts.gatekeeper?.store.grants.list(Date.now()).then((list) => {
        const now = JSON.stringify(list.map(({ id, usedMs }) => [id, usedMs]));
        if (grants !== '' && now !== grants) changed('access');
        grants = now;
      }, parts.onError);
    }, STATUS_MS);
    look.unref();
    status.unref();
    return () => {
      for (const stop of stops) stop?.();
      clearInterval(look);
      clearInterval(status);
      clearTimeout(gathering);
      gathering = undefined;
      changedCalls.clear();
      changedSections.clear();
    };
  };

  const lookAtOutputs = async () => {
    for (const reader of readers) {
      const { process } = reader;
      if (process === undefined) continue;
      const bytes = await shellOf(parts, process)
        .then((shell) => shell.processInfo(process))
        .then(
          ({ state, outputBytes }) => (state === 'running' ? outputBytes : -1),
          () => -1,
        );
      if (bytes !== reader.outputBytes) reader.stream.send('output', process);
      reader.outputBytes = bytes;
    }
  };

  return {
    changed,

    /** GET /page/events: the stream of a logged-in reader. */
    stream(context: Context<PageEnv>): Response {
      const session = context.get('session');
      // Hono answers HEAD by GET, and nobody would read this.
      if (context.req.method !== 'GET') return refusal(405, 'GET_ONLY', 'Live updates are read with GET.');
      if (readers.size >= MAX_STREAMS) {
        return refusal(429, 'TOO_MANY', 'The page is open in too many tabs; this one has no live updates.');
      }
      const end = () => reader.stream.end();
      const reader: Reader = {
        stream: new EventStream(() => {
          session.ended.removeEventListener('abort', end);
          readers.delete(reader);
          if (readers.size > 0) return;
          stopListening?.();
          stopListening = undefined;
        }),
        locale: localeOf(context),
        process: context.req.query('process') || undefined,
        outputBytes: 0,
      };
      readers.add(reader);
      stopListening ??= listen();
      session.ended.addEventListener('abort', end, { once: true });
      return answer(200, 'text/event-stream', reader.stream.body, { 'x-accel-buffering': 'no' });
    },

    /** Open streams. */
    get readers(): number {
      return readers.size;
    },

    close(): void {
      for (const { stream } of readers) stream.end();
    },
  };
}

/** Changes with what the page shows of the tunnel. */
function tunnelSign({ tunnel }: DashboardParts): string {
  const { state, message, address } = tunnel() ?? {};
  return JSON.stringify([state, message, address]);
}
