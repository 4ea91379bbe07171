/** Work that waits for work with the same key; entries go when nobody waits. */
const last = new Map<string, Promise<unknown>>();

/**
 * Runs changes of one working tree one after the other: git's index has one lock, and the second of two parallel
 * calls would fail on it.
 * @param key the git folder of the working tree
 * @throws the signal's reason when it is aborted before the turn comes
 */
export async function inTurn<T>(
  key: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const before = last.get(key);
  const turn = (async () => {
    await before?.catch(() => {});
    signal?.throwIfAborted();
    return work();
  })();
  last.set(key, turn);
  try {
    return await turn;
  } finally {
    if (last.get(key) === turn) last.delete(key);
  }
}
