import { bounded, gitFailure } from './failures.ts';
import type { GitProgram } from './git-program.ts';
import { checkBranchName, checkRevision } from './names.ts';
import type { Repository } from './repository.ts';
import { readStatus, type StatusReport } from './status.ts';

/** Silently replacing an ignored file (a local `.env`) is the one loss that git would allow here. */
const KEEP_IGNORED = '--no-overwrite-ignore';

/** Where the working tree is after a switch; uncommitted changes were carried along. */
export interface SwitchReport extends StatusReport {
  /** What git and a post-checkout hook that failed printed; the switch was done even so. */
  readonly hookOutput?: string;
}

/** Switches to a local branch, or makes one that follows the remote branch of that name. */
export async function switchBranch(
  program: GitProgram,
  repository: Repository,
  name: string,
  signal?: AbortSignal,
): Promise<SwitchReport> {
  return move(
    program,
    repository,
    ['switch', KEEP_IGNORED, '--end-of-options', checkBranchName(name)],
    signal,
  );
}

/** Makes a branch and switches to it. */
export async function createAndSwitch(
  program: GitProgram,
  repository: Repository,
  name: string,
  start: string | undefined,
  signal?: AbortSignal,
): Promise<SwitchReport> {
  const from = start === undefined ? [] : ['--end-of-options', checkRevision(start, 'start')];
  return move(
    program,
    repository,
    ['switch', KEEP_IGNORED, `--create=${checkBranchName(name)}`, ...from],
    signal,
  );
}

/** Checks out a branch, or a tag or commit with a detached HEAD. */
export async function checkout(
  program: GitProgram,
  repository: Repository,
  ref: string,
  signal?: AbortSignal,
): Promise<SwitchReport> {
  // `git checkout` takes --end-of-options for a file name in some versions. The value cannot begin with "-", and the
  // "--" behind it makes it a revision, never a file.
  return move(program, repository, ['checkout', KEEP_IGNORED, checkRevision(ref, 'branch'), '--'], signal);
}

async function move(
  program: GitProgram,
  repository: Repository,
  args: string[],
  signal?: AbortSignal,
): Promise<SwitchReport> {
  const result = await program.run(args, {
    cwd: repository.top,
    reads: false,
    plainPathspecs: true,
    signal,
    accept: ANY_EXIT_CODE,
  });
  const stdout = result.stdout.toString('utf8');
  // The exit code of a post-checkout hook becomes git's own, although the switch is done.
  if (result.exitCode !== 0 && (/^(fatal|error): /m.test(result.stderr) || result.stderr.trim() === '')) {
    throw gitFailure({ args, cwd: repository.top, exitCode: result.exitCode, stdout, stderr: result.stderr });
  }
  const status = await readStatus(program, repository, { untracked: 'no', limit: 200 }, signal);
  return result.exitCode === 0
    ? status
    : { ...status, hookOutput: bounded(`${result.stderr}${stdout}`.trim(), 4_000) };
}

const ANY_EXIT_CODE = Array.from({ length: 256 }, (_, code) => code);
