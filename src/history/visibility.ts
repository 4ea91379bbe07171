import { concurrently } from '../runtime/concurrently.ts';
import { isSameOrInside } from '../runtime/paths.ts';
import type { Workspace } from '../workspace/index.ts';
import type { Store } from './store.ts';
import { type CheckpointHead, checkpointName, type RecordedEntry, sameContent } from './types.ts';

export type ChangeWord = 'created' | 'changed' | 'deleted' | 'mode changed';

/** A checkpoint as a list shows it. */
export interface ListedCheckpoint {
  readonly id: string;
  readonly tool: string;
  readonly conversation: string | undefined;
  readonly atMs: number;
  /** The checkpoint that this one took back. */
  readonly restores: string | undefined;
  /** The first few; absolute. */
  readonly files: readonly { readonly path: string; readonly change: ChangeWord }[];
  readonly fileCount: number;
}

const LISTED_FILES = 5;
/** Entries of one checkpoint that are looked at for its first visible files. */
const LOOKED_AT = 50;
const PARALLEL = 8;

/** What the present roots and mode allow to be seen. */
export class Visibility {
  readonly #workspace: Workspace;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  /** @returns undefined when nothing of it may be seen */
  async list(store: Store, head: CheckpointHead): Promise<ListedCheckpoint | undefined> {
    const { entries, total } = store.firstEntries(head.id, LOOKED_AT);
    // Folders come and go with their files; alone they are worth a line.
    const files = entries.filter(isAboutFile);
    const visible = await this.filter(files.length > 0 ? files : entries);
    if (visible.length === 0) return undefined;
    const isWhole = total <= LOOKED_AT;
    return {
      id: checkpointName(head.id),
      tool: head.tool,
      conversation: head.conversation,
      atMs: head.atMs,
      restores: head.restores === undefined ? undefined : checkpointName(head.restores),
      files: visible.slice(0, LISTED_FILES).map((entry) => ({ path: entry.path, change: changeOf(entry) })),
      fileCount: isWhole ? visible.length : total,
    };
  }

  async filter<T extends { readonly path: string }>(entries: readonly T[]): Promise<T[]> {
    const seen = await concurrently(entries, PARALLEL, ({ path }) => this.#isVisible(path));
    return entries.filter((_, index) => seen[index]);
  }

  async #isVisible(path: string): Promise<boolean> {
    if (this.#workspace.accessMode !== 'full' && !this.#isInRoot(path)) return false;
    return this.#workspace.forReading(path).then(
      () => true,
      () => false,
    );
  }

  #isInRoot(path: string): boolean {
    return this.#workspace.roots.some((root) => isSameOrInside(path, root));
  }
}

export function changeOf({ before, after }: Pick<RecordedEntry, 'before' | 'after'>): ChangeWord {
  if (before.type === 'none') return 'created';
  if (after?.type === 'none') return 'deleted';
  return after && sameContent(before, after) ? 'mode changed' : 'changed';
}

function isAboutFile({ before, after }: RecordedEntry): boolean {
  return before.type !== 'folder' && after?.type !== 'folder';
}
