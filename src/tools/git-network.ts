import { z } from 'zod';
import { type LongRunner, type StillRunning, shortList } from '../git/index.ts';
import { defineTool, RUNS, type ToolContext } from './define.ts';
import { recordShape } from './files-call.ts';
import {
  changedFileShape,
  counted,
  countsText,
  fitting,
  MAX_LIST_BYTES,
  openRepository,
  pathDisplay,
  recordedRun,
  repositoryPath,
  shownFiles,
  trackingText,
} from './git-common.ts';
import { headText } from './git-status.ts';

/** Runs git through the shell domain: it yields, is listed among the processes, and can be stopped. */
function shellRunner(context: ToolContext): LongRunner {
  return {
    async run(program) {
      const env = Object.fromEntries(
        Object.entries(program.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
      );
      const result = await context.services.shell.startProgram(
        { file: program.file, args: program.args, cwd: program.cwd, env, label: program.title },
        context,
      );
      const { exitCode, stdout, stderr, processId } = result;
      if (result.running) return { done: false, processId, output: `${stdout}${stderr}` };
      return { done: true, exitCode, stdout, stderr };
    },
  };
}

const runningShape = () => ({
  process_id: z.string().optional().describe('still running'),
  output: z.string().optional(),
});

function stillRunning(command: string, run: StillRunning) {
  return {
    summary: `git ${command} still runs and goes on: process_output {"id":"${run.processId}","wait_ms":30000} waits for it.`,
    data: { process_id: run.processId, output: run.output, truncated: false },
  };
}

export const gitFetch = defineTool({
  name: 'git_fetch',
  description:
    'Download new commits, branches and tags from a remote; no local file changes. git_pull also brings them into the current branch.',
  input: z.object({ remote: z.string().optional(), path: repositoryPath }),
  output: () =>
    z.object({
      updates: z
        .array(
          z.object({
            ref: z.string(),
            change: z.string(),
            from: z.string().optional(),
            to: z.string().optional(),
          }),
        )
        .optional(),
      ahead: z.number().optional(),
      behind: z.number().optional(),
      ...runningShape(),
      truncated: z.boolean(),
    }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  async handler({ remote, path }, context) {
    const repository = await openRepository(context, path, 'write');
    const report = await repository.fetch(remote, shellRunner(context));
    if (report.running) return stillRunning('fetch', report);
    const updates = fitting(report.updates, MAX_LIST_BYTES);
    const { status } = report;
    const names = shortList(report.updates.map(({ ref, change }) => `${ref} (${change})`));
    return {
      summary: `${names === '' ? 'Nothing new' : `Fetched ${names}`}.${status ? ` ${headText(status)}${trackingText(status)}.` : ''}`,
      data: {
        updates,
        ...(status?.ahead !== undefined && { ahead: status.ahead }),
        ...(status?.behind !== undefined && { behind: status.behind }),
        truncated: updates.length < report.updates.length,
      },
    };
  },
});

export const gitPush = defineTool({
  name: 'git_push',
  description:
    'Upload (publish) a branch or tag to a remote, never by force; set_upstream for a new branch. A rejected push says what it needs.',
  input: z.object({
    remote: z.string().optional(),
    branch: z.string().optional().describe('default: current'),
    set_upstream: z.boolean().default(false),
    path: repositoryPath,
  }),
  output: () =>
    z.object({
      refs: z
        .array(z.object({ from: z.string(), to: z.string(), result: z.string(), detail: z.string() }))
        .optional(),
      remote_output: z.string().optional(),
      ...runningShape(),
      truncated: z.boolean(),
    }),
  annotations: RUNS,
  async handler({ remote, branch, set_upstream, path }, context) {
    const repository = await openRepository(context, path, 'write');
    const report = await repository.push({ remote, branch, setUpstream: set_upstream }, shellRunner(context));
    if (report.running) return stillRunning('push', report);
    const words = report.refs.map(
      ({ to, result, detail }) => `${to}: ${result === 'updated' ? detail : result}`,
    );
    return {
      summary: `Pushed ${shortList(words) || 'nothing: everything is up to date'}.`,
      data: {
        refs: fitting(report.refs, MAX_LIST_BYTES),
        ...(report.remoteOutput && { remote_output: report.remoteOutput }),
        truncated: false,
      },
    };
  },
});

export const gitPull = defineTool({
  name: 'git_pull',
  description:
    'Fetch from a remote and bring its commits into the current branch, by merge or rebase. Conflicts are named. git_fetch only downloads.',
  input: z.object({
    remote: z.string().optional(),
    branch: z.string().optional(),
    rebase: z.boolean().optional().describe('own commits on top; false: merge'),
    path: repositoryPath,
  }),
  output: () =>
    z.object({
      from: z.string().nullable().optional(),
      to: z.string().nullable().optional(),
      files: z.array(changedFileShape()).optional(),
      ...runningShape(),
      truncated: z.boolean(),
      ...recordShape(),
    }),
  annotations: RUNS,
  async handler({ remote, branch, rebase, path }, context) {
    const repository = await openRepository(context, path, 'write');
    const touched = await repository.filesTouchedBy({ kind: 'pull' });
    const { result: report, record } = await recordedRun(context, 'git_pull', touched, () =>
      repository.pull({ remote, branch, rebase }, shellRunner(context)),
    );
    if (report.running) return stillRunning('pull', report);
    const { from, to, status } = report;
    const files = shownFiles(
      report.files,
      pathDisplay(context.services.workspace, repository.top),
      MAX_LIST_BYTES,
    );
    const move =
      from === to
        ? 'Already up to date'
        : `Pulled ${from?.slice(0, 7) ?? 'nothing'}..${to?.slice(0, 7)}, ${counted(report.files.length, 'file')} changed${files.length ? `: ${shortList(files.map((file) => file.path))}` : ''}`;
    return {
      summary: `${move}. ${headText(status)}${trackingText(status)}${status.counts.total ? `: ${countsText(status.counts)}` : ''}.`,
      data: {
        from: from ?? null,
        to: to ?? null,
        files,
        truncated: files.length < report.files.length,
        ...record,
      },
    };
  },
});
