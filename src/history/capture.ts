import { dirname } from 'node:path';
import { CodedError, systemCode } from '../runtime/errors.ts';
import type { FileChange } from '../workspace/index.ts';
import { OverBudget } from './blob-io.ts';
import type { StagedBlob } from './blobs.ts';
import type { Core } from './core.ts';
import { entryStats, inspect, permissions, stampOf } from './inspect.ts';
import { shownIn } from './shown.ts';
import { type EntryState, NONE, type RecordedEntry } from './types.ts';

/** From this size on a file that is going to be replaced is kept by a second link instead of a compressed copy. */
const LINK_FROM_BYTES = 8 * 1024 * 1024;
/** Up to this size the new content is kept too; a larger one is kept when it changes again. */
const MAX_AFTER_BYTES = 8 * 1024 * 1024;

/** A change as it is going to be recorded, its contents ready to be placed. */
export interface Capture {
  readonly entry: RecordedEntry;
  readonly before: StagedBlob | undefined;
  readonly after: StagedBlob | undefined;
  /** Of the file as its content was read for the record (stampOf); undefined where the change itself compares. */
  readonly stamp?: string | undefined;
}

/**
 * Reads what stands at the path of a change.
 * @param inodeIsLeft the change leaves the present file itself untouched (it is replaced or removed), so that it may
 *   be kept by a second link
 * @returns several captures where folders come into being with the file; the reason where it cannot be recorded
 */
export async function capture(
  core: Core,
  change: FileChange,
  inodeIsLeft: boolean,
): Promise<Capture[] | string> {
  const stats = await entryStats(change.path);
  if (stats && !stats.isFile() && !stats.isSymbolicLink() && !stats.isDirectory())
    return 'it is not a regular file';
  const after =
    change.after && change.after.length <= MAX_AFTER_BYTES
      ? await core.blobs.fromBytes(change.after)
      : undefined;
  const plannedAfter: EntryState | undefined = after
    ? { type: 'file', sha256: after.sha256, sizeBytes: after.sizeBytes, mode: stats ? permissions(stats) : 0 }
    : change.kind === 'delete'
      ? NONE
      : undefined;
  const entry = { path: change.path, after: plannedAfter, afterStored: after !== undefined };
  if (!stats) {
    const folders = change.kind === 'delete' ? [] : await newFolders(change.path);
    return [...folders, { entry: { ...entry, before: NONE }, before: undefined, after }];
  }
  if (!stats.isFile()) {
    const before = (await inspect(change.path)) ?? NONE;
    return [{ entry: { ...entry, before }, before: undefined, after }];
  }
  const before = await captureContent(core, change, stats.size, inodeIsLeft && stats.nlink === 1);
  const state: EntryState = {
    type: 'file',
    sha256: before.sha256,
    sizeBytes: before.sizeBytes,
    mode: permissions(stats),
  };
  return [
    { entry: { ...entry, before: state }, before, after, stamp: change.before ? undefined : stampOf(stats) },
  ];
}

async function captureContent(...given: Parameters<typeof readContent>): Promise<StagedBlob> {
  try {
    return await readContent(...given);
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    const [core, { path }] = given;
    throw new CodedError(
      'PERMISSION_DENIED',
      `"${shownIn(core.root, path)}" cannot be read by the user that local-coder runs as, so it could not be brought back. Nothing was changed.`,
      'Make it readable first (for example chmod u+r), or use run_command (rm, mv), which records nothing.',
    );
  }
}

async function readContent(
  core: Core,
  change: FileChange,
  sizeBytes: number,
  mayLink: boolean,
): Promise<StagedBlob> {
  if (mayLink && sizeBytes >= LINK_FROM_BYTES) {
    const linked = await core.blobs.fromLink(change.path, change.before);
    if (linked) return linked;
  }
  if (change.before) return core.blobs.fromBytes(change.before);
  if (sizeBytes < 1024 * 1024) return core.blobs.fromSmallFile(change.path);
  try {
    return await core.blobs.fromFile(change.path, core.limits.budgetBytes);
  } catch (error) {
    throw error instanceof OverBudget ? overBudget(core, sizeBytes) : error;
  }
}

/** The folders that will be made for a file, outermost first: taking the change back removes them, too. */
async function newFolders(path: string): Promise<Capture[]> {
  const missing: Capture[] = [];
  for (let folder = dirname(path); !(await entryStats(folder)); folder = dirname(folder)) {
    const entry = {
      path: folder,
      before: NONE,
      after: { type: 'folder', mode: 0 } as const,
      afterStored: false,
    };
    missing.unshift({ entry, before: undefined, after: undefined });
  }
  return missing;
}

export function overBudget(core: Core, neededBytes: number): CodedError {
  const budgetMiB = Math.floor(core.limits.budgetBytes / 1024 / 1024);
  return new CodedError(
    neededBytes > core.limits.budgetBytes ? 'TOO_LARGE' : 'DISK_FULL',
    `The change cannot be recorded: what stands there needs ${neededBytes} bytes and the history may take ${budgetMiB} MiB in all. Nothing was changed.`,
    `Have the user start local-coder with a larger --history-size (now ${budgetMiB}, in MiB), or make the change with run_command, which records nothing.`,
    { needed_bytes: neededBytes, budget_bytes: core.limits.budgetBytes },
  );
}
