import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { concurrently } from '../runtime/concurrently.ts';
import { CodedError, systemCode } from '../runtime/errors.ts';
import { realPathOfExistingPart } from '../runtime/paths.ts';
import {
  commitFiles,
  type FileCommit,
  type FileRef,
  type FileSnapshot,
  fileError,
  MAX_EDIT_BYTES,
  sha256Hex,
  takeSnapshot,
  type Workspace,
  withFileLocks,
} from '../workspace/index.ts';
import type { Core, Origin } from './core.ts';
import { entryStats, inspect } from './inspect.ts';
import { createRecorder } from './recorder.ts';
import type { Store } from './store.ts';
import {
  type CheckpointHead,
  checkpointName,
  type EntryState,
  modeOf,
  NONE,
  type RecordedEntry,
  sameContent,
} from './types.ts';

/** What restoring a checkpoint does to one path, as things stand. */
export interface RestoreStep {
  /** Absolute. */
  readonly path: string;
  /**
   * `restore`: it becomes what it was; `already`: it is; `conflict`: it is not what the last recorded change left, so
   * that somebody else changed it since.
   */
  readonly action: 'restore' | 'already' | 'conflict';
  readonly current: EntryState | undefined;
  readonly target: EntryState;
  /** What the last recorded change left. */
  readonly expected: EntryState;
  /** Later checkpoints whose changes of this path are taken back, too. */
  readonly later: readonly string[];
}

/** The steps that are about files and links; folders come and go with them and count only where there is nothing else. */
export function fileSteps<T extends RestoreStep>(steps: readonly T[]): readonly T[] {
  const files = steps.filter(
    ({ target, expected }) => target.type !== 'folder' && expected.type !== 'folder',
  );
  return files.length > 0 ? files : steps;
}

interface Step extends RestoreStep {
  readonly entry: RecordedEntry;
  readonly snapshot: FileSnapshot | undefined;
}

/** Contents up to this size are held in memory while they are restored, so that their record is cheap. */
const MAX_IN_MEMORY_BYTES = 8 * 1024 * 1024;
const PARALLEL = 8;

export interface RestoreOptions {
  readonly signal?: AbortSignal | undefined;
  /** Only when everything is as the checkpoint itself left it; otherwise later recorded changes are taken back, too. */
  readonly exactlyAfter?: boolean;
}

/** What restoring would do, without doing it. */
export async function planRestore(store: Store, head: CheckpointHead): Promise<RestoreStep[]> {
  return concurrently(store.entries(head.id), PARALLEL, (entry) => planStep(store, head.id, entry));
}

/**
 * Brings all paths of a checkpoint to what they were before it, all or nothing, as a checkpoint of its own.
 * @throws {CodedError} CONFLICT with the paths that somebody else changed since; nothing is changed then
 */
export async function restore(
  core: Core & { readonly workspace: Workspace },
  head: CheckpointHead,
  origin: Omit<Origin, 'restores' | 'evenIgnored'>,
  { signal, exactlyAfter = false }: RestoreOptions,
): Promise<{ steps: RestoreStep[]; checkpointId: string | undefined }> {
  const store = await core.store();
  const entries = store.entries(head.id);
  await assertSamePlaces(entries, core.workspace);
  const paths = entries.map(({ path }) => path);
  return withFileLocks(paths, signal, async () => {
    const steps = await concurrently(entries, PARALLEL, (entry) =>
      planStep(store, head.id, entry, { exactlyAfter, workspace: core.workspace }),
    );
    const conflicts = steps.filter(({ action }) => action === 'conflict');
    if (conflicts.length > 0) throw conflictError(conflicts, head, exactlyAfter, core.workspace);
    const wanted = steps.filter(({ action }) => action === 'restore');
    if (wanted.length === 0) return { steps, checkpointId: undefined };
    const recorder = createRecorder(core, { ...origin, restores: head.id, evenIgnored: true });
    const isFolder = ({ current, target }: Step) => current?.type === 'folder' || target.type === 'folder';
    const files = wanted.filter((step) => !isFolder(step));
    const commits = await concurrently(files, PARALLEL, (step) => toCommit(core, step));
    const folders = wanted.filter(isFolder);
    await commitFiles(commits, {
      stateDir: core.stateDir,
      signal,
      locked: true,
      recorder: folders.length === 0 ? recorder : withFolders(recorder, folders),
      folders: folders.flatMap(({ path, target }) =>
        target.type === 'folder' ? [{ path, shown: core.workspace.display(path), mode: target.mode }] : [],
      ),
      emptiedFolders: folders.filter(({ target }) => target.type === 'none').map(({ path }) => path),
    });
    return { steps, checkpointId: recorder.outcome().checkpointId };
  });
}

