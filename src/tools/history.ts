import { z } from 'zod';
import { unifiedDiff } from '../edit/index.ts';
import {
  describeState,
  fileSteps,
  type History,
  type ListedCheckpoint,
  type RestoreStep,
  stateText,
} from '../history/index.ts';
import { CodedError } from '../runtime/errors.ts';
import type { Workspace } from '../workspace/index.ts';
import { CHANGES, defineTool, type ShapeOf, type ToolAnswer } from './define.ts';
import { count } from './files-call.ts';
import { fitting } from './git-common.ts';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 200;
const MAX_LISTED_BYTES = 96 * 1024;
const MAX_DIFF_BYTES = 96 * 1024;
/** Larger files are named in a preview without a diff. */
const MAX_COMPARED_BYTES = 1024 * 1024;
const UNRECORDED =
  'What run_command and other programs change is not recorded, nor are files that git ignores.';

const output = () =>
  z.object({
    checkpoints: z
      .array(
        z.object({
          checkpoint_id: z.string(),
          at: z.string(),
          tool: z.string(),
          files: z.array(z.object({ path: z.string(), change: z.string() })),
          file_count: z.number(),
          restores: z.string().optional(),
        }),
      )
      .optional(),
    next: z.unknown().optional(),
    restored: z.string().optional(),
    files: z
      .array(z.object({ path: z.string(), action: z.string(), later: z.array(z.string()).optional() }))
      .optional(),
    file_count: z.number().optional(),
    conflict_count: z.number().optional(),
    truncated: z.boolean().optional(),
    checkpoint_id: z.string().optional(),
    status: z.record(z.string(), z.unknown()).optional(),
    diff: z.string().optional(),
  });
type Answer = ToolAnswer<ShapeOf<typeof output>>;

export const rewind = defineTool({
  name: 'rewind',
  description:
    'Undo file changes that the tools made: list recorded checkpoints, preview or restore one (its files become what they were before it), redo takes the last restore back. Never overwrites what somebody else changed since.',
  input: z.object({
    action: z.enum(['list', 'preview', 'restore', 'redo', 'status']),
    checkpoint_id: z.string().optional().describe('For preview, restore; list goes on below it'),
    limit: z.int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT),
  }),
  output,
  annotations: CHANGES,
  rewindable: true,
  bulk: ['diff'],
  slim: true,
  async handler({ action, checkpoint_id: id, limit }, { services, conversation, signal }) {
    const { workspace, history } = services;
    if (!history)
      throw new CodedError('NOT_AVAILABLE', 'This server records no history.', 'Use git instead.');
    const origin = { tool: 'rewind', conversation };
    switch (action) {
      case 'list':
        return list(history, workspace, limit, id);
      case 'preview':
        return preview(history, workspace, required(id, action));
      case 'restore': {
        const result = await history.restore(required(id, action), origin, signal);
        return restored(
          workspace,
          result.steps,
          result.checkpointId,
          `Restored ${result.checkpoint}`,
          result.checkpoint,
        );
      }
      case 'redo': {
        const result = await history.redo(origin, signal);
        const done = `Took the restore ${result.checkpoint} back`;
        return restored(workspace, result.steps, result.checkpointId, done, result.checkpoint);
      }
      case 'status':
        return status(history);
    }
  },
});

async function list(
  history: History,
  workspace: Workspace,
  limit: number,
  before: string | undefined,
): Promise<Answer> {
  const { checkpoints, hasMore } = await history.list({ limit, before });
  const all = checkpoints.map((checkpoint) => listed(checkpoint, workspace));
  const shown = fitting(all, MAX_LISTED_BYTES);
  const isCut = hasMore || shown.length < all.length;
  const last = shown.at(-1)?.checkpoint_id;
  const next = isCut && last ? { action: 'list' as const, checkpoint_id: last, limit } : undefined;
  return {
    summary:
      shown.length === 0
        ? `No changes are recorded${before === undefined ? '' : ` before ${before}`}. ${UNRECORDED}`
        : `${count(shown.length, 'checkpoint')}, newest first${isCut ? '; there are more' : ''}.`,
    data: { checkpoints: shown, next, truncated: isCut || undefined },
  };
}

function listed(checkpoint: ListedCheckpoint, workspace: Workspace) {
  return {
    checkpoint_id: checkpoint.id,
    at: new Date(checkpoint.atMs).toISOString(),
    tool: checkpoint.tool,
    files: checkpoint.files.map(({ path, change }) => ({ path: workspace.display(path), change })),
    file_count: checkpoint.fileCount,
    restores: checkpoint.restores,
  };
}

