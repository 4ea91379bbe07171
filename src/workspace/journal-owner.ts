import { hash } from 'node:crypto';
import { hostname } from 'node:os';
import { isLinux } from '../runtime/platform.ts';
import { isRunning, processStartTime } from '../runtime/process-identity.ts';

/**
 * Names one process for good: machine, pid and start time, in characters that every file system takes in a name.
 * It marks unfinished work, so that whoever finds it can tell whether its owner still lives.
 */
export type OwnerId = string;

/** Unfinished work of another machine (a home folder on a network) is nobody's after this time. */
const OTHER_HOST_DEAD_AFTER_MS = 10 * 60_000;

let own: Promise<OwnerId> | undefined;

/** The id of this process. */
export function ownOwnerId(): Promise<OwnerId> {
  own ??= processStartTime(process.pid).then(
    (start) => `${shortHash(hostname())}-${process.pid}-${shortHash(start)}`,
  );
  return own;
}

/**
 * Whether the process that an id names still runs; true for this process itself.
 * @param sinceMs when the work began (Date.now()), which decides where the process cannot be looked up
 */
export async function isOwnerAlive(owner: OwnerId, sinceMs: number): Promise<boolean> {
  if (owner === (await ownOwnerId())) return true;
  const [host, pidText, start] = owner.split('-');
  const pid = Number(pidText);
  if (host !== shortHash(hostname())) return Date.now() - sinceMs < OTHER_HOST_DEAD_AFTER_MS;
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  const now = await processStartTime(pid);
  // Where no start time can be had for a running process, it may be the owner.
  if (now === undefined) return !isLinux && isRunning(pid);
  return shortHash(now) === start;
}

function shortHash(text: string | undefined): string {
  return hash('sha256', text ?? '', 'hex').slice(0, 12);
}
