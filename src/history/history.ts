import { CodedError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import {
  type RecoveredTransaction,
  readFileInside,
  recoverTransactions,
  stateFolderError,
  type Workspace,
} from '../workspace/index.ts';
import { Blobs } from './blobs.ts';
import type { Core, Origin } from './core.ts';
import { GitIgnored } from './git-ignored.ts';
import { entryStats, inspect } from './inspect.ts';
import { type CallRecorder, createRecorder } from './recorder.ts';
import { planRestore, type RestoreStep, restore } from './restore.ts';
import { removeExpired } from './retention.ts';
import { Store } from './store.ts';
import {
  type CheckpointHead,
  checkpointName,
  checkpointNumber,
  type EntryState,
  type RecordedEntry,
} from './types.ts';
import { resolveUnfinished } from './unfinished.ts';
import { type ListedCheckpoint, Visibility } from './visibility.ts';

export interface HistoryOptions {
  /** Private folder of the product; exists. */
  readonly stateDir: string;
  readonly workspace: Workspace;
  /** Bytes that all recorded contents may take on the disk. Default 2 GiB. */
  readonly budgetBytes?: number | undefined;
  /** Days after which a checkpoint may go, unless it is the last one of a file. Default 30. */
  readonly maxAgeDays?: number | undefined;
  readonly log?: Log | undefined;
}

export interface ListOptions {
  readonly limit: number;
  /** Only checkpoints older than this one. */
  readonly before?: string | undefined;
}

export interface CheckpointPage {
  /** Those of which something may be seen, newest first. */
  readonly checkpoints: ListedCheckpoint[];
  readonly hasMore: boolean;
  /** The `before` of the next page. */
  readonly next: string | undefined;
}

/** One path of a checkpoint: what stood there before it, and what it left. */
export type CheckpointChange = Pick<RecordedEntry, 'path' | 'before' | 'after'>;

export interface RestoreResult {
  /** The checkpoint that was restored. */
  readonly checkpoint: string;
  readonly steps: readonly RestoreStep[];
  /** The checkpoint of the restore itself; undefined when everything was as wanted already. */
  readonly checkpointId: string | undefined;
}

export interface HistoryStatus {
  readonly checkpoints: number;
  readonly usedBytes: number;
  readonly budgetBytes: number;
  readonly maxAgeDays: number;
  /** Milliseconds since 1970. */
  readonly oldestMs: number | undefined;
}

const DAY_MS = 24 * 3600_000;
const DEFAULT_BUDGET_BYTES = 2 * 1024 ** 3;
const DEFAULT_MAX_AGE_DAYS = 30;
const HOUSEKEEPING_MS = 6 * 3600_000;
/** Checkpoints that are looked through for one that may be seen. */
const NEWEST_LOOKED_AT = 50;
/** Restores that are looked through for the last one of the present roots. */
const RESTORES_LOOKED_AT = 200;

/** Every change that a tool makes to a file, with what stood there before; see the rewind tool. */
export class History {
  readonly #core: Core & { readonly workspace: Workspace };
  readonly #visibility: Visibility;
  #store: Promise<Store> | undefined;
  #recovered: RecoveredTransaction[] = [];
  #keptHouseMs = 0;
  #housekeeping: Promise<void> = Promise.resolve();

  constructor(options: HistoryOptions) {
    const { stateDir, workspace, log } = options;
    this.#core = {
      stateDir,
      workspace,
      log,
      root: workspace.defaultRoot,
      blobs: new Blobs(stateDir),
      ignored: new GitIgnored(),
      limits: {
        budgetBytes: options.budgetBytes ?? DEFAULT_BUDGET_BYTES,
        maxAgeMs: (options.maxAgeDays ?? DEFAULT_MAX_AGE_DAYS) * DAY_MS,
      },
      store: () => this.#open(),
    };
    this.#visibility = new Visibility(workspace);
  }

  /** Records the changes of one tool call as one checkpoint. Costs nothing until a file changes. */
  recorder(origin: Pick<Origin, 'tool' | 'conversation'>): CallRecorder {
    return createRecorder(this.#core, origin);
  }

  /** Finishes or undoes what killed instances left half way; called at start. The outcome is told once. */
  async recover(): Promise<RecoveredTransaction[]> {
    await this.#open();
    return this.#recovered.splice(0);
  }

  /** The checkpoints of the present roots, newest first. */
  async list({ limit, before }: ListOptions): Promise<CheckpointPage> {
    const store = await this.#open();
    const id = before === undefined ? undefined : this.#number(before);
    return this.#page(store, store.heads(this.#core.workspace.roots, id, limit + 1), limit);
  }

  /** The checkpoints that changed one file, newest first. @param path absolute */
  async ofFile(path: string, { limit, before }: ListOptions): Promise<CheckpointPage> {
    const store = await this.#open();
    const id = before === undefined ? undefined : this.#number(before);
    return this.#page(store, store.headsOfPath(path, id, limit + 1), limit);
  }

  /** What stands at a path now; undefined for what is neither file, link nor folder. */
  async stateOf(path: string): Promise<EntryState | undefined> {
    return inspect(path);
  }

  /**
   * What a checkpoint changed, path by path.
   * @throws {CodedError} NOT_AVAILABLE for one that is unknown or of which nothing may be seen
   */
  async changes(checkpoint: string): Promise<{ changes: CheckpointChange[]; hidden: number }> {
    const store = await this.#open();
    const entries = store.entries(this.#head(store, checkpoint).id);
    const visible = await this.#visibility.filter(entries);
    if (visible.length === 0) throw unknownCheckpoint(checkpoint);
    return {
      changes: visible.map(({ path, before, after }) => ({ path, before, after })),
      hidden: entries.length - visible.length,
    };
  }

  /** One checkpoint as a list shows it. @throws {CodedError} as `changes` */
  async checkpoint(checkpoint: string): Promise<ListedCheckpoint> {
    const store = await this.#open();
    const listed = await this.#visibility.list(store, this.#head(store, checkpoint));
    if (listed === undefined) throw unknownCheckpoint(checkpoint);
    return listed;
  }

  /** Whether there is a restore that redo would take back. */
  async canRedo(): Promise<boolean> {
    const store = await this.#open();
    return this.#lastRestore(store).then(
      () => true,
      () => false,
    );
  }

  /** The id of the newest change below the roots that was not taken back yet; restores do not count. */
  async newest(): Promise<string | undefined> {
    const store = await this.#open();
    for (const head of store.newestStanding(this.#core.workspace.roots, NEWEST_LOOKED_AT)) {
      if ((await this.#visibility.list(store, head)) !== undefined) return checkpointName(head.id);
    }
    return undefined;
  }

  /** What restoring a checkpoint would do now. */
  async preview(checkpoint: string): Promise<{ head: CheckpointHead; steps: RestoreStep[]; hidden: number }> {
    const store = await this.#open();
    const head = this.#head(store, checkpoint);
    const steps = await planRestore(store, head);
    const visible = await this.#visibility.filter(steps);
    if (visible.length === 0) throw unknownCheckpoint(checkpoint);
    return { head, steps: visible, hidden: steps.length - visible.length };
  }

  /**
   * Brings the files of a checkpoint to what they were before it, all or nothing; recorded as a checkpoint itself.
   * @throws {CodedError} NOT_AVAILABLE for an unknown checkpoint, CONFLICT, DENIED, everything of commitFiles
   */
  async restore(
    checkpoint: string,
    origin: Pick<Origin, 'tool' | 'conversation'>,
    signal?: AbortSignal,
  ): Promise<RestoreResult> {
    const store = await this.#open();
    const head = this.#head(store, checkpoint);
    await this.#assertAllowed(store, head);
    const result = await restore(this.#core, head, origin, { signal });
    return { checkpoint: checkpointName(head.id), ...result };
  }

  /**
   * Takes the last restore back that was not taken back yet.
   * @throws {CodedError} NOT_AVAILABLE when there is none; CONFLICT when its files were changed since
   */
  async redo(origin: Pick<Origin, 'tool' | 'conversation'>, signal?: AbortSignal): Promise<RestoreResult> {
    const store = await this.#open();
    const head = await this.#lastRestore(store);
    await this.#assertAllowed(store, head);
    const result = await restore(this.#core, head, origin, { signal, exactlyAfter: true });
    try {
      store.transaction(() => {
        store.markRedone(head.id);
        const own = result.checkpointId === undefined ? undefined : checkpointNumber(result.checkpointId);
        if (own !== undefined) store.markRedone(own);
      });
    } catch (error) {
      // It is done. Asked for once more, it finds the files changed and refuses.
      this.#core.log?.warn(`history: ${error instanceof Error ? error.message : String(error)}`);
    }
    return { checkpoint: checkpointName(head.id), ...result };
  }

  async status(): Promise<HistoryStatus> {
    const { checkpoints, bytes, oldestMs } = (await this.#open()).usage();
    const { budgetBytes, maxAgeMs } = this.#core.limits;
    return { checkpoints, usedBytes: bytes, oldestMs, budgetBytes, maxAgeDays: maxAgeMs / DAY_MS };
  }

  /** The recorded bytes of a state, undefined when it is no file, too large, or not kept. */
  async content(state: EntryState | undefined, maxBytes: number): Promise<Buffer | undefined> {
    if (state?.type !== 'file' || state.sizeBytes > maxBytes) return undefined;
    return this.#core.blobs.read(state.sha256).catch(() => undefined);
  }

  /** The bytes that stand at a path now, under the same conditions. */
  async present(path: string, maxBytes: number): Promise<Buffer | undefined> {
    const stats = await entryStats(path);
    return stats?.isFile() && stats.size <= maxBytes
      ? readFileInside(path).catch(() => undefined)
      : undefined;
  }

  async close(): Promise<void> {
    await this.#housekeeping;
    const store = await this.#store?.catch(() => undefined);
    this.#store = undefined;
    store?.close();
  }

  #open(): Promise<Store> {
    this.#store ??= this.#openStore().catch(async (error: unknown) => {
      this.#store = undefined; // the next call tries again
      throw await stateFolderError(error, this.#core.stateDir, 'recorded');
    });
    if (Date.now() - this.#keptHouseMs > HOUSEKEEPING_MS) {
      this.#keptHouseMs = Date.now();
      this.#housekeeping = this.#store.then((store) => this.#keepHouse(store)).catch(() => {});
    }
    return this.#store;
  }

  async #openStore(): Promise<Store> {
    const { stateDir, blobs, log } = this.#core;
    await blobs.ready();
    const recovered = await recoverTransactions(stateDir);
    for (const { outcome, paths, problems } of recovered) {
      log?.warn(`a change of ${paths.length} files that was interrupted is ${outcome}`);
      for (const { path, reason } of problems) log?.warn(`${path}: ${reason}`);
    }
    this.#recovered.push(...recovered);
    const store = await Store.open(
      stateDir,
      (sha256) => blobs.moveToTrash(sha256),
      () => blobs.forgetKnown(),
    );
    await resolveUnfinished(store, this.#core);
    return store;
  }

  async #keepHouse(store: Store): Promise<void> {
    await this.#core.blobs.removeStaleIncoming();
    await removeExpired(store, this.#core.blobs, this.#core.limits);
  }

  async #lastRestore(store: Store): Promise<CheckpointHead> {
    for (const head of store.restores(RESTORES_LOOKED_AT)) {
      if ((await this.#visibility.list(store, head)) !== undefined) return head;
    }
    throw new CodedError(
      'NOT_AVAILABLE',
      'There is no restore to take back.',
      'Use rewind with action "list" to see the checkpoints, and "restore" with the id of one.',
    );
  }

  async #assertAllowed(store: Store, head: CheckpointHead): Promise<void> {
    const { workspace } = this.#core;
    const entries = store.entries(head.id);
    const visible = await this.#visibility.filter(entries);
    if (visible.length === 0) throw unknownCheckpoint(checkpointName(head.id));
    if (workspace.accessMode === 'read-only') {
      throw new CodedError(
        'DENIED',
        'Nothing is restored in read-only mode.',
        'Have the user start local-coder with --access workspace or full.',
      );
    }
    if (visible.length < entries.length) {
      throw new CodedError(
        'DENIED',
        `${checkpointName(head.id)} also changed ${entries.length - visible.length} files outside of what is served now; it is restored as a whole or not at all.`,
        'Have the user serve the folder in which the change was made.',
      );
    }
    for (const { path } of entries) await workspace.forWriting(path);
  }

  /** @param heads one more than the page holds, where there are more */
  async #page(store: Store, heads: readonly CheckpointHead[], limit: number): Promise<CheckpointPage> {
    const shown = heads.slice(0, limit);
    const checkpoints = await Promise.all(shown.map((head) => this.#visibility.list(store, head)));
    const hasMore = heads.length > limit;
    const last = shown.at(-1);
    return {
      checkpoints: checkpoints.filter((each) => each !== undefined),
      hasMore,
      next: hasMore && last !== undefined ? checkpointName(last.id) : undefined,
    };
  }

  #head(store: Store, checkpoint: string): CheckpointHead {
    const head = store.head(this.#number(checkpoint));
    if (!head) throw unknownCheckpoint(checkpoint);
    return head;
  }

  #number(checkpoint: string): number {
    const id = checkpointNumber(checkpoint);
    if (id !== undefined) return id;
    throw new CodedError(
      'INVALID_PARAMS',
      `"${checkpoint}" is no checkpoint id.`,
      'Ids look like c12; rewind with action "list" shows them.',
    );
  }
}

export function createHistory(options: HistoryOptions): History {
  return new History(options);
}

function unknownCheckpoint(checkpoint: string): CodedError {
  return new CodedError(
    'NOT_AVAILABLE',
    `There is no checkpoint ${checkpoint} for the folders that are served now.`,
    'It may have been removed for its age or for space. Use rewind with action "list" to see those there are.',
  );
}