async function planStep(
  store: Store,
  checkpoint: number,
  entry: RecordedEntry,
  forRestore?: { readonly exactlyAfter: boolean; readonly workspace: Workspace },
): Promise<Step> {
  const { path } = entry;
  const snapshot = forRestore
    ? await snapshotOf({ path, shown: forRestore.workspace.display(path) })
    : undefined;
  const known = snapshot?.bytes && { sha256: sha256Hex(snapshot.bytes), sizeBytes: snapshot.bytes.length };
  const current = await inspect(path, known);
  const last = forRestore?.exactlyAfter ? entry : store.newestEntry(path)?.entry;
  const expected = last?.after ?? NONE;
  const target = withMode(entry, current);
  const isThere = current !== undefined && sameContent(current, target) && modeOf(current) === modeOf(target);
  const isExpected = current !== undefined && sameContent(current, expected);
  // A folder with something in it stays, which is no conflict: only what the change made goes.
  const action = isThere ? 'already' : isExpected ? 'restore' : 'conflict';
  const later = store.laterCheckpoints(path, checkpoint).map(checkpointName);
  return { path, action, current, target, expected, later, entry, snapshot };
}

/** Only a change that changed the mode takes it back; otherwise the present one stays. */
function withMode({ before, after }: RecordedEntry, current: EntryState | undefined): EntryState {
  if (before.type !== 'file' && before.type !== 'folder') return before;
  const presentMode = current?.type === before.type ? modeOf(current) : undefined;
  const modeChanged = after?.type === before.type && modeOf(after) !== before.mode;
  return { ...before, mode: modeChanged ? before.mode : (presentMode ?? before.mode) };
}

async function toCommit(
  core: Core & { readonly workspace: Workspace },
  { path, current, target, snapshot }: Step,
): Promise<FileCommit> {
  const file = { path, shown: core.workspace.display(path) };
  const before = current?.type === 'link' ? current : snapshot;
  if (target.type === 'link') return { file, before, after: target };
  if (target.type !== 'file') return { file, before, after: undefined };
  const { sha256, sizeBytes, mode } = target;
  const content =
    sizeBytes <= MAX_IN_MEMORY_BYTES ? await core.blobs.read(sha256) : core.blobs.source(sha256, sizeBytes);
  return { file, before, after: { type: 'file', content, mode } };
}

/** Folders that are made or emptied belong to the record like the files. */
function withFolders(
  recorder: ReturnType<typeof createRecorder>,
  folders: readonly Step[],
): Pick<ReturnType<typeof createRecorder>, 'prepare'> {
  const changes = folders.map(({ path, target }) => {
    const kind = target.type === 'folder' ? ('create' as const) : ('delete' as const);
    return { path, before: undefined, after: undefined, kind };
  });
  return { prepare: (files, signal) => recorder.prepare([...files, ...changes], signal) };
}

async function snapshotOf(file: FileRef): Promise<FileSnapshot | undefined> {
  return (await entryStats(file.path))?.isFile() ? takeSnapshot(file, MAX_EDIT_BYTES) : undefined;
}

/**
 * A folder on the way may have become a symbolic link since: what was recorded for one place is not written to another.
 * @throws {CodedError} DENIED; UNSUPPORTED_FILE for a loop of links
 */
async function assertSamePlaces(entries: readonly RecordedEntry[], workspace: Workspace): Promise<void> {
  for (const folder of new Set(entries.map(({ path }) => dirname(path)))) {
    const shown = workspace.display(folder);
    await stat(folder).catch(async (error: unknown) => {
      if (systemCode(error) === 'ELOOP') throw await fileError(error, { path: folder, shown }, 'restored');
    });
    if ((await realPathOfExistingPart(folder)) === folder) continue;
    throw new CodedError(
      'DENIED',
      `${shown} now leads to another place through a symbolic link. Nothing was changed.`,
      'Use rewind with action "preview" to see the recorded content, and write it where it is wanted.',
    );
  }
}

function conflictError(
  conflicts: readonly Step[],
  head: CheckpointHead,
  exactlyAfter: boolean,
  workspace: Workspace,
): CodedError {
  const names = conflicts.map(({ path }) => workspace.display(path));
  const shown = names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '');
  const were = names.length === 1 ? 'was' : 'were';
  const id = checkpointName(head.id);
  return new CodedError(
    'CONFLICT',
    exactlyAfter
      ? `Nothing was changed: ${shown} ${were} changed since the restore ${id}, which is therefore not taken back.`
      : `Nothing was restored: ${shown} ${were} changed since by something that is not recorded.`,
    `Use rewind with action "preview" and checkpoint_id "${id}" to see the difference, and take it back with edit_file or apply_patch where it is wanted.`,
    { conflicts: names.slice(0, 100), conflict_count: names.length },
  );
}
