import { CodedError } from '../runtime/errors.ts';
import { pathsForStdin, type RepoPath } from './file-names.ts';
import type { GitProgram } from './git-program.ts';
import type { Repository } from './repository.ts';
import { resolveCommit, tryResolveCommit } from './revision.ts';

/**
 * Brings files back to what they are in a commit, in the index and in the working tree. A file that the commit does
 * not have is removed when git tracks it.
 */
export async function restoreFiles(
  program: GitProgram,
  repository: Repository,
  paths: readonly RepoPath[],
  source: string,
  signal?: AbortSignal,
): Promise<void> {
  const commit = await resolveCommit(program, repository, source, signal);
  await program.run(
    [
      'restore',
      `--source=${commit}`,
      '--staged',
      '--worktree',
      '--pathspec-from-file=-',
      '--pathspec-file-nul',
    ],
    { cwd: repository.top, reads: false, signal, input: pathsForStdin(paths) },
  );
}

export type ResetMode = 'soft' | 'mixed' | 'hard';

export interface ResetReport {
  /** Full hash of HEAD before; undefined before the first commit. */
  readonly from: string | undefined;
  readonly to: string;
}

/** Moves the branch to a commit; what happens to index and files is for the mode to say. */
export async function reset(
  program: GitProgram,
  repository: Repository,
  mode: ResetMode,
  ref: string,
  signal?: AbortSignal,
): Promise<ResetReport> {
  const to = await resolveCommit(program, repository, ref, signal);
  const from = await tryResolveCommit(program, repository, 'HEAD', signal);
  try {
    await program.run(['reset', '--quiet', `--${mode}`, to, '--'], {
      cwd: repository.top,
      reads: false,
      signal,
    });
  } catch (error) {
    if (
      error instanceof CodedError &&
      /Cannot do a soft reset in the middle of a merge/.test(error.message)
    ) {
      throw new CodedError(
        'CONFLICT',
        'git does not reset softly in the middle of a merge.',
        'Finish it with git_commit, or give it up: run_command "git merge --abort".',
      );
    }
    throw error;
  }
  return { from, to };
}
