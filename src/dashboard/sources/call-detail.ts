import { CodedError } from '../../runtime/errors.ts';
import type { CallDetailModel, CallModel, FileDiffModel } from '../models.ts';
import type { DashboardParts } from '../parts.ts';
import { callOf, loggedModel } from './activity.ts';
import { findLogged } from './audit-pages.ts';
import { fileDiffs, recordedBytes } from './file-diff.ts';
import { withHistory } from './history.ts';
import { maskedJson, maskedResult } from './masked.ts';
import { shellOf } from './processes.ts';

/** An opened call: from memory where it is among the newest, else what the audit trail says of it. */
export async function callDetail(parts: DashboardParts, id: string): Promise<CallDetailModel | undefined> {
  const booked = parts.calls.get(id);
  if (booked !== undefined) {
    return {
      ...callOf(booked),
      kept: true,
      arguments: booked.arguments && maskedJson(booked.arguments),
      result: booked.result && maskedResult(booked.result),
      ...(await changesOf(parts, booked.checkpointId)),
      processId: await knownProcess(parts, booked.processId),
    };
  }
  const file = parts.services()[0].audit?.file;
  const logged = file === undefined ? undefined : await findLogged(file, id);
  if (logged === undefined) return undefined;
  const call: CallModel = loggedModel(logged);
  const checkpointId = logged.entry.checkpoint_id;
  return {
    ...call,
    kept: false,
    arguments: undefined,
    result: undefined,
    ...(await changesOf(parts, typeof checkpointId === 'string' ? checkpointId : undefined)),
    processId: undefined,
  };
}

/** The file changes of a call; a checkpoint that is gone or out of sight counts for none. */
async function changesOf(
  parts: DashboardParts,
  checkpointId: string | undefined,
): Promise<{ checkpointId: string | undefined; diffs: FileDiffModel[] }> {
  if (checkpointId === undefined) return { checkpointId: undefined, diffs: [] };
  return withHistory(parts, async (history, { workspace }) => {
    const { changes } = await history.changes(checkpointId);
    const files = changes.filter(({ before, after }) => before.type !== 'folder' && after?.type !== 'folder');
    const diffs = await fileDiffs(
      files.map(({ path, before, after }) => ({
        path: workspace.display(path),
        before,
        after,
        readBefore: () => recordedBytes(history, path, before),
        readAfter: () => recordedBytes(history, path, after),
      })),
    );
    return { checkpointId, diffs };
  }).catch((error: unknown) => {
    if (error instanceof CodedError) return { checkpointId: undefined, diffs: [] };
    throw error;
  });
}

async function knownProcess(parts: DashboardParts, id: string | undefined): Promise<string | undefined> {
  if (id === undefined) return undefined;
  return shellOf(parts, id).then(
    () => id,
    () => undefined,
  );
}
