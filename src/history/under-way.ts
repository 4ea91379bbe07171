import { setTimeout as delay } from 'node:timers/promises';
import { CodedError } from '../runtime/errors.ts';
import { isOwnerAlive } from '../workspace/index.ts';
import type { Capture } from './capture.ts';
import { entryStats, stampOf } from './inspect.ts';
import { shownIn } from './shown.ts';
import type { Store } from './store.ts';

/** How long a change waits for that of another instance to the same file. */
const WAIT_MS = 5_000;
/** The same while it holds entries itself, for which the other one may wait in the same way. */
const WAIT_HOLDING_MS = 500;

/** Another instance is changing a path: thrown inside of a transaction, so that nothing of it is entered. */
export class UnderWay extends Error {
  readonly path: string;
  readonly owner: string;
  readonly atMs: number;

  constructor(path: string, owner: string, atMs: number) {
    super('under way');
    this.path = path;
    this.owner = owner;
    this.atMs = atMs;
  }
}

/**
 * The turn of one call among the instances that share a state folder: an entry of an unfinished checkpoint is also the
 * lock of its path. What is changed is looked at again once it is entered, so no change of another is lost.
 */
export class Turn {
  readonly owner: string;
  readonly #root: string;
  readonly #dead = new Set<string>();
  #untilMs: number | undefined;

  /**
   * @param owner of this process (ownOwnerId)
   * @param root that paths in messages are relative to
   */
  constructor(owner: string, root: string) {
    this.owner = owner;
    this.#root = root;
  }

  /** Called inside of the transaction that enters the captures. @throws {UnderWay} */
  assertFree(store: Store, captures: readonly Capture[]): void {
    for (const { entry } of captures) {
      // Folders that come into being with their files may be made by several at once.
      if (entry.after?.type === 'folder') continue;
      const other = store.underWayByOthers(entry.path, this.owner);
      if (other && !this.#dead.has(other.owner)) throw new UnderWay(entry.path, other.owner, other.atMs);
    }
  }

  /** @throws {CodedError} BUSY when the other change does not end; the signal's reason */
  async wait(other: UnderWay, holdsEntries: boolean, signal: AbortSignal | undefined): Promise<void> {
    if (!(await isOwnerAlive(other.owner, other.atMs))) {
      this.#dead.add(other.owner);
      return;
    }
    this.#untilMs ??= Date.now() + (holdsEntries ? WAIT_HOLDING_MS : WAIT_MS);
    if (Date.now() > this.#untilMs) throw inUse(other.path, this.#root);
    await delay(2 + Math.random() * 8);
    signal?.throwIfAborted();
  }
}

/** Whether a file whose content was read for the record is another one by now. */
export async function isStale(captures: readonly Capture[]): Promise<boolean> {
  for (const { entry, stamp } of captures) {
    if (stamp === undefined) continue;
    const now = await entryStats(entry.path);
    if (!now || stampOf(now) !== stamp) return true;
  }
  return false;
}

/** For a file that changes faster than it can be recorded, or is not let go by another instance. */
export function inUse(path: string, root: string): CodedError {
  return new CodedError(
    'BUSY',
    `"${shownIn(root, path)}" is being changed by another local-coder. Nothing was changed.`,
    'Call again in a moment; read the file again first where the change depends on its text.',
  );
}
