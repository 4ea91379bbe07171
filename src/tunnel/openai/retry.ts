import { setTimeout as delay } from 'node:timers/promises';

/** Bounds of an exponential backoff in milliseconds. */
export interface BackoffBounds {
  readonly minMs: number;
  readonly maxMs: number;
}

/** A server may ask for patience, but not for more than this. */
const MAX_RETRY_AFTER_MS = 5 * 60_000;

/**
 * How long to wait before the next attempt: doubling with each failure, the upper half of it by chance, so that many
 * clients do not come back at the same moment; never less than the server asked for.
 * @param failures failed attempts so far, from 1
 */
export function backoffMs(failures: number, { minMs, maxMs }: BackoffBounds, retryAfterMs = 0): number {
  const full = Math.min(maxMs, minMs * 2 ** Math.min(failures - 1, 30));
  return Math.max(full / 2 + (Math.random() * full) / 2, retryAfterMs);
}

/** Milliseconds that a Retry-After header asks for (seconds or a date, RFC 9110 section 10.2.3); 0 for nonsense. */
export function parseRetryAfter(header: string | undefined, nowMs = Date.now()): number {
  const text = header?.trim() ?? '';
  const askedMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return askedMs > 0 ? Math.min(askedMs, MAX_RETRY_AFTER_MS) : 0;
}

/** Waits; false when the signal was aborted meanwhile. */
export async function pause(timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  return delay(timeoutMs, true, { signal }).catch(() => false);
}
