import { setTimeout as delay } from 'node:timers/promises';
import type { AuditEntry } from '../../access/index.ts';
import type { BookedCall } from '../call-book.ts';
import type { ActivityModel, ActivityQuery, CallModel } from '../models.ts';
import type { DashboardParts } from '../parts.ts';
import { auditPage, type LoggedCall } from './audit-pages.ts';

const MAX_CALLS = 200;
/** How long older calls are looked through for one page; the answer then has the cursor to go on. */
const BUDGET_MS = 120;
/** What is recorded is on the disk by then, or it cannot be written. */
const FLUSH_MS = 100;

/** A page of the activity: on the first one what runs and what the trail does not hold yet, then the audit trail. */
export async function activityModel(parts: DashboardParts, query: ActivityQuery): Promise<ActivityModel> {
  const { audit } = parts.services()[0];
  const limit = Math.min(Math.max(query.limit, 1), MAX_CALLS);
  const passes = filterOf(query);
  if (audit !== undefined && query.before === undefined) {
    await Promise.race([audit.flush(), delay(FLUSH_MS, undefined, { ref: false })]);
  }
  const running = query.before === undefined ? parts.calls.running().map(callOf).filter(passes) : [];
  const isRunning = new Set(running.map(({ id }) => id));
  const current = (logged: LoggedCall): CallModel => {
    const booked = parts.calls.get(logged.id);
    return booked === undefined ? loggedModel(logged) : callOf(booked);
  };
  const page = audit && {
    ...(await auditPage(audit.file, {
      before: query.before,
      limit,
      budgetMs: BUDGET_MS,
      pass: (entry) => {
        const booked = entry.id === undefined ? undefined : parts.calls.get(entry.id);
        return passes(booked === undefined ? loggedModel({ id: '', entry }) : callOf(booked));
      },
    })),
  };
  const logged = (page?.calls ?? []).map(current).filter(({ id }) => !isRunning.has(id));
  if (query.before !== undefined) return { calls: logged, next: page?.next };
  const isLogged = new Set(logged.map(({ id }) => id));
  const unlogged = notYetLogged(parts, isLogged, limit).filter(passes);
  return { calls: [...running, ...unlogged, ...logged], next: page?.next };
}

/** Answered calls that are newer than the newest one in the trail: all of them where it cannot be written. */
function notYetLogged(parts: DashboardParts, logged: ReadonlySet<string>, limit: number): CallModel[] {
  const found: CallModel[] = [];
  for (const call of parts.calls.answered()) {
    if (logged.has(call.id) || found.length >= limit) break;
    if (call.outcome !== 'running') found.push(callOf(call));
  }
  return found;
}

export function callOf(call: BookedCall): CallModel {
  return {
    id: call.id,
    at: call.startedAt.toISOString(),
    tool: call.tool,
    target: call.target,
    client: call.client,
    outcome: call.outcome,
    code: call.code,
    durationMs: call.durationMs === undefined ? undefined : Math.round(call.durationMs),
    resultBytes: call.resultBytes,
  };
}

/** The trail is a file: what stands in a line may be anything. */
export function loggedModel({ id, entry }: LoggedCall): CallModel {
  return {
    id,
    at: text(entry.time),
    tool: text(entry.tool),
    target: text(entry.target),
    client: entry.client === undefined ? undefined : text(entry.client),
    outcome: OUTCOMES.has(entry.outcome) ? entry.outcome : 'failed',
    code: entry.code === undefined ? undefined : text(entry.code),
    durationMs: number(entry.duration_ms),
    resultBytes: number(entry.result_bytes),
  };
}

const OUTCOMES: ReadonlySet<AuditEntry['outcome']> = new Set([
  'ok',
  'failed',
  'denied',
  'cancelled',
  'running',
]);

function filterOf({ search, outcome, tool }: ActivityQuery): (call: CallModel) => boolean {
  const wanted = search?.trim().toLowerCase() ?? '';
  return (call) =>
    (outcome === undefined || call.outcome === outcome) &&
    (tool === undefined || call.tool === tool) &&
    (wanted === '' ||
      [call.tool, call.target, call.client, call.code].some((field) =>
        field?.toLowerCase().includes(wanted),
      ));
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 2_000) : '';
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
