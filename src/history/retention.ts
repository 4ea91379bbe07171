import type { Blobs } from './blobs.ts';
import { GONE, type Store } from './store.ts';

export interface Limits {
  /** Bytes that all recorded contents together may take on the disk. */
  readonly budgetBytes: number;
  readonly maxAgeMs: number;
}

/** After making room this share of the budget is in use, so that it need not be made at every change. */
const FILL_AFTERWARDS = 0.9;

/**
 * Removes old checkpoints, the oldest first and never the last one of a file, until so many bytes fit into the budget.
 * Only where that does not suffice go the last ones that are older than the age limit.
 * @returns false when they still do not fit
 */
export async function makeRoom(
  store: Store,
  blobs: Blobs,
  limits: Limits,
  neededBytes: number,
): Promise<boolean> {
  const fits = (budget: number) => store.usedBytes() + neededBytes <= budget;
  const goal = limits.budgetBytes * FILL_AFTERWARDS;
  await removeWhile(store, blobs, () => !fits(goal), undefined, false);
  if (!fits(limits.budgetBytes)) {
    await removeWhile(store, blobs, () => !fits(goal), Date.now() - limits.maxAgeMs, true);
  }
  return fits(limits.budgetBytes);
}

/** Removes what is older than the age limit, but for the last checkpoint of each file. */
export async function removeExpired(store: Store, blobs: Blobs, limits: Limits): Promise<void> {
  await removeWhile(store, blobs, () => true, Date.now() - limits.maxAgeMs, false);
}

/** Removes one checkpoint; other work gets its turn between the pieces of a big one. */
export async function removeCheckpoint(store: Store, checkpoint: number): Promise<void> {
  while (!store.removeSome(checkpoint)) await new Promise((resolve) => setImmediate(resolve));
}

async function removeWhile(
  store: Store,
  blobs: Blobs,
  isNeeded: () => boolean,
  beforeMs: number | undefined,
  evenNewest: boolean,
): Promise<void> {
  let from = 0;
  let removed = false;
  while (isNeeded()) {
    const id = store.transaction(() => {
      const found = store.removable(from, beforeMs, evenNewest);
      if (found !== undefined) store.setOwner(found, GONE);
      return found;
    });
    if (id === undefined) break;
    await removeCheckpoint(store, id);
    removed = true;
    from = id;
  }
  if (removed) await blobs.emptyTrash();
}
