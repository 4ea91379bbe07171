/** Work that waits for work with the same key; entries go when nobody waits. */
const last = new Map<string, Promise<unknown>>();

/**
 * Runs changes of one working tree one after the other: git's index has one lock, and the second of two parallel
 * calls would fail on it.
 * @param key the git folder of the working tree
 * @throws the signal's reason when it is aborted before the turn comes
 */
export function inTurn<T>(key: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  const before = last.get(key);
  const turn = (async () => {
    await settled(before, signal);
    signal?.throwIfAborted();
    return work();
  })();
  // Who comes next waits for both: this one may have given up its turn early.
  const done = Promise.allSettled([before, turn]);
  last.set(key, done);
  done.then(() => {
    if (last.get(key) === done) last.delete(key);
  });
  return turn;
}

/** Resolves when the work before ended, or at once when the caller gives up. */
function settled(before: Promise<unknown> | undefined, signal: AbortSignal | undefined): Promise<void> {
  if (before === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      signal?.removeEventListener('abort', done);
      resolve();
    };
    signal?.addEventListener('abort', done, { once: true });
    before.then(done, done);
  });
}
