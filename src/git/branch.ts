import type { GitProgram } from './git-program.ts';
import { checkBranchName, checkRevision } from './names.ts';
import type { Repository } from './repository.ts';
import { resolveCommit } from './revision.ts';
import { type Head, readHead } from './state.ts';

export interface BranchEntry {
  readonly name: string;
  /** Abbreviated hash of its last commit. */
  readonly commit: string;
  /** ISO 8601, of its last commit. */
  readonly date: string;
  readonly subject: string;
  readonly current?: true;
  readonly upstream?: string;
  /** Commits that the upstream does not have, and the reverse; absent without an upstream. */
  readonly ahead?: number;
  readonly behind?: number;
  /** The upstream is configured but does not exist any more. */
  readonly upstream_gone?: true;
  /** Another working tree has it checked out. */
  readonly worktree?: string;
}

export interface BranchList {
  readonly current: string | undefined;
  readonly head: Head | undefined;
  /** Most recently changed first. */
  readonly branches: readonly BranchEntry[];
  /** Names such as "origin/main". */
  readonly remoteBranches: readonly string[];
}

const FIELDS = [
  '%(refname)',
  '%(objectname:short)',
  '%(committerdate:iso-strict)',
  '%(HEAD)',
  '%(upstream:short)',
  '%(upstream:track,nobracket)',
  '%(worktreepath)',
  '%(symref)',
  '%(contents:subject)',
];

/** Local branches with what they are ahead and behind, and the names of the remote ones. */
export async function listBranches(
  program: GitProgram,
  repository: Repository,
  signal?: AbortSignal,
): Promise<BranchList> {
  const [result, head] = await Promise.all([
    program.run(
      [
        'for-each-ref',
        '--sort=-committerdate',
        `--format=${FIELDS.join('%00')}%00`,
        'refs/heads',
        'refs/remotes',
      ],
      { cwd: repository.top, reads: true, signal },
    ),
    readHead(repository),
  ]);
  const branches: BranchEntry[] = [];
  const remoteBranches: string[] = [];
  const fields = result.stdout.toString('utf8').split('\0');
  for (let at = 0; at + FIELDS.length <= fields.length; at += FIELDS.length) {
    const record = fields.slice(at, at + FIELDS.length);
    // The line break after the previous record stands before this one's first field.
    const ref = record[0]!.replace(/^\n/, '');
    if (ref.startsWith('refs/heads/'))
      branches.push(branchEntry(ref.slice('refs/heads/'.length), record, repository));
    // origin/HEAD only points to another of them.
    else if (record[7] === '') remoteBranches.push(ref.slice('refs/remotes/'.length));
  }
  const current = branches.find((branch) => branch.current)?.name ?? head?.branch;
  return { current, head, branches, remoteBranches };
}

function branchEntry(name: string, record: readonly string[], repository: Repository): BranchEntry {
  const [, commit = '', date = '', mark = '', upstream = '', track = '', worktree = '', , subject = ''] =
    record;
  const number = (word: string) => Number(track.match(new RegExp(`${word} (\\d+)`))?.[1] ?? 0);
  const gone = track === 'gone';
  return {
    name,
    commit,
    date,
    subject,
    ...(mark === '*' && { current: true as const }),
    ...(upstream && { upstream }),
    ...(upstream && !gone && { ahead: number('ahead'), behind: number('behind') }),
    ...(gone && { upstream_gone: true as const }),
    ...(worktree && mark !== '*' && worktree !== repository.top && { worktree }),
  };
}

/** Makes a branch without switching to it. @returns the full hash that it starts at */
export async function createBranch(
  program: GitProgram,
  repository: Repository,
  name: string,
  start: string | undefined,
  signal?: AbortSignal,
): Promise<string> {
  checkBranchName(name);
  // The name, not the hash: a branch that starts at a remote one gets it as its upstream, as in a terminal.
  const from = start === undefined ? 'HEAD' : checkRevision(start, 'start');
  const commit = await resolveCommit(program, repository, from, signal);
  await program.run(['branch', '--end-of-options', name, from], {
    cwd: repository.top,
    reads: false,
    signal,
  });
  return commit;
}

/** Deletes a merged branch. @returns the hash that it was at, for bringing it back */
export async function deleteBranch(
  program: GitProgram,
  repository: Repository,
  name: string,
  signal?: AbortSignal,
): Promise<string> {
  const commit = await resolveCommit(program, repository, `refs/heads/${checkBranchName(name)}`, signal);
  await program.run(['branch', '--delete', '--end-of-options', name], {
    cwd: repository.top,
    reads: false,
    signal,
  });
  return commit;
}
