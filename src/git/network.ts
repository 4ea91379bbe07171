import { CodedError } from '../runtime/errors.ts';
import { bounded, refNotFound, shortList } from './failures.ts';
import type { GitProgram } from './git-program.ts';
import { type LongRunner, type LongRunResult, runToTheEnd } from './long-run.ts';
import { checkBranchName, withoutCredentials } from './names.ts';
import { networkFailure } from './network-failures.ts';
import { type ChangedFile, readPatch } from './patch-output.ts';
import { hookRefused, type PushedRef, parsePush, pushRejected } from './push-report.ts';
import { chooseRemote, type RemoteSettings, readRemotes } from './remotes.ts';
import type { Repository } from './repository.ts';
import { tryResolveCommit } from './revision.ts';
import { readHead } from './state.ts';
import { readStatus, type StatusReport } from './status.ts';

/** The command was handed over and goes on as a background process. */
export interface StillRunning {
  readonly running: true;
  readonly processId: string;
  readonly output: string;
}

export interface RefUpdate {
  readonly ref: string;
  readonly change: 'new' | 'updated' | 'deleted';
  /** Abbreviated hashes. */
  readonly from?: string;
  readonly to?: string;
}

export interface FetchReport {
  readonly running: false;
  readonly updates: readonly RefUpdate[];
  /** Branch, upstream, ahead and behind, after it. */
  readonly status: StatusReport | undefined;
}

export interface PushReport {
  readonly running: false;
  readonly refs: readonly PushedRef[];
  /** What the remote said (a link to open a pull request, for example). */
  readonly remoteOutput: string;
}

export interface PullReport {
  readonly running: false;
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** What changed between the two. */
  readonly files: readonly ChangedFile[];
  readonly status: StatusReport;
}

