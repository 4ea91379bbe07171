import { z } from 'zod';
import type { StatusReport } from '../git/index.ts';
import { defineTool, READS } from './define.ts';
import {
  callText,
  counted,
  countsShape,
  countsText,
  entryShape,
  fitting,
  limitedTo,
  MAX_LIST_BYTES,
  openRepository,
  pathDisplay,
  shownEntry,
  stateShape,
  trackingText,
} from './git-common.ts';

/** Entries in one answer; git_status {"offset"} goes on. */
const MAX_ENTRIES = 1_000;

export const gitStatus = defineTool({
  name: 'git_status',
  description:
    'State of a git repository: branch, ahead and behind, changed, staged, untracked and conflicted files, a merge or rebase in progress. git_diff shows the changes.',
  input: z.object({
    path: z.string().optional().describe('folder in the repo, or a file'),
    offset: z.int().min(0).default(0).describe('entries'),
  }),
  output: () =>
    z.object({
      branch: z.string().nullable(),
      head: z.string().nullable(),
      upstream: z.string().optional(),
      ahead: z.number().optional(),
      behind: z.number().optional(),
      state: stateShape().optional(),
      stashes: z.number().optional(),
      counts: countsShape(),
      entries: z.array(entryShape()),
      truncated: z.boolean(),
      next: z.string().optional(),
    }),
  annotations: READS,
  slim: true,
  async handler({ path, offset }, context) {
    const repository = await openRepository(context, path, 'read');
    const file = await limitedTo(repository, undefined);
    const report = await repository.status({
      offset,
      limit: MAX_ENTRIES,
      ...(file !== undefined && { path: file }),
    });
    const show = pathDisplay(context.services.workspace, repository.top);
    const entries = fitting(
      report.entries.map((entry) => shownEntry(entry, show)),
      MAX_LIST_BYTES,
    );
    const truncated = offset + entries.length < report.counts.total;
    return {
      summary: summaryOf(report, offset, entries.length, truncated),
      data: {
        branch: report.branch ?? null,
        head: report.head ?? null,
        ...(report.upstream !== undefined && { upstream: report.upstream }),
        ...(report.ahead !== undefined && { ahead: report.ahead }),
        ...(report.behind !== undefined && { behind: report.behind }),
        ...(report.state && { state: report.state }),
        ...(report.stashes > 0 && { stashes: report.stashes }),
        counts: report.counts,
        entries,
        truncated,
        ...(truncated && { next: callText('git_status', { path, offset: offset + entries.length }) }),
      },
    };
  },
});

function summaryOf(report: StatusReport, offset: number, shown: number, truncated: boolean): string {
  const parts = [`${headText(report)}${trackingText(report)}: ${countsText(report.counts)}.`];
  const { state } = report;
  if (state) {
    const step =
      state.step !== undefined && state.total !== undefined ? ` (step ${state.step} of ${state.total})` : '';
    parts.push(
      `A ${state.operation}${state.branch ? ` of ${state.branch}` : ''} is in progress${step}: ${state.next}`,
    );
  }
  if (report.counts.conflicted > 0) {
    parts.push('git_show with a ref from "versions" shows a side of a conflict (base, ours, theirs).');
  }
  if (truncated || offset > 0) {
    parts.push(
      `Entries ${shown === 0 ? 'none' : `${offset + 1} to ${offset + shown}`} of ${counted(report.counts.total, 'entry')}.`,
    );
  }
  return parts.join(' ');
}

/** "On main", "On main, no commits yet", "Detached at 1a2b3c4". */
export function headText(report: Pick<StatusReport, 'branch' | 'head'>): string {
  if (report.branch === undefined) return `Detached at ${report.head?.slice(0, 7) ?? 'nothing'}`;
  return `On ${report.branch}${report.head === undefined ? ', no commits yet' : ''}`;
}
