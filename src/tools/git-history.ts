import { z } from 'zod';
import type { DiffReport, LogEntry, ShownCommit, ShownFile } from '../git/index.ts';
import { defineTool, READS, type ShapeOf } from './define.ts';
import {
  callText,
  changedFileShape,
  counted,
  countsText,
  limitedTo,
  openRepository,
  pathDisplay,
  repositoryPath,
  shownFiles,
} from './git-common.ts';

const offsetShape = z.int().min(0).default(0).describe('bytes, from next');
const LOSSY = ' Bytes that are not UTF-8 are shown as U+FFFD.';

export const gitDiff = defineTool({
  name: 'git_diff',
  description:
    'Unified diff of uncommitted changes: working tree, index (staged), or against a ref (branch, commit, a..b). Untracked files are in git_status, single commits in git_show.',
  input: z.object({
    path: z.string().optional().describe('folder in the repo, or a file'),
    staged: z.boolean().default(false),
    file: z.string().optional().describe('file or folder'),
    ref: z.string().optional(),
    offset: offsetShape,
  }),
  output: () =>
    z.object({
      files_changed: z.number(),
      added: z.number(),
      removed: z.number(),
      files: z.array(changedFileShape()).optional(),
      total_bytes: z.number().nullable().optional(),
      truncated: z.boolean(),
      next: z.string().optional(),
      diff: z.string(),
    }),
  annotations: READS,
  bulk: ['diff'],
  slim: true,
  async handler({ path, staged, file, ref, offset }, context) {
    const repository = await openRepository(context, path, 'read');
    const limit = await limitedTo(repository, file);
    const report = await repository.diff({ staged, ...(ref !== undefined && { ref }), path: limit, offset });
    const show = pathDisplay(context.services.workspace, repository.top);
    const truncated = report.nextOffset !== undefined;
    const again = { path, staged: staged || undefined, file, ref };
    return {
      summary: diffSummary(
        report,
        comparison(staged, ref),
        again,
        limit === undefined ? undefined : show(limit),
      ),
      data: {
        files_changed: report.fileCount,
        added: report.added,
        removed: report.removed,
        ...(report.files && {
          files: shownFiles(report.files, show),
          total_bytes: report.totalBytes,
        }),
        truncated,
        ...(truncated && { next: callText('git_diff', { ...again, offset: report.nextOffset }) }),
        diff: report.diff,
      },
    };
  },
});

function comparison(staged: boolean, ref: string | undefined): string {
  if (ref?.includes('..')) return ref;
  return staged ? `index against ${ref ?? 'HEAD'}` : `working tree against ${ref ?? 'index'}`;
}

function diffSummary(
  report: DiffReport,
  what: string,
  again: Record<string, unknown>,
  limit: string | undefined,
): string {
  if (report.fileCount === 0) {
    const rest = report.elsewhere;
    const other =
      rest === undefined || rest.total === 0
        ? limit === undefined
          ? 'The working tree is clean.'
          : ''
        : `Elsewhere: ${countsText(rest)}.`;
    const hint =
      rest && rest.staged > 0 && again['staged'] !== true
        ? ' git_diff {"staged":true} shows the staged changes.'
        : '';
    const untracked =
      rest && rest.untracked > 0 ? ' Untracked files are not part of a diff; git_status lists them.' : '';
    const where = limit === undefined ? '' : ` in ${limit}`;
    return `No differences${where}, ${what}. ${other}${hint}${untracked}`.trimEnd();
  }
  const size = `${counted(report.fileCount, 'file')} changed, +${report.added} -${report.removed} (${what}).`;
  const cut =
    report.nextOffset === undefined
      ? ''
      : ` Cut at byte ${report.nextOffset} of ${report.totalBytes ?? 'more than 64 MiB'}: "next" goes on, "file" limits it to one of "files".`;
  return `${size}${cut}${report.lossy ? LOSSY : ''}`;
}

export const logEntryShape = () =>
  z.object({
    hash: z.string(),
    short: z.string(),
    author: z.string(),
    email: z.string(),
    date: z.string(),
    subject: z.string(),
    body: z.string().optional(),
    refs: z.array(z.string()).optional(),
    parents: z.array(z.string()).optional(),
  });

export const gitLog = defineTool({
  name: 'git_log',
  description:
    'Commit history, newest first: hash, author, date, message, branches, tags; of a file or folder, from a branch, in a range a..b. git_show has the diff of a commit.',
  input: z.object({
    path: z.string().optional().describe('folder in the repo, or a file'),
    count: z.int().min(1).max(1_000).default(10),
    skip: z.int().min(0).default(0),
    ref: z.string().optional(),
    file: z.string().optional().describe('file or folder'),
  }),
  output: () =>
    z.object({
      entries: z.array(logEntryShape()),
      truncated: z.boolean().describe('there are more commits'),
      next: z.string().optional(),
    }),
  annotations: READS,
  // No field of plain text, but sent once, as text.
  bulk: [],
  slim: true,
  async handler({ path, count, skip, ref, file }, context) {
    const repository = await openRepository(context, path, 'read');
    const limit = await limitedTo(repository, file);
    const report = await repository.log({ count, skip, ...(ref !== undefined && { ref }), path: limit });
    const next = callText('git_log', { path, count, skip: skip + report.entries.length, ref, file });
    const of = limit === undefined ? '' : ` of ${limit}`;
    const end = report.more
      ? 'There are more: "next" goes on.'
      : report.shallowEnd
        ? 'The history is cut off here (shallow clone): run_command "git fetch --unshallow" gets the rest.'
        : '';
    const first = report.entries[0];
    return {
      summary: report.unborn
        ? 'No commits yet.'
        : first === undefined
          ? `No ${skip > 0 ? 'more ' : ''}commits${of}${ref === undefined ? '' : ` in ${ref}`}.`
          : `${counted(report.entries.length, 'commit')}${of}, newest ${first.short} "${first.subject}". ${end}`.trimEnd(),
      data: {
        entries: report.entries.map(copyEntry),
        truncated: report.more,
        ...(report.more && { next }),
      },
    };
  },
});

