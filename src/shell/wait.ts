import { sizes } from './answer.ts';
import type { ManagedProcess } from './managed-process.ts';
import { decodeOutput, wholeCharactersEnd, wholeCharactersStart } from './text.ts';
import type { CallLinks } from './types.ts';

/** Room for putting the answer together and sending it before the call's last moment. */
const ANSWER_MARGIN_MS = 1500;
/** No call waits longer, whatever it asks for: hosts abandon a call after 60 s, some tunnels after 45 s. */
const MAX_WAIT_MS = 38_000;
const PROGRESS_INTERVAL_MS = 500;
const PROGRESS_BYTES = 2048;
/** Output that comes within this time after the first is part of the same answer. */
const SETTLE_MS = 150;
const POLL_MS = 50;

/** How long a call may wait: what it wants, within what its answer's deadline allows. */
export function allowedWaitMs(wantedMs: number, links: CallLinks): number {
  const untilDeadlineMs = links.answerByMs - performance.now() - ANSWER_MARGIN_MS;
  return Math.max(0, Math.min(wantedMs, MAX_WAIT_MS, untilDeadlineMs));
}

export type WaitEnd = 'done' | 'time' | 'cancelled' | 'abandoned';

/** Waits for `done`, the time, or the caller's end, whichever comes first. */
export function waitFor(done: Promise<unknown>, waitMs: number, links: CallLinks): Promise<WaitEnd> {
  return new Promise((resolve) => {
    const finish = (end: WaitEnd) => {
      clearTimeout(timer);
      links.signal.removeEventListener('abort', onCancel);
      links.abandoned.removeEventListener('abort', onAbandoned);
      resolve(end);
    };
    const onCancel = () => finish('cancelled');
    const onAbandoned = () => finish('abandoned');
    const timer = setTimeout(() => finish('time'), waitMs);
    links.signal.addEventListener('abort', onCancel, { once: true });
    links.abandoned.addEventListener('abort', onAbandoned, { once: true });
    if (links.signal.aborted) return finish('cancelled');
    if (links.abandoned.aborted) return finish('abandoned');
    const onDone = () => finish('done');
    done.then(onDone, onDone);
  });
}

/**
 * Sends what a process prints as progress, at most twice a second and 2 KiB of each stream at a time: the newest,
 * for progress is for watching; the answer has it all.
 * @returns stops it
 */
export function reportProgress(process: ManagedProcess, links: CallLinks): () => void {
  let sentOut = 0;
  let sentErr = 0;
  let busy = false;
  const report = async () => {
    const [outSize, errSize] = await Promise.all([process.stdout.size(), process.stderr?.size() ?? 0]);
    let text = '';
    if (outSize > sentOut) text += await newest(process.stdout, sentOut, outSize);
    if (process.stderr && errSize > sentErr) text += await newest(process.stderr, sentErr, errSize);
    sentOut = outSize;
    sentErr = errSize;
    if (text !== '' && !stopped) links.progress(text);
  };
  let stopped = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    report()
      .catch(() => {})
      .finally(() => {
        busy = false;
      });
  }, PROGRESS_INTERVAL_MS);
  return () => {
    stopped = true;
    clearInterval(timer);
  };
}

async function newest(log: ManagedProcess['stdout'], from: number, size: number): Promise<string> {
  const slice = await log.read(Math.max(from, size - PROGRESS_BYTES), PROGRESS_BYTES);
  const start = wholeCharactersStart(slice.bytes);
  return decodeOutput(slice.bytes.subarray(start, wholeCharactersEnd(slice.bytes))).text;
}

/** Until there is more than `from`, and a moment for what belongs to it; the end of the process; or the time. */
export async function waitForOutput(
  process: ManagedProcess,
  from: { readonly stdout: number; readonly stderr: number },
  waitMs: number,
  links: CallLinks,
): Promise<void> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const [outSize, errSize] = await sizes(process);
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return;
    const more =
      (await hasCharacter(process.stdout, from.stdout, outSize)) ||
      (await hasCharacter(process.stderr, from.stderr, errSize));
    const end = await waitFor(process.ended, Math.min(leftMs, more ? SETTLE_MS : POLL_MS), links);
    if (end === 'cancelled') throw links.signal.reason;
    if (end !== 'time' || more) return;
  }
}

/** Whether there is something to show: the first bytes of a character whose rest is still to come are not. */
async function hasCharacter(log: ManagedProcess['stderr'], from: number, size: number): Promise<boolean> {
  if (!log || size <= from) return false;
  if (size - from >= 4) return true;
  const { bytes } = await log.read(from, size - from);
  return wholeCharactersEnd(bytes) > 0;
}

/** The value when it comes in time. */
export async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
