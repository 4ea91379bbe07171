import { randomBytes } from 'node:crypto';
import { lstat, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../runtime/errors.ts';
import { LITERAL_PATHSPEC } from './command.ts';
import { bounded, gitFailure, shortList } from './failures.ts';
import { pathsForStdin, pathToBytes, quotedNonUtf8, type RepoPath } from './file-names.ts';
import type { GitProgram } from './git-program.ts';
import { COMMIT_FIELDS, COMMIT_FORMAT, commitEntry, type LogEntry } from './log.ts';
import { type ChangedFile, readPatch } from './patch-output.ts';
import { type Repository, shownPath } from './repository.ts';
import { runAdd, stageAll } from './stage.ts';
import { readStatus, type StatusReport } from './status.ts';

export interface CommitOptions {
  readonly message: string;
  /** Commit exactly these files and folders as they are now; what else is staged stays staged. */
  readonly paths?: readonly RepoPath[];
  /** Stage everything first that is not ignored, untracked files included. */
  readonly stageAll?: boolean;
}

export interface CommitReport {
  readonly commit: LogEntry;
  readonly files: readonly ChangedFile[];
  /** The state after it: branch, what is left. */
  readonly status: StatusReport;
  /** What the repository's hooks printed. */
  readonly hookOutput?: string;
}

/**
 * Commits what is staged, or given files, or everything. Hooks run as in a terminal.
 * @throws {CodedError} NOTHING_TO_COMMIT with what could be staged, CONFLICT, REJECTED by a hook, GIT_FAILED
 */
export async function createCommit(
  program: GitProgram,
  repository: Repository,
  options: CommitOptions,
  signal?: AbortSignal,
): Promise<CommitReport> {
  if (options.message.trim() === '') {
    throw new CodedError(
      'INVALID_PARAMS',
      'The commit message is empty.',
      'Say in one line what the commit does.',
    );
  }
  if (options.paths !== undefined && options.stageAll) {
    throw new CodedError(
      'INVALID_PARAMS',
      '"files" and "stage_all" were both given.',
      'Give one of them: those files, or everything.',
    );
  }
  if (options.stageAll) await stageAll(program, repository, signal);
  if (options.paths === undefined) await refuseWithoutStaged(program, repository, signal);
  else await stageForCommit(program, repository, options.paths, signal);
  const { args, cleanUp } = await onlyThese(repository, options.paths);
  let hookOutput: string;
  try {
    const result = await program.run(['commit', '--file=-', '--cleanup=whitespace', ...args], {
      cwd: repository.top,
      reads: false,
      plainPathspecs: true,
      signal,
      input: options.message,
      accept: [0, 1],
    });
    if (result.exitCode !== 0) throw await refusal(program, repository, options, result, signal);
    hookOutput = result.stderr.trim();
  } finally {
    await cleanUp();
  }
  return {
    ...(await describeCommit(program, repository, signal)),
    ...(hookOutput && { hookOutput: bounded(hookOutput, 4_000) }),
  };
}

async function refuseWithoutStaged(
  program: GitProgram,
  repository: Repository,
  signal?: AbortSignal,
): Promise<void> {
  const status = await readStatus(program, repository, {}, signal);
  if (status.counts.conflicted > 0) {
    const conflicted = status.entries.filter((entry) => entry.status === 'conflicted');
    const files = conflicted.map(({ path }) => shownPath(repository, path));
    throw new CodedError(
      'CONFLICT',
      `${files.length} ${files.length === 1 ? 'file has' : 'files have'} unresolved conflicts: ${shortList(files)}.`,
      'Resolve each (git_show with ":1:file" base, ":2:file" ours, ":3:file" theirs), git_add it, then commit.',
      { files },
    );
  }
  // A merge or cherry-pick can be concluded without a staged change.
  if (status.counts.staged > 0 || (status.state && status.state.operation !== 'bisect')) return;
  throw nothingToCommit(repository, status);
}

/** How many candidates an error lists. */
const MAX_LISTED = 200;

function nothingToCommit(
  repository: Repository,
  status: StatusReport,
  what = 'Nothing is staged',
): CodedError {
  const could = status.entries.filter(
    (entry) => entry.unstaged !== undefined || entry.status === 'untracked',
  );
  const names = could.map(({ path, status: word }) => ({ path: shownPath(repository, path), status: word }));
  return new CodedError(
    'NOTHING_TO_COMMIT',
    could.length === 0
      ? `${what}, and there are no changes: the working tree is clean.`
      : `${what}. Could be staged: ${shortList(names.map(({ path, status: word }) => `${path} (${word})`))}.`,
    could.length === 0
      ? 'Change something first.'
      : 'Give "files" (those are committed as they are), or "stage_all": true, or stage with git_add first.',
    { could_be_staged: names.slice(0, MAX_LISTED), could_be_staged_total: names.length },
  );
}

/**
 * Makes git know the files: new ones must be in the index before a commit can name them. A file that is neither on
 * disk nor in the index may be a staged deletion, which `git commit` itself knows.
 */
async function stageForCommit(
  program: GitProgram,
  repository: Repository,
  paths: readonly RepoPath[],
  signal?: AbortSignal,
): Promise<void> {
  const missing: RepoPath[] = [];
  const present: RepoPath[] = [];
  for (const path of paths) {
    const absolute = Buffer.concat([Buffer.from(`${repository.top}/`), pathToBytes(path)]);
    const there = await lstat(absolute).catch(() => undefined);
    (there === undefined ? missing : present).push(path);
  }
  if (missing.length > 0) {
    const listed = await program.run(['ls-files', '-z'], { cwd: repository.top, reads: true, signal });
    for (const path of missing) {
      const bytes = pathToBytes(path);
      const inIndex =
        listed.stdout.indexOf(Buffer.concat([NUL, bytes, NUL])) !== -1 ||
        listed.stdout.indexOf(Buffer.concat([NUL, bytes, SLASH])) !== -1 ||
        listed.stdout.subarray(0, bytes.length + 1).equals(Buffer.concat([bytes, NUL])) ||
        listed.stdout.subarray(0, bytes.length + 1).equals(Buffer.concat([bytes, SLASH]));
      if (inIndex) present.push(path);
    }
  }
  if (present.length > 0) await runAdd(program, repository, present, signal);
}

const NUL = Buffer.from([0]);
const SLASH = Buffer.from('/');
/** Windows allows 32 KiB for a whole command line. */
const MAX_ARGUMENT_BYTES = 16 * 1024;

/** `--only` with its pathspecs: as arguments, or by a file when they are many or not UTF-8. */
async function onlyThese(
  repository: Repository,
  paths: readonly RepoPath[] | undefined,
): Promise<{ args: string[]; cleanUp: () => Promise<void> }> {
  if (paths === undefined) return { args: [], cleanUp: async () => {} };
  // ":(top,literal)." matches nothing; ":(top)" is everything.
  if (paths.includes('.')) return { args: ['--only', '--', ':(top)'], cleanUp: async () => {} };
  const specs = paths.map((path) => LITERAL_PATHSPEC + path);
  const bytes = specs.reduce((sum, spec) => sum + Buffer.byteLength(spec) + 1, 0);
  if (bytes <= MAX_ARGUMENT_BYTES && paths.every((path) => quotedNonUtf8(path) === undefined)) {
    return { args: ['--only', '--', ...specs], cleanUp: async () => {} };
  }
  const file = join(repository.gitDir, `local-coder-paths-${randomBytes(6).toString('hex')}`);
  await writeFile(file, pathsForStdin(paths, LITERAL_PATHSPEC), { mode: 0o600 });
  return {
    args: ['--only', `--pathspec-from-file=${file}`, '--pathspec-file-nul'],
    cleanUp: () => rm(file, { force: true }),
  };
}

/** Why `git commit` ended with 1: nothing changed, a conflict, or a hook said no. */
async function refusal(
  program: GitProgram,
  repository: Repository,
  options: CommitOptions,
  result: { exitCode: number | null; stdout: Buffer; stderr: string },
  signal?: AbortSignal,
): Promise<CodedError> {
  const stdout = result.stdout.toString('utf8');
  if (/nothing to commit|nothing added to commit|no changes added to commit/.test(stdout)) {
    const status = await readStatus(program, repository, {}, signal);
    return nothingToCommit(
      repository,
      status,
      options.paths === undefined ? 'Nothing is staged' : 'The given files have no changes',
    );
  }
  const known = gitFailure({
    args: ['commit'],
    cwd: repository.top,
    exitCode: 1,
    stdout,
    stderr: result.stderr,
  });
  if (
    known.code !== 'GIT_FAILED' ||
    known.details?.['reason'] !== undefined ||
    /^(fatal|error): /m.test(result.stderr)
  )
    return known;
  return new CodedError(
    'REJECTED',
    'A hook of the repository (pre-commit, prepare-commit-msg or commit-msg) refused the commit.',
    options.paths || options.stageAll
      ? 'Mend what it complains about ("hook_output"), then call again. The files stay staged.'
      : 'Mend what it complains about ("hook_output"), stage the changes, then call again.',
    { hook_output: bounded(`${result.stderr}${stdout}`.trim()) },
  );
}

/** The commit that HEAD is now, the files in it, and what is left in the working tree. */
async function describeCommit(program: GitProgram, repository: Repository, signal?: AbortSignal) {
  const [shown, status] = await Promise.all([
    readPatch(
      program,
      [
        'log',
        '--max-count=1',
        '-m',
        '--first-parent',
        '--no-color',
        '--encoding=UTF-8',
        '--find-renames',
        `--format=tformat:${COMMIT_FORMAT}`,
        '--raw',
        '--end-of-options',
        'HEAD',
        '--',
      ],
      { cwd: repository.top, reads: true, signal },
      { fieldCount: COMMIT_FIELDS.length, list: true },
      0,
    ),
    readStatus(program, repository, { limit: 0 }, signal),
  ]);
  return { commit: commitEntry(shown.fields), files: shown.files, status };
}
