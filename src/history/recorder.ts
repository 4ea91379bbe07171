import { concurrently } from '../runtime/concurrently.ts';
import {
  type FileChange,
  type FileChangeRecorder,
  ownOwnerId,
  type PreparedRecord,
  stateFolderError,
} from '../workspace/index.ts';
import type { StagedBlob } from './blobs.ts';
import { type Capture, capture, overBudget } from './capture.ts';
import type { Core, Origin } from './core.ts';
import { inspect } from './inspect.ts';
import { makeRoom } from './retention.ts';
import type { BlobRef, Store } from './store.ts';
import { checkpointName, type EntryState, type RecordedEntry, sameContent, sameState } from './types.ts';
import { inUse, isStale, Turn, UnderWay } from './under-way.ts';

/** What became of the changes of one call, for its answer. */
export interface RecordOutcome {
  /** Undefined when nothing was recorded. */
  readonly checkpointId: string | undefined;
  readonly notRecorded: readonly { readonly path: string; readonly reason: string }[];
}

/** Records the changes of one tool call as one checkpoint. */
export interface CallRecorder extends FileChangeRecorder {
  outcome(): RecordOutcome;
}

/** Files captured at a time, and rows written in one transaction. */
const PARALLEL = 8;
const ROWS_AT_ONCE = 100;
/** Contents that are held in memory only, so that capturing them leaves nothing behind. */
const SMALL_BYTES = 1024 * 1024;
/** Times that a file is captured anew because another instance changed it meanwhile. */
const ATTEMPTS = 5;

export function createRecorder(core: Core, origin: Origin): CallRecorder {
  return new Recorder(core, origin);
}

class Recorder implements CallRecorder {
  readonly #core: Core;
  readonly #origin: Origin;
  readonly #notRecorded: { path: string; reason: string }[] = [];
  /** What is recorded for each path as of now. */
  readonly #entries = new Map<string, RecordedEntry>();
  #checkpoint: number | undefined;
  #underWay = 0;

  constructor(core: Core, origin: Origin) {
    this.#core = core;
    this.#origin = origin;
  }