async function preview(history: History, workspace: Workspace, id: string): Promise<Answer> {
  const { steps: all, hidden } = await history.preview(id);
  const steps = fileSteps(all);
  const { files, isCut } = stepList(steps, workspace);
  const conflicts = steps.filter(({ action }) => action === 'conflict').length;
  const changes = steps.filter(({ action }) => action === 'restore').length;
  const diff = await diffOf(history, workspace, steps);
  const notes = [
    conflicts > 0
      ? `${count(conflicts, 'file')} changed since by something else: as it stands, restoring is refused as a whole.`
      : undefined,
    hidden > 0 ? `${count(hidden, 'file')} outside of what is served now are not shown.` : undefined,
  ];
  return {
    summary: [`Restoring ${id} would change ${count(changes, 'file')} of ${steps.length}.`, ...notes]
      .filter(Boolean)
      .join(' '),
    data: {
      files,
      file_count: steps.length,
      conflict_count: conflicts,
      truncated: isCut || diff.truncated || undefined,
      diff: diff.text,
    },
  };
}

function restored(
  workspace: Workspace,
  steps: readonly RestoreStep[],
  checkpointId: string | undefined,
  done: string,
  id: string,
): Answer {
  const changed = fileSteps(steps.filter(({ action }) => action === 'restore'));
  const { files, isCut } = stepList(changed, workspace);
  return {
    summary:
      changed.length === 0
        ? `Nothing to do: all files of ${id} are as they were before it.`
        : `${done}: ${count(changed.length, 'file')} changed${checkpointId === undefined ? '' : `, recorded as ${checkpointId}`}.${done.startsWith('Restored') ? ' redo takes it back.' : ''}`,
    data: {
      restored: id,
      files,
      file_count: changed.length,
      truncated: isCut || undefined,
      checkpoint_id: checkpointId,
    },
  };
}

async function status(history: History): Promise<Answer> {
  const { checkpoints, usedBytes, budgetBytes, maxAgeDays, oldestMs } = await history.status();
  return {
    summary: `${count(checkpoints, 'checkpoint')} take ${usedBytes} of ${budgetBytes} bytes. ${UNRECORDED}`,
    data: {
      status: {
        checkpoints,
        used_bytes: usedBytes,
        budget_bytes: budgetBytes,
        max_age_days: maxAgeDays,
        oldest: oldestMs === undefined ? null : new Date(oldestMs).toISOString(),
      },
    },
  };
}

function stepList(steps: readonly RestoreStep[], workspace: Workspace) {
  const all = steps.map(({ path, action, later }) => ({
    path: workspace.display(path),
    action,
    later: later.length === 0 ? undefined : later.slice(0, 10),
  }));
  const files = fitting(all, MAX_LISTED_BYTES);
  return { files, isCut: files.length < all.length };
}

/** From what stands there now to what restoring makes of it. */
async function diffOf(
  history: History,
  workspace: Workspace,
  steps: readonly RestoreStep[],
): Promise<{ text: string; truncated: boolean }> {
  const parts: string[] = [];
  let bytes = 0;
  const changing = steps.filter(({ action }) => action !== 'already');
  for (const [index, step] of changing.entries()) {
    const shown = workspace.display(step.path);
    const before = await stateText(step.current, () => history.present(step.path, MAX_COMPARED_BYTES));
    const after = await stateText(step.target, () => history.content(step.target, MAX_COMPARED_BYTES));
    const part =
      before === undefined || after === undefined
        ? `${shown}: ${describeState(step.current)} → ${describeState(step.target)}\n`
        : (
            await unifiedDiff(shown, before, after, [
              { oldStart: 0, oldEnd: before.length, newStart: 0, newEnd: after.length },
            ])
          ).text;
    bytes += Buffer.byteLength(part);
    if (bytes > MAX_DIFF_BYTES) {
      parts.push(`… the diffs of ${count(changing.length - index, 'file')} are not shown\n`);
      return { text: parts.join(''), truncated: true };
    }
    parts.push(part);
  }
  return { text: parts.join(''), truncated: false };
}

function required(id: string | undefined, action: string): string {
  if (id !== undefined) return id;
  throw new CodedError(
    'INVALID_PARAMS',
    `The action "${action}" needs a checkpoint_id.`,
    'Take it from the answer of the change, or from rewind with action "list".',
  );
}
