import { z } from 'zod';
import { shortList } from '../git/index.ts';
import { CodedError } from '../runtime/errors.ts';
import { ADDS, defineTool } from './define.ts';
import {
  changedFileShape,
  counted,
  countsShape,
  countsText,
  entryShape,
  fileList,
  fitting,
  openRepository,
  pathDisplay,
  repositoryPath,
  shownEntry,
  shownFiles,
} from './git-common.ts';

const MAX_LISTED_BYTES = 60 * 1024;

export const gitAdd = defineTool({
  name: 'git_add',
  description:
    'Stage files or folders (new, changed, deleted) for the next commit; marks conflicts as resolved. Without files or all it lists what could be staged. git_commit takes files itself.',
  input: z.object({
    path: repositoryPath,
    files: fileList,
    all: z.boolean().default(false),
  }),
  output: () =>
    z.object({
      staged: z.array(entryShape()),
      could_be_staged: z.array(entryShape()).optional(),
      counts: countsShape(),
      warnings: z.array(z.string()).optional(),
      truncated: z.boolean(),
    }),
  annotations: ADDS,
  async handler({ path, files = [], all }, context) {
    if (files.length > 0 && all) {
      throw new CodedError('INVALID_PARAMS', '"files" and "all" were both given.', 'Give one of them.');
    }
    const repository = await openRepository(context, path, 'write');
    const show = pathDisplay(context.services.workspace, repository.top);
    const shown = (entries: readonly Parameters<typeof shownEntry>[0][]) =>
      fitting(
        entries.map((entry) => shownEntry(entry, show)),
        MAX_LISTED_BYTES,
      );
    if (files.length === 0 && !all) {
      const { entries, counts } = await repository.status({});
      const could = entries.filter((entry) => entry.staged === undefined || entry.unstaged !== undefined);
      const staged = entries.filter((entry) => entry.staged !== undefined);
      const listed = { staged: shown(staged), could_be_staged: shown(could) };
      return {
        summary:
          could.length === 0
            ? `Nothing was staged: there are no further changes (${countsText(counts)}).`
            : `Nothing was staged. Could be staged: ${shortList(could.map(({ path: name, status }) => `${show(name)} (${status})`))}. Give "files" or "all": true.`,
        data: {
          ...listed,
          counts,
          truncated: listed.staged.length < staged.length || listed.could_be_staged.length < could.length,
        },
      };
    }
    const report = await repository.stage(all ? undefined : await repository.resolveFiles(files));
    const staged = shown(report.staged);
    const markers = report.withMarkers.map((name) => `${show(name)} still contains conflict markers`);
    const warnings = [...markers, ...report.warnings];
    const names = shortList(report.staged.map((entry) => `${show(entry.path)} (${entry.staged})`));
    return {
      summary: `${report.staged.length === 0 ? 'Nothing is staged: the files have no changes' : `Staged now: ${names}`}.${markers.length > 0 ? ` Warning: ${shortList(markers)}.` : ''}`,
      data: {
        staged,
        counts: report.status.counts,
        ...(warnings.length > 0 && { warnings }),
        truncated: staged.length < report.staged.length,
      },
    };
  },
});

export const gitCommit = defineTool({
  name: 'git_commit',
  description:
    'Commit what is staged, or exactly the given files (new ones too; others stay staged), or with stage_all all changes, new files included. Runs hooks. git_push uploads.',
  input: z.object({
    message: z.string(),
    path: repositoryPath,
    files: fileList,
    stage_all: z.boolean().default(false),
  }),
  output: () =>
    z.object({
      commit: z.string(),
      short: z.string(),
      branch: z.string().nullable(),
      subject: z.string(),
      files: z.array(changedFileShape()),
      remaining: countsShape(),
      hook_output: z.string().optional(),
      truncated: z.boolean(),
    }),
  annotations: { ...ADDS, idempotentHint: false },
  slim: true,
  async handler({ message, path, files = [], stage_all }, context) {
    const repository = await openRepository(context, path, 'write');
    const paths = files.length === 0 ? undefined : await repository.resolveFiles(files);
    const report = await repository.commit({ message, paths, stageAll: stage_all });
    const show = pathDisplay(context.services.workspace, repository.top);
    const listed = shownFiles(report.files, show, MAX_LISTED_BYTES);
    const { commit, status } = report;
    const names = shortList(
      report.files.map((file) => `${show(file.path)} (${file.status})`),
      20,
    );
    const left = status.counts.total === 0 ? '' : ` Not committed: ${countsText(status.counts)}.`;
    const next =
      status.state === undefined
        ? ''
        : ` A ${status.state.operation} is still in progress: ${status.state.next}`;
    return {
      summary: `Committed ${commit.short} "${commit.subject}", ${status.branch === undefined ? 'on a detached HEAD' : `on ${status.branch}`}: ${counted(report.files.length, 'file')}${names ? `: ${names}` : ''}.${left}${next}`,
      data: {
        commit: commit.hash,
        short: commit.short,
        branch: status.branch ?? null,
        subject: commit.subject,
        files: listed,
        remaining: status.counts,
        ...(report.hookOutput !== undefined && { hook_output: report.hookOutput }),
        truncated: listed.length < report.files.length,
      },
    };
  },
});
