import {
  type CheckpointPage,
  fileSteps,
  type History,
  type ListedCheckpoint,
  type RestoreResult,
} from '../../history/index.ts';
import { CodedError } from '../../runtime/errors.ts';
import type { Services } from '../../tools/services.ts';
import type { CheckpointModel, FileHistoryModel, HistoryModel, RestorePreviewModel } from '../models.ts';
import type { DashboardParts } from '../parts.ts';
import { fileDiffs, MAX_COMPARED_BYTES, recordedBytes } from './file-diff.ts';

type Parts = Pick<DashboardParts, 'services'>;

const PER_PAGE = 50;
/** Steps of a preview that are shown. */
const MAX_STEPS = 500;
const ORIGIN = { tool: 'page', conversation: undefined } as const;

export async function historyModel(parts: Parts, before: string | undefined): Promise<HistoryModel> {
  return withHistory(parts, async (history, services) => {
    const page = await history.list({ limit: PER_PAGE, before: before || undefined });
    return { ...(await modelOf(history, services, page)), canRedo: await history.canRedo() };
  });
}

/** The checkpoints of one file, and where one is named (`against`) what became of the file since before it. */
export async function fileHistoryModel(
  parts: Parts,
  path: string,
  query: { readonly before?: string | undefined; readonly against?: string | undefined },
): Promise<FileHistoryModel> {
  return withHistory(parts, async (history, services) => {
    const { workspace } = services;
    const absolute = await workspace.forReading(path);
    const page = await history.ofFile(absolute, { limit: PER_PAGE, before: query.before || undefined });
    const model = await modelOf(history, services, page);
    const shown = { ...model, canRedo: false, path: workspace.display(absolute) };
    if (!query.against) return { ...shown, against: undefined, diff: undefined };
    const { changes } = await history.changes(query.against);
    const change = changes.find((one) => one.path === absolute);
    if (change === undefined) return { ...shown, against: query.against, diff: undefined };
    const [diff] = await fileDiffs([
      {
        path: shown.path,
        before: change.before,
        after: await history.stateOf(absolute),
        readBefore: () => recordedBytes(history, absolute, change.before),
        readAfter: () => history.present(absolute, MAX_COMPARED_BYTES),
      },
    ]);
    return { ...shown, against: query.against, diff };
  });
}

/** What restoring would do now, from what stands there to what would stand there then. */
export async function restorePreview(parts: Parts, id: string): Promise<RestorePreviewModel> {
  return withHistory(parts, async (history, { workspace }) => {
    const [{ steps: all, hidden }, listed] = await Promise.all([history.preview(id), history.checkpoint(id)]);
    const steps = fileSteps(all);
    const shown = steps.slice(0, MAX_STEPS);
    const diffs = await fileDiffs(
      shown
        .filter(({ action }) => action !== 'already')
        .map(({ path, current, target }) => ({
          path: workspace.display(path),
          before: current,
          after: target,
          readBefore: () => history.present(path, MAX_COMPARED_BYTES),
          readAfter: () => history.content(target, MAX_COMPARED_BYTES),
        })),
    );
    return {
      checkpoint: checkpointOf(listed, workspace),
      steps: shown.map(({ path, action, later }) => ({ path: workspace.display(path), action, later })),
      conflictCount: steps.filter(({ action }) => action === 'conflict').length,
      hiddenCount: hidden,
      moreSteps: steps.length - shown.length,
      diffs,
    };
  });
}

/** @returns what was done, in one sentence @throws {CodedError} CONFLICT: nothing was changed then */
export function restore(parts: Parts, id: string): Promise<string> {
  return withHistory(parts, async (history) => doneText('Restored', await history.restore(id, ORIGIN)));
}

export function redo(parts: Parts): Promise<string> {
  return withHistory(parts, async (history) => doneText('Took back', await history.redo(ORIGIN)));
}

function doneText(done: string, { checkpoint, steps, checkpointId }: RestoreResult): string {
  const count = fileSteps(steps.filter(({ action }) => action === 'restore')).length;
  if (count === 0) return `Nothing to do: everything is as it was before ${checkpoint}.`;
  const recorded = checkpointId === undefined ? '' : `, recorded as ${checkpointId}`;
  return `${done} ${checkpoint}: ${count} file${count === 1 ? '' : 's'} changed${recorded}.`;
}

/** The history is that of the server's own mode; what a narrower client changed is in it as well. */
export async function withHistory<T>(
  parts: Parts,
  act: (history: History, services: Services) => Promise<T>,
): Promise<T> {
  const [services] = parts.services();
  const { history, workspace } = services;
  if (history === undefined) {
    throw new CodedError('NOT_AVAILABLE', 'This server records no history.', 'Use git instead.');
  }
  return workspace.around(() => act(history, services));
}

async function modelOf(
  history: History,
  { workspace }: Services,
  { checkpoints, next }: CheckpointPage,
): Promise<Omit<HistoryModel, 'canRedo'>> {
  const { usedBytes, budgetBytes } = await history.status();
  return {
    checkpoints: checkpoints.map((checkpoint) => checkpointOf(checkpoint, workspace)),
    next,
    usedBytes,
    budgetBytes,
  };
}

function checkpointOf(checkpoint: ListedCheckpoint, workspace: Services['workspace']): CheckpointModel {
  return {
    id: checkpoint.id,
    at: new Date(checkpoint.atMs).toISOString(),
    tool: checkpoint.tool,
    files: checkpoint.files.map(({ path, change }) => ({ path: workspace.display(path), change })),
    fileCount: checkpoint.fileCount,
    restores: checkpoint.restores,
  };
}