  outcome(): RecordOutcome {
    const isRecorded = this.#checkpoint !== undefined && this.#entries.size > 0;
    return {
      checkpointId: isRecorded ? checkpointName(this.#checkpoint!) : undefined,
      notRecorded: this.#notRecorded,
    };
  }

  notRecorded(): string | undefined {
    const [first, ...more] = this.#notRecorded;
    if (!first) return undefined;
    return more.length === 0 ? first.reason : `${first.path}: ${first.reason}, and ${more.length} more files`;
  }

  async prepare(changes: readonly FileChange[], signal: AbortSignal | undefined): Promise<PreparedRecord> {
    const refused = this.#notRecorded.length;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const prepared = await this.#prepareOnce(changes, signal);
      if (prepared) return prepared;
      this.#notRecorded.length = refused;
    }
    throw inUse(changes[0]?.path ?? this.#core.root, this.#core.root);
  }

  /** @returns undefined, with nothing entered, when another instance changed a file after it was captured */
  async #prepareOnce(
    changes: readonly FileChange[],
    signal: AbortSignal | undefined,
  ): Promise<PreparedRecord | undefined> {
    const staged: StagedBlob[] = [];
    const discard = async () => {
      for (const blob of staged) await blob.discard();
    };
    try {
      const captures = await this.#capture(changes, staged, signal);
      if (captures.length === 0) return NOTHING;
      const prepared = await this.#record(await this.#core.store(), captures, signal);
      if (!prepared) await discard();
      return prepared;
    } catch (error) {
      await discard();
      throw signal?.aborted ? signal.reason : await stateFolderError(error, this.#core.stateDir, 'recorded');
    }
  }

  async #record(
    store: Store,
    captures: readonly Capture[],
    signal: AbortSignal | undefined,
  ): Promise<PreparedRecord | undefined> {
    const turn = new Turn(await ownOwnerId(), this.#core.root);
    const paths = captures.map(({ entry }) => entry.path);
    const earlier = new Map(paths.map((path) => [path, this.#entries.get(path)]));
    const afterPlaced: Promise<unknown>[] = [];
    const abandoned = async (begun = true) => {
      await Promise.allSettled(afterPlaced);
      try {
        await this.#takeBack(store, earlier, begun);
        await this.#core.blobs.emptyTrash();
      } catch (error) {
        // What stopped the change is what counts; the next start clears the record.
        this.#warn(error);
      }
    };
    this.#underWay++;
    try {
      await this.#enter(store, captures, turn, signal);
      if (await isStale(captures)) {
        await abandoned(false);
        return undefined;
      }
      // What stood there must be safe before it changes; the new content may follow while the change is made.
      await concurrently(captures, PARALLEL, async ({ before }) => before?.place());
    } catch (error) {
      await abandoned(false);
      throw error;
    }
    afterPlaced.push(concurrently(captures, PARALLEL, async ({ after }) => after?.place()));
    afterPlaced[0]?.catch((error: unknown) => this.#warn(error));
    const current = () => this.outcome().checkpointId;
    return {
      get checkpointId() {
        return current();
      },
      committed: async () => {
        await Promise.allSettled(afterPlaced);
        try {
          await this.#settle(store, paths);
          await this.#core.blobs.emptyTrash();
        } catch (error) {
          // The change is made and what stood there is kept: the next start completes the record.
          this.#warn(error);
        }
      },
      abandoned: () => abandoned(),
    };
  }

  async #capture(
    changes: readonly FileChange[],
    staged: StagedBlob[],
    signal: AbortSignal | undefined,
  ): Promise<Capture[]> {
    // A move takes the file itself along: a second link to it would see what happens to it at its new place.
    const nothingMoves = changes.every(({ kind, after }) => kind === 'delete' || after !== undefined);
    const small = this.#captureSmall(changes);
    const paths = changes.map(({ path }) => path);
    const reasons = this.#origin.evenIgnored ? [] : await this.#core.ignored.reasons(paths);
    const found = await concurrently(changes, PARALLEL, async (change, index) => {
      signal?.throwIfAborted();
      const captured = reasons[index] ?? (await (small ?? capture(this.#core, change, nothingMoves)));
      if (typeof captured === 'string') {
        this.#notRecorded.push({ path: change.path, reason: captured });
        return [];
      }
      for (const { before, after } of captured)
        staged.push(...[before, after].filter((blob) => blob !== undefined));
      return captured;
    });
    // Two new files in one new folder speak of it once.
    const captures = [...new Map(found.flat().map((each) => [each.entry.path, each])).values()];
    // The second change of a file by one call: what stood there at first is what counts.
    return concurrently(captures, PARALLEL, async (each) => {
      if (!this.#entries.has(each.entry.path)) return each;
      await each.before?.discard();
      return { ...each, before: undefined };
    });
  }

  /**
   * Most files are not ignored, and a small content costs nothing to hold: it is captured while the ignore rules are
   * looked at.
   */
  #captureSmall([change, ...more]: readonly FileChange[]): Promise<Capture[] | string> | undefined {
    if (!change?.before || change.before.length > SMALL_BYTES || more.length > 0) return undefined;
    const captured = capture(this.#core, change, false);
    captured.catch(() => {}); // awaited later, if at all
    return captured;
  }

  async #enter(
    store: Store,
    captures: readonly Capture[],
    turn: Turn,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    for (let at = 0; at < captures.length; at += ROWS_AT_ONCE) {
      if (at > 0) await new Promise((resolve) => setImmediate(resolve));
      const some = captures.slice(at, at + ROWS_AT_ONCE);
      if (await this.#enterInTurn(store, some, turn, signal)) continue;
      const needed = bytesOf(some);
      await makeRoom(store, this.#core.blobs, this.#core.limits, needed);
      if (!(await this.#enterInTurn(store, some, turn, signal))) throw overBudget(this.#core, needed);
    }
  }

  async #enterInTurn(
    store: Store,
    captures: readonly Capture[],
    turn: Turn,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    for (;;) {
      const entered = this.#enterSome(store, captures, turn);
      if (typeof entered === 'boolean') return entered;
      await turn.wait(entered, this.#entries.size > 0, signal);
    }
  }

  /** @returns false, with nothing entered, when the budget does not suffice; who else has a file under way */
  #enterSome(store: Store, captures: readonly Capture[], turn: Turn): boolean | UnderWay {
    const checkpoint = this.#checkpoint;
    const entries = new Map(this.#entries);
    try {
      store.transaction(() => {
        turn.assertFree(store, captures);
        if (this.#checkpoint === undefined) {
          const { tool, conversation, restores } = this.#origin;
          const head = { tool, conversation, restores, atMs: Date.now(), root: this.#core.root };
          this.#checkpoint = store.addCheckpoint(head, turn.owner);
        } else store.setOwner(this.#checkpoint, turn.owner);
        for (const each of captures) this.#enterOne(store, this.#checkpoint, each);
        if (store.usedBytes() > this.#core.limits.budgetBytes) throw new NoRoom();
      });
      return true;
    } catch (error) {
      this.#checkpoint = checkpoint;
      this.#entries.clear();
      for (const [path, entry] of entries) this.#entries.set(path, entry);
      if (error instanceof UnderWay) return error;
      if (error instanceof NoRoom) return false;
      throw error;
    }
  }

  #enterOne(store: Store, checkpoint: number, { entry, before, after }: Capture): void {
    const earlier = this.#entries.get(entry.path);
    const merged: RecordedEntry = earlier ? { ...entry, before: earlier.before } : entry;
    const blobs: BlobRef[] = [];
    if (earlier?.before.type === 'file') blobs.push({ sha256: earlier.before.sha256, storedBytes: 0 });
    if (before) blobs.push(before);
    if (after) blobs.push(after);
    store.putEntry(checkpoint, merged, blobs);
    this.#entries.set(entry.path, merged);
  }

  /** Enters what the changes came to, and closes the checkpoint unless more of it is under way. */
  async #settle(store: Store, paths: readonly string[]): Promise<void> {
    const settled = await concurrently(paths, PARALLEL, async (path) => {
      const entry = this.#entries.get(path)!;
      const known = entry.after?.type === 'file' ? entry.after : undefined;
      return { entry, after: (await inspect(path, known)) ?? entry.before };
    });
    for (let at = 0; at < settled.length; at += ROWS_AT_ONCE) {
      if (at > 0) await new Promise((resolve) => setImmediate(resolve));
      store.transaction(() => {
        for (const { entry, after } of settled.slice(at, at + ROWS_AT_ONCE))
          this.#settleOne(store, entry, after);
        if (at + ROWS_AT_ONCE >= settled.length) this.#finish(store);
      });
    }
  }

  #settleOne(store: Store, entry: RecordedEntry, after: EntryState): void {
    if (sameState(entry.before, after)) {
      store.removeEntry(this.#checkpoint!, entry.path);
      this.#entries.delete(entry.path);
      return;
    }
    if (entry.after && sameState(entry.after, after)) return;
    const afterStored = store.setAfter(this.#checkpoint!, entry, after);
    this.#entries.set(entry.path, { ...entry, after, afterStored });
  }

  /**
   * The change failed. What it did all the same (a folder deleted half way) stays recorded; the rest is forgotten, also
   * where somebody else's content stands there now.
   * @param begun false: nothing can have happened yet, so that whatever stands there is not ours
   */
  async #takeBack(
    store: Store,
    replaced: ReadonlyMap<string, RecordedEntry | undefined>,
    begun: boolean,
  ): Promise<void> {
    const now = await concurrently([...replaced.keys()], PARALLEL, async (path) =>
      begun ? inspect(path).catch(() => undefined) : undefined,
    );
    store.transaction(() => {
      for (const [index, [path, earlier]] of [...replaced].entries()) {
        const entry = this.#entries.get(path);
        if (!entry || entry === earlier || this.#checkpoint === undefined) continue;
        const after = now[index];
        const happened = after !== undefined && (!entry.after || sameContent(entry.after, after));
        if (happened) this.#settleOne(store, entry, after);
        else if (earlier) {
          const afterStored = store.setAfter(this.#checkpoint, entry, earlier.after ?? earlier.before);
          this.#entries.set(path, { ...earlier, afterStored });
        } else {
          store.removeEntry(this.#checkpoint, path);
          this.#entries.delete(path);
        }
      }
      this.#finish(store);
    });
  }

  #warn(error: unknown): void {
    this.#core.log?.warn(`history: ${error instanceof Error ? error.message : String(error)}`);
  }

  #finish(store: Store): void {
    this.#underWay--;
    if (this.#underWay > 0 || this.#checkpoint === undefined) return;
    if (this.#entries.size > 0) store.setOwner(this.#checkpoint, null);
    else {
      store.removeHead(this.#checkpoint);
      this.#checkpoint = undefined;
    }
  }
}

class NoRoom extends Error {}

const NOTHING: PreparedRecord = {
  checkpointId: undefined,
  committed: async () => {},
  abandoned: async () => {},
};

function bytesOf(captures: readonly Capture[]): number {
  return captures.reduce(
    (sum, { before, after }) => sum + (before?.storedBytes ?? 0) + (after?.storedBytes ?? 0),
    0,
  );
}
