import { readdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isOwnerAlive, ownOwnerId, temporaryOwnerPid } from '../workspace/index.ts';
import type { Core } from './core.ts';
import { inspect } from './inspect.ts';
import { removeCheckpoint } from './retention.ts';
import { GONE, type Store } from './store.ts';
import { type RecordedEntry, sameState } from './types.ts';

/**
 * Looks at the checkpoints that killed processes left unfinished: what did change is kept in them, what did not is
 * dropped. Called after recoverTransactions, so that multi-file changes have happened or not. Temporary files that the
 * dead process left in the same folders are removed.
 */
export async function resolveUnfinished(store: Store, core: Pick<Core, 'blobs'>): Promise<void> {
  const own = await ownOwnerId();
  for (const { id, owner, atMs } of store.unfinished()) {
    if (owner === GONE) {
      await removeCheckpoint(store, id);
      continue;
    }
    if ((await isOwnerAlive(owner, atMs)) || !store.transaction(() => store.claim(id, owner, own))) continue;
    const entries = store.entries(id);
    await removeTemporaries(entries, Number(owner.split('-')[1]));
    for (const entry of entries) await resolveEntry(store, id, entry);
    store.transaction(() => {
      if (store.firstEntries(id, 1).total === 0) store.removeHead(id);
      else store.setOwner(id, null);
    });
  }
  await core.blobs.emptyTrash();
}

async function resolveEntry(store: Store, checkpoint: number, entry: RecordedEntry): Promise<void> {
  // A path that cannot be looked at keeps what was planned: a restore compares again.
  const now = await inspect(entry.path).catch(() => entry.after);
  if (now && sameState(now, entry.before))
    return store.transaction(() => store.removeEntry(checkpoint, entry.path));
  // Where the outcome was known beforehand, anything else was written by somebody else since.
  const after = entry.after ?? now;
  if (after) store.transaction(() => store.setAfter(checkpoint, entry, withModeOf(after, now)));
  else store.transaction(() => store.removeEntry(checkpoint, entry.path));
}

/** The mode of a new file is not known beforehand. */
function withModeOf<T extends NonNullable<RecordedEntry['after']>>(
  planned: T,
  now: RecordedEntry['after'],
): T {
  const isPlanned = planned.type === 'file' && now?.type === 'file' && now.sha256 === planned.sha256;
  return isPlanned ? { ...planned, mode: now.mode } : planned;
}

async function removeTemporaries(entries: readonly RecordedEntry[], pid: number): Promise<void> {
  for (const folder of new Set(entries.map(({ path }) => dirname(path)))) {
    for (const name of await readdir(folder).catch(() => [])) {
      if (temporaryOwnerPid(name) === pid) await unlink(join(folder, name)).catch(() => {});
    }
  }
}
