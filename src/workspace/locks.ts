import { isMac, isWindows } from '../runtime/platform.ts';

/** The last holder or waiter of each locked file; an entry lives only as long as somebody holds or waits. */
const tails = new Map<string, Promise<void>>();

/**
 * Runs `act` while no other call of this process changes the same files. Several files are taken in sorted order,
 * so that two calls never wait for each other. Other processes are not held off: see assertUnchanged.
 *
 * @param realPaths absolute paths with symlinks resolved, so that every name of a file is the same lock
 * @throws the signal's reason when it is aborted while waiting
 */
export async function withFileLocks<T>(
  realPaths: readonly string[],
  signal: AbortSignal | undefined,
  act: () => Promise<T>,
): Promise<T> {
  const keys = [...new Set(realPaths.map(lockKey))].sort();
  const held: (() => void)[] = [];
  try {
    for (const key of keys) {
      const lock = acquire(key);
      held.push(lock.release);
      if (lock.free) await untilFreeOrAborted(lock.free, signal);
    }
    signal?.throwIfAborted();
    return await act();
  } finally {
    for (const release of held) release();
  }
}

/** File systems that do not tell `A` from `a` must not get two locks for one file. */
function lockKey(path: string): string {
  return isWindows || isMac ? path.toLowerCase() : path;
}

function acquire(key: string): { free: Promise<void> | undefined; release: () => void } {
  const free = tails.get(key);
  let resolve!: () => void;
  const mine = new Promise<void>((done) => {
    resolve = done;
  });
  // Who gives up early must not let the next one in before the holder in front of both is done.
  const tail = free ? free.then(() => mine) : mine;
  tails.set(key, tail);
  const release = () => {
    resolve();
    if (tails.get(key) !== tail) return;
    if (free) void tail.then(() => tails.get(key) === tail && tails.delete(key));
    else tails.delete(key);
  };
  return { free, release };
}

function untilFreeOrAborted(free: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return free;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    void free.then(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
  });
}