interface Call {
  readonly program: GitProgram;
  readonly repository: Repository;
  readonly runner?: LongRunner | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Downloads new commits; nothing in the working tree changes. */
export async function fetchRemote(
  call: Call,
  given: string | undefined,
): Promise<FetchReport | StillRunning> {
  const { program, repository, signal } = call;
  program.refuseInReadOnly('fetch');
  const [settings, head, before] = await Promise.all([
    readRemotes(program, repository, signal),
    readHead(repository),
    remoteRefs(call),
  ]);
  const remote = chooseRemote(settings, given, head?.branch);
  const run = await runRemote(call, settings, ['fetch', '--no-progress', '--end-of-options', remote]);
  if ('running' in run) return run;
  if (run.exitCode !== 0) throw failed('fetch', repository, run);
  const after = await remoteRefs(call);
  const status = repository.bare
    ? undefined
    : await readStatus(program, repository, { untracked: 'no', limit: 0 }, signal);
  return { running: false, updates: compareRefs(before, after), status };
}

/**
 * Uploads a branch or tag.
 * @throws {CodedError} REJECTED with what the remote wants, REF_NOT_FOUND, PERMISSION_DENIED, GIT_FAILED
 */
export async function pushRemote(
  call: Call,
  options: { remote?: string | undefined; branch?: string | undefined; setUpstream?: boolean | undefined },
): Promise<PushReport | StillRunning> {
  const { program, repository, signal } = call;
  program.refuseInReadOnly('push');
  const [settings, head] = await Promise.all([
    readRemotes(program, repository, signal),
    readHead(repository),
  ]);
  const target = await pushTarget(call, settings, head?.branch, options);
  const args = ['push', '--porcelain', '--no-progress', ...(options.setUpstream ? ['--set-upstream'] : [])];
  const run = await runRemote(call, settings, [...args, '--end-of-options', ...target]);
  if ('running' in run) return run;
  const refs = parsePush(run.stdout);
  if (refs.some((ref) => ref.result === 'rejected')) throw pushRejected(refs, run.stderr);
  if (run.exitCode !== 0 && refs.length === 0 && /failed to push some refs/.test(run.stderr))
    throw hookRefused(run.stderr);
  if (run.exitCode !== 0) throw failed('push', repository, run);
  return { running: false, refs, remoteOutput: remoteWords(run.stderr) };
}

/** Remote and refspec; empty when everything is as configured. */
async function pushTarget(
  call: Call,
  settings: RemoteSettings,
  current: string | undefined,
  options: { remote?: string | undefined; branch?: string | undefined; setUpstream?: boolean | undefined },
): Promise<string[]> {
  if (options.branch === undefined && !options.setUpstream) {
    return options.remote === undefined ? [] : [chooseRemote(settings, options.remote, current)];
  }
  const branch =
    options.branch === undefined || options.branch === 'HEAD'
      ? current
      : checkBranchName(options.branch, 'branch');
  if (branch === undefined) {
    throw new CodedError(
      'INVALID_PARAMS',
      'HEAD is detached, so there is no current branch to push.',
      'Make one first: git_branch {"action":"create-and-switch","name":"..."}.',
    );
  }
  const remote = chooseRemote(settings, options.remote, branch);
  // Full names on both sides: "+main" cannot force and ":main" cannot delete.
  for (const kind of ['heads', 'tags']) {
    const ref = `refs/${kind}/${branch}`;
    if ((await tryResolveCommit(call.program, call.repository, ref, call.signal)) !== undefined)
      return [remote, `${ref}:${ref}`];
  }
  if (branch === current) {
    throw new CodedError(
      'REF_NOT_FOUND',
      `"${branch}" has no commit yet, so there is nothing to push.`,
      'git_commit first.',
    );
  }
  throw refNotFound(branch);
}

/**
 * Fetches and merges or rebases.
 * @param options.rebase true: put own commits on top; false: merge; undefined: as the user has configured
 */
export async function pullRemote(
  call: Call,
  options: { remote?: string | undefined; branch?: string | undefined; rebase?: boolean | undefined },
): Promise<PullReport | StillRunning> {
  const { program, repository, signal } = call;
  program.refuseInReadOnly('pull');
  const [settings, head, from] = await Promise.all([
    readRemotes(program, repository, signal),
    readHead(repository),
    tryResolveCommit(program, repository, 'HEAD', signal),
  ]);
  const how = options.rebase === undefined ? [] : [options.rebase ? '--rebase' : '--no-rebase'];
  const target =
    options.remote === undefined && options.branch === undefined
      ? []
      : [
          chooseRemote(settings, options.remote, head?.branch),
          ...(options.branch === undefined
            ? []
            : [`refs/heads/${checkBranchName(options.branch, 'branch')}`]),
        ];
  const run = await runRemote(call, settings, [
    'pull',
    '--no-progress',
    '--no-edit',
    ...how,
    '--end-of-options',
    ...target,
  ]);
  if ('running' in run) return run;
  if (run.exitCode !== 0) throw await pullFailed(call, run);
  const [to, status] = await Promise.all([
    tryResolveCommit(program, repository, 'HEAD', signal),
    readStatus(program, repository, { untracked: 'no', limit: 0 }, signal),
  ]);
  return { running: false, from, to, files: await changedBetween(call, from, to), status };
}

async function pullFailed(call: Call, run: Finished): Promise<CodedError> {
  const output = `${run.stderr}\n${run.stdout}`;
  if (/Need to specify how to reconcile|Not possible to fast-forward|divergent branches/.test(output)) {
    return new CodedError(
      'REJECTED',
      'The branch and its remote both have commits that the other lacks.',
      'git_pull {"rebase":true} puts the own commits on top; git_pull {"rebase":false} merges.',
      { reason: 'diverged' },
    );
  }
  if (/cannot pull with rebase/.test(output)) {
    return new CodedError(
      'CONFLICT',
      'There are uncommitted changes, and a rebase needs a clean working tree.',
      'git_commit them, or git_stash {"action":"push"}, then pull again.',
    );
  }
  const status = await readStatus(call.program, call.repository, { untracked: 'no' }, call.signal);
  const files = status.entries.filter((entry) => entry.status === 'conflicted').map(({ path }) => path);
  if (files.length === 0) return failed('pull', call.repository, run);
  return new CodedError(
    'CONFLICT',
    `The pulled changes conflict in ${shortList(files)}.`,
    status.state?.next ?? 'Resolve the conflicts, git_add the files, then git_commit.',
    { files, ...(status.state && { state: status.state }) },
  );
}

async function changedBetween(
  call: Call,
  from: string | undefined,
  to: string | undefined,
): Promise<readonly ChangedFile[]> {
  if (from === undefined || to === undefined || from === to) return [];
  const run = { cwd: call.repository.top, reads: true, signal: call.signal };
  return (
    await readPatch(
      call.program,
      ['diff', '--raw', '--no-color', '--find-renames', from, to, '--'],
      run,
      { fieldCount: 0, list: true },
      0,
    )
  ).files;
}

type Finished = Extract<LongRunResult, { done: true }>;

async function runRemote(
  call: Call,
  settings: RemoteSettings,
  args: readonly string[],
): Promise<Finished | StillRunning> {
  const result = await call.program.runLong(args, {
    cwd: call.repository.top,
    plainPathspecs: true,
    sshInBatchMode: !settings.hasSshCommand,
    signal: call.signal,
    runner: call.runner ?? runToTheEnd,
  });
  if (result.done) return result;
  return { running: true, processId: result.processId, output: withoutCredentials(bounded(result.output)) };
}

function failed(command: string, repository: Repository, run: Finished): CodedError {
  return networkFailure({ args: [command], cwd: repository.top, ...run });
}

function remoteWords(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.startsWith('remote: ') && line.trim() !== 'remote:');
  return withoutCredentials(
    bounded(
      lines
        .map((line) => line.slice('remote: '.length).trimEnd())
        .join('\n')
        .trim(),
      4_000,
    ),
  );
}

/** Hashes of everything that a fetch can move. */
async function remoteRefs(call: Call): Promise<Map<string, string>> {
  const result = await call.program.run(
    ['for-each-ref', '--format=%(refname)%00%(objectname:short)', 'refs/remotes', 'refs/tags'],
    { cwd: call.repository.top, reads: true, signal: call.signal },
  );
  const refs = new Map<string, string>();
  for (const line of result.stdout.toString('utf8').split('\n')) {
    const [name = '', hash = ''] = line.split('\0');
    if (hash !== '') refs.set(name, hash);
  }
  return refs;
}

function compareRefs(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): RefUpdate[] {
  const updates: RefUpdate[] = [];
  const short = (ref: string) => ref.replace(/^refs\/(remotes|tags)\//, '');
  for (const [ref, to] of after) {
    const from = before.get(ref);
    if (from === undefined) updates.push({ ref: short(ref), change: 'new', to });
    else if (from !== to) updates.push({ ref: short(ref), change: 'updated', from, to });
  }
  for (const [ref, from] of before)
    if (!after.has(ref)) updates.push({ ref: short(ref), change: 'deleted', from });
  return updates;
}
