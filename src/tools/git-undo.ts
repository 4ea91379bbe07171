import { z } from 'zod';
import { shortList, type TouchedFile } from '../git/index.ts';
import { CodedError } from '../runtime/errors.ts';
import { CHANGES, defineTool } from './define.ts';
import { recordShape } from './files-call.ts';
import {
  counted,
  countsShape,
  countsText,
  fitting,
  openRepository,
  pathDisplay,
  recordedRun,
  repositoryPath,
} from './git-common.ts';

const MAX_NAMES_BYTES = 60 * 1024;

export const gitRestore = defineTool({
  name: 'git_restore',
  description:
    'Discard staged and unstaged changes in files: back to what they are at source. Files new since then are removed if tracked. git_reset undoes commits.',
  input: z.object({
    files: z.array(z.string()).min(1),
    source: z.string().default('HEAD'),
    path: repositoryPath,
  }),
  output: () =>
    z.object({
      source: z.string(),
      overwritten: z.array(z.string()),
      truncated: z.boolean(),
      ...recordShape(),
    }),
  annotations: CHANGES,
  async handler({ files, source, path }, context) {
    const repository = await openRepository(context, path, 'write');
    const paths = await repository.resolveFiles(files);
    const touched = await repository.filesTouchedBy({ kind: 'restore', paths, source });
    const { record } = await recordedRun(context, 'git_restore', touched, () =>
      repository.restore(paths, source),
    );
    const show = pathDisplay(context.services.workspace, repository.top);
    const { overwritten, truncated } = namesOf(touched, show);
    return {
      summary:
        touched.length === 0
          ? `No uncommitted changes were there; the files are as in ${source}.`
          : `Restored from ${source}, uncommitted changes discarded in: ${shortList(overwritten)}.`,
      data: { source, overwritten, truncated, ...record },
    };
  },
});

export const gitReset = defineTool({
  name: 'git_reset',
  description:
    'Move the branch to a commit: undo commits, keep their changes staged (soft) or unstaged (mixed, also unstages), or discard all changes (hard). git_restore is for single files.',
  input: z.object({
    mode: z.enum(['soft', 'mixed', 'hard']),
    ref: z.string().default('HEAD'),
    path: repositoryPath,
  }),
  output: () =>
    z.object({
      from: z.string().nullable(),
      to: z.string(),
      counts: countsShape(),
      overwritten: z.array(z.string()).optional(),
      truncated: z.boolean(),
      ...recordShape(),
    }),
  annotations: CHANGES,
  async handler({ mode, ref, path }, context) {
    const repository = await openRepository(context, path, 'write');
    const touched = mode === 'hard' ? await repository.filesTouchedBy({ kind: 'reset-hard', ref }) : [];
    const {
      result: { from, to },
      record,
    } = await recordedRun(context, 'git_reset', touched, () => repository.reset(mode, ref));
    const { counts } = await repository.status({ limit: 0 });
    const show = pathDisplay(context.services.workspace, repository.top);
    const { overwritten, truncated } = namesOf(touched, show);
    const back =
      from !== undefined && from !== to ? ` git_reset {"mode":"${mode}","ref":"${from}"} moves it back.` : '';
    const lost = touched.length === 0 ? '' : ` Uncommitted changes discarded in: ${shortList(overwritten)}.`;
    return {
      summary: `HEAD is at ${to.slice(0, 7)}${from !== undefined && from !== to ? `, was at ${from.slice(0, 7)}` : ''}: ${countsText(counts)}.${lost}${back}`,
      data: { from: from ?? null, to, counts, ...(mode === 'hard' && { overwritten }), truncated, ...record },
    };
  },
});

function namesOf(touched: readonly TouchedFile[], show: (path: string) => string) {
  const names = touched.map(({ path }) => show(path));
  const overwritten = fitting(names, MAX_NAMES_BYTES);
  return { overwritten, truncated: overwritten.length < names.length };
}

export const gitStash = defineTool({
  name: 'git_stash',
  description: 'Put uncommitted changes aside (push), bring them back (pop, apply), list or drop stashes.',
  input: z.object({
    action: z.enum(['list', 'push', 'pop', 'apply', 'drop']),
    message: z.string().optional(),
    index: z.int().min(0).default(0).describe('0 is the newest'),
    include_untracked: z.boolean().default(false),
    path: repositoryPath,
  }),
  output: () =>
    z.object({
      stashes: z
        .array(z.object({ index: z.number(), commit: z.string(), date: z.string(), message: z.string() }))
        .optional(),
      commit: z.string().optional(),
      counts: countsShape().optional(),
      truncated: z.boolean(),
      ...recordShape(),
    }),
  annotations: CHANGES,
  async handler({ action, message, index, include_untracked, path }, context) {
    const repository = await openRepository(context, path, action === 'list' ? 'read' : 'write');
    if (message !== undefined && action !== 'push') {
      throw new CodedError('INVALID_PARAMS', `The action "${action}" takes no "message".`, 'Only push does.');
    }
    if (action === 'list') {
      const all = await repository.stashes();
      const stashes = fitting(all, MAX_NAMES_BYTES);
      return {
        summary:
          all.length === 0
            ? 'The stash is empty.'
            : `${counted(all.length, 'stash')}, newest: ${all[0]?.message}.`,
        data: { stashes, truncated: stashes.length < all.length },
      };
    }
    if (action === 'drop') {
      const commit = await repository.dropStash(index);
      return {
        summary: `Dropped stash ${index} (${commit.slice(0, 7)}; run_command "git stash apply ${commit}" still brings it back).`,
        data: { commit, truncated: false },
      };
    }
    if (action === 'push') {
      const touched = await repository.filesTouchedBy({
        kind: 'stash-push',
        includeUntracked: include_untracked,
      });
      const { result: entry, record } = await recordedRun(context, 'git_stash', touched, () =>
        repository.pushStash({
          includeUntracked: include_untracked,
          ...(message !== undefined && { message }),
        }),
      );
      const { counts } = await repository.status({ limit: 0 });
      const left = counts.untracked > 0 ? ` Left: ${countsText(counts)}.` : '';
      return {
        summary:
          entry === undefined
            ? `Nothing to put aside.${left}`
            : `Put aside as stash 0: ${entry.message}.${left}`,
        data: { ...(entry && { commit: entry.commit }), counts, truncated: false, ...record },
      };
    }
    const commit = await repository.stashCommit(index);
    const touched = await repository.filesTouchedBy({ kind: 'stash-apply', index });
    const { record } = await recordedRun(context, 'git_stash', touched, () =>
      repository.applyStash(action, index),
    );
    const { counts } = await repository.status({ limit: 0 });
    return {
      summary: `Brought back stash ${index}${action === 'pop' ? ' and dropped it' : ', which is kept'}: ${countsText(counts)}.`,
      data: { commit, counts, truncated: false, ...record },
    };
  },
});