/** The same with lists that the schema's type takes. */
function copyEntry(entry: LogEntry): ShapeOf<typeof logEntryShape> {
  const { refs, parents, ...rest } = entry;
  return { ...rest, ...(refs && { refs: [...refs] }), ...(parents && { parents: [...parents] }) };
}

export const gitShow = defineTool({
  name: 'git_show',
  description:
    'One commit with message, files and diff; or with file (or ref "rev:file") the content of a file or folder as it was at a ref. ":1:file", ":2:file", ":3:file" are base, ours and theirs of a conflict.',
  input: z.object({
    ref: z.string().describe('commit, branch, tag, HEAD~2, or rev:file'),
    file: z.string().optional(),
    path: repositoryPath,
    offset: offsetShape,
  }),
  output: () =>
    z.object({
      commit: logEntryShape().optional(),
      files: z.array(changedFileShape()).optional(),
      size_bytes: z.number().nullable().optional(),
      truncated: z.boolean(),
      next: z.string().optional(),
      text: z.string(),
    }),
  annotations: READS,
  bulk: ['text'],
  async handler({ ref, file, path, offset }, context) {
    const repository = await openRepository(context, path, 'read');
    const limit = await limitedTo(repository, file);
    const shown = await repository.show(ref, limit, offset);
    const truncated = shown.nextOffset !== undefined;
    const next = callText('git_show', { ref, file, path, offset: shown.nextOffset });
    if ('content' in shown) {
      return {
        summary: fileSummary(shown, limit === undefined ? ref : `${limit} at ${ref}`),
        data: { size_bytes: shown.sizeBytes, truncated, ...(truncated && { next }), text: shown.content },
      };
    }
    const show = pathDisplay(context.services.workspace, repository.top);
    return {
      summary: commitSummary(shown),
      data: {
        commit: copyEntry(shown.commit),
        files: shownFiles(shown.files, show),
        ...(truncated && { size_bytes: shown.totalBytes }),
        truncated,
        ...(truncated && { next }),
        text: shown.diff,
      },
    };
  },
});

function fileSummary(shown: ShownFile, name: string): string {
  const cut = shown.nextOffset === undefined ? '' : ` Cut at byte ${shown.nextOffset}: "next" goes on.`;
  return `${name}: ${shown.kind}, ${counted(shown.sizeBytes, 'byte')}.${cut}${shown.lossy ? LOSSY : ''}`;
}

function commitSummary(shown: ShownCommit): string {
  const { commit } = shown;
  const against = commit.parents ? ', compared with its first parent' : '';
  const cut =
    shown.nextOffset === undefined
      ? ''
      : ` The diff is cut at byte ${shown.nextOffset} of ${shown.totalBytes ?? 'more than 64 MiB'}: "next" goes on.`;
  return `${commit.short} "${commit.subject}" by ${commit.author}: ${counted(shown.files.length, 'file')}, +${shown.added} -${shown.removed}${against}.${cut}${shown.lossy ? LOSSY : ''}`;
}

export const gitBlame = defineTool({
  name: 'git_blame',
  description:
    'Who last changed each line of a file, and in which commit (annotate), uncommitted lines as 00000000. git_log with file has the history of the whole file.',
  input: z.object({
    file: z.string(),
    start_line: z.int().min(1).optional(),
    end_line: z.int().min(1).optional(),
    path: repositoryPath,
  }),
  output: () =>
    z.object({
      file: z.string(),
      start_line: z.number(),
      end_line: z.number(),
      commits: z.array(
        z.object({
          short: z.string(),
          author: z.string(),
          date: z.string(),
          subject: z.string(),
          lines: z.number(),
        }),
      ),
      truncated: z.boolean(),
      next: z.string().optional(),
      blame: z.string().describe('commit, line number, text'),
    }),
  annotations: READS,
  bulk: ['blame'],
  async handler({ file, start_line, end_line, path }, context) {
    const repository = await openRepository(context, path, 'read');
    const limit = await repository.resolveFile(file);
    const report = await repository.blame(limit, start_line, end_line);
    const truncated = report.nextLine !== undefined;
    const commits = report.commits.map(({ hash: _, ...commit }) => commit);
    const range = report.blame === '' ? 'no lines' : `lines ${report.startLine} to ${report.endLine}`;
    return {
      summary: `${limit}: ${range}, from ${counted(commits.length, 'commit')}.${truncated ? ' Cut: "next" goes on.' : ''}`,
      data: {
        file: pathDisplay(context.services.workspace, repository.top)(limit),
        start_line: report.startLine,
        end_line: report.endLine,
        commits: commits.slice(0, 200),
        truncated,
        ...(truncated && {
          next: callText('git_blame', { file, start_line: report.nextLine, end_line, path }),
        }),
        blame: report.blame,
      },
    };
  },
});
