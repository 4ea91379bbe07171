import { CodedError } from '../runtime/errors.ts';
import { bounded, gitFailure, shortList } from './failures.ts';
import type { GitProgram } from './git-program.ts';
import { type Repository, shownPath } from './repository.ts';
import { tryResolveCommit } from './revision.ts';
import { readStatus } from './status.ts';

export interface StashEntry {
  /** 0 is the newest. */
  readonly index: number;
  readonly commit: string;
  /** ISO 8601. */
  readonly date: string;
  readonly message: string;
}

export async function listStashes(
  program: GitProgram,
  repository: Repository,
  signal?: AbortSignal,
): Promise<StashEntry[]> {
  const result = await program.run(
    ['stash', 'list', '-z', '--encoding=UTF-8', '--format=tformat:%H%x00%cI%x00%gs'],
    {
      cwd: repository.top,
      reads: true,
      signal,
    },
  );
  const fields = result.stdout.toString('utf8').split('\0');
  const entries: StashEntry[] = [];
  for (let at = 0; at + 3 <= fields.length; at += 3) {
    entries.push({ index: at / 3, commit: fields[at]!, date: fields[at + 1]!, message: fields[at + 2]! });
  }
  return entries;
}

/**
 * Puts uncommitted changes aside.
 * @returns the new entry, or undefined when there was nothing to put aside
 */
export async function pushStash(
  program: GitProgram,
  repository: Repository,
  options: { message?: string; includeUntracked?: boolean },
  signal?: AbortSignal,
): Promise<StashEntry | undefined> {
  const before = await tryResolveCommit(program, repository, 'refs/stash', signal);
  await program.run(
    [
      'stash',
      'push',
      ...(options.includeUntracked ? ['--include-untracked'] : []),
      ...(options.message === undefined ? [] : [`--message=${options.message}`]),
    ],
    { cwd: repository.top, reads: false, plainPathspecs: true, signal },
  );
  const after = await tryResolveCommit(program, repository, 'refs/stash', signal);
  return after === before ? undefined : (await listStashes(program, repository, signal))[0];
}

/** The commit of a stash entry. @throws {CodedError} REF_NOT_FOUND saying how many there are */
export async function stashCommit(
  program: GitProgram,
  repository: Repository,
  index: number,
  signal?: AbortSignal,
): Promise<string> {
  const commit = await tryResolveCommit(program, repository, `stash@{${index}}`, signal);
  if (commit !== undefined) return commit;
  const count = (await listStashes(program, repository, signal)).length;
  throw new CodedError(
    'REF_NOT_FOUND',
    count === 0
      ? 'The stash is empty.'
      : `There is no stash entry ${index}; the stash has ${count}, counted from 0.`,
    'git_stash {"action":"list"} shows them.',
  );
}

/**
 * Brings the changes of a stash entry back; "pop" also drops it when that worked.
 * @throws {CodedError} CONFLICT when they do not fit: the entry is kept in either case
 */
export async function applyStash(
  program: GitProgram,
  repository: Repository,
  action: 'pop' | 'apply',
  index: number,
  signal?: AbortSignal,
): Promise<void> {
  const result = await program.run(['stash', action, '--quiet', `stash@{${index}}`], {
    cwd: repository.top,
    reads: false,
    plainPathspecs: true,
    signal,
    accept: [0, 1],
  });
  if (result.exitCode === 0) return;
  const status = await readStatus(program, repository, { untracked: 'no' }, signal);
  const conflicted = status.entries.filter((entry) => entry.status === 'conflicted');
  const files = conflicted.map(({ path }) => shownPath(repository, path));
  if (files.length > 0) {
    throw new CodedError(
      'CONFLICT',
      `The stashed changes conflict in ${shortList(files)}. The rest was applied, and stash entry ${index} was kept.`,
      `Resolve the conflicts, git_add the files, then git_stash {"action":"drop","index":${index}}.`,
      { files },
    );
  }
  const output = { stdout: result.stdout.toString('utf8'), stderr: result.stderr };
  const already = output.stderr.match(/^(.+?) already exists, no checkout$/gm);
  if (already !== null) {
    const inTheWay = already.map((line) => line.replace(' already exists, no checkout', ''));
    throw new CodedError(
      'CONFLICT',
      `Untracked files are in the way: ${shortList(inTheWay)}. The stash entry was kept.`,
      'Move or delete them, then call again.',
      { files: inTheWay, git_output: bounded(output.stderr) },
    );
  }
  throw gitFailure({ args: ['stash', action], cwd: repository.top, exitCode: 1, ...output });
}

/** Forgets a stash entry. @returns its commit, which can still be applied by its hash */
export async function dropStash(
  program: GitProgram,
  repository: Repository,
  index: number,
  signal?: AbortSignal,
): Promise<string> {
  const commit = await stashCommit(program, repository, index, signal);
  await program.run(['stash', 'drop', '--quiet', `stash@{${index}}`], {
    cwd: repository.top,
    reads: false,
    plainPathspecs: true,
    signal,
  });
  return commit;
}
