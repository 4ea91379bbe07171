import { z } from 'zod';
import type { SwitchReport } from '../git/index.ts';
import { CodedError } from '../runtime/errors.ts';
import { CHANGES, defineTool } from './define.ts';
import { recordShape } from './files-call.ts';
import {
  counted,
  countsShape,
  countsText,
  fitting,
  MAX_LIST_BYTES,
  openRepository,
  recordedRun,
  repositoryPath,
  trackingText,
} from './git-common.ts';
import { headText } from './git-status.ts';

const branchShape = () =>
  z.object({
    name: z.string(),
    commit: z.string(),
    date: z.string(),
    subject: z.string(),
    current: z.boolean().optional(),
    upstream: z.string().optional(),
    ahead: z.number().optional(),
    behind: z.number().optional(),
    upstream_gone: z.boolean().optional(),
    worktree: z.string().optional(),
  });

export const gitBranch = defineTool({
  name: 'git_branch',
  description:
    'List branches (upstream, ahead, behind, last commit), create, switch, or delete a merged one. git_checkout also takes tags and commits.',
  input: z.object({
    action: z.enum(['list', 'create', 'switch', 'create-and-switch', 'delete']),
    name: z.string().optional(),
    start: z.string().optional().describe('of a new branch; default HEAD'),
    path: repositoryPath,
  }),
  output: () =>
    z.object({
      current: z.string().nullable(),
      head: z.string().optional(),
      branches: z.array(branchShape()).optional(),
      remote_branches: z.array(z.string()).optional(),
      commit: z.string().optional(),
      counts: countsShape().optional(),
      hook_output: z.string().optional(),
      truncated: z.boolean(),
    }),
  annotations: CHANGES,
  async handler({ action, name, start, path }, context) {
    const repository = await openRepository(context, path, action === 'list' ? 'read' : 'write');
    if (action === 'list') {
      const list = await repository.branches();
      const branches = fitting(list.branches, MAX_LIST_BYTES).map((branch) => ({ ...branch }));
      const remotes = fitting(list.remoteBranches, 20 * 1024);
      const truncated = branches.length < list.branches.length || remotes.length < list.remoteBranches.length;
      const where = list.current ?? `detached at ${list.head?.commit?.slice(0, 7) ?? 'HEAD'}`;
      return {
        summary: `${counted(list.branches.length, 'branch')}, ${list.remoteBranches.length} on remotes; current: ${where}.${truncated ? ' Cut: run_command "git branch --all" lists all.' : ''}`,
        data: {
          current: list.current ?? null,
          ...(list.head?.commit && { head: list.head.commit }),
          branches,
          remote_branches: remotes,
          truncated,
        },
      };
    }
    if (name === undefined) {
      throw new CodedError(
        'INVALID_PARAMS',
        `The action "${action}" needs "name".`,
        'Give the name of the branch.',
      );
    }
    if (start !== undefined && (action === 'switch' || action === 'delete')) {
      throw new CodedError(
        'INVALID_PARAMS',
        `The action "${action}" takes no "start".`,
        'It is where a new branch begins.',
      );
    }
    if (action === 'create' || action === 'delete') {
      const commit =
        action === 'create'
          ? await repository.createBranch(name, start)
          : await repository.deleteBranch(name);
      const { current } = await repository.branches();
      return {
        summary:
          action === 'create'
            ? `Created ${name} at ${commit.slice(0, 7)}; still on ${current ?? 'a detached HEAD'}.`
            : `Deleted ${name} (was ${commit.slice(0, 7)}; git_branch {"action":"create"} with that "start" brings it back).`,
        data: { current: current ?? null, commit, truncated: false },
      };
    }
    const report =
      action === 'switch'
        ? await repository.switchBranch(name)
        : await repository.createAndSwitch(name, start);
    return moved(report);
  },
});

export const gitCheckout = defineTool({
  name: 'git_checkout',
  description:
    'Check out a branch, tag or commit. Uncommitted changes come along, or it stops and names the files in the way. git_restore is for single files.',
  input: z.object({ branch: z.string().describe('branch, tag or commit'), path: repositoryPath }),
  output: () =>
    z.object({
      current: z.string().nullable(),
      head: z.string().optional(),
      counts: countsShape().optional(),
      hook_output: z.string().optional(),
      truncated: z.boolean(),
      ...recordShape(),
    }),
  annotations: CHANGES,
  async handler({ branch, path }, context) {
    const repository = await openRepository(context, path, 'write');
    const touched = await repository.filesTouchedBy({ kind: 'checkout', ref: branch });
    const { result, record } = await recordedRun(context, 'git_checkout', touched, () =>
      repository.checkout(branch),
    );
    const { summary, data } = moved(result);
    return { summary, data: { ...data, ...record } };
  },
});

function moved(report: SwitchReport) {
  const carried = report.counts.total === 0 ? '' : ` Carried along: ${countsText(report.counts)}.`;
  return {
    summary: `${headText(report)}${trackingText(report)}${report.head ? ` at ${report.head.slice(0, 7)}` : ''}.${carried}${report.hookOutput ? ' The post-checkout hook failed.' : ''}`,
    data: {
      current: report.branch ?? null,
      ...(report.head && { head: report.head }),
      counts: report.counts,
      ...(report.hookOutput && { hook_output: report.hookOutput }),
      truncated: false,
    },
  };
}
