import { CodedError } from '../runtime/errors.ts';
import { bounded, type FailedRun, gitFailure } from './failures.ts';
import { withoutCredentials } from './names.ts';

/** Why a remote could not be used: `details.reason` is one of these. */
export type NetworkReason =
  | 'auth'
  | 'host key'
  | 'network'
  | 'no such repository'
  | 'transport'
  | 'no upstream'
  | 'diverged';

interface NetworkRule {
  readonly pattern: RegExp;
  readonly reason: NetworkReason;
  readonly message: string;
  readonly hint: string;
}

const RULES: readonly NetworkRule[] = [
  {
    pattern: /Host key verification failed/,
    reason: 'host key',
    message: 'ssh does not know the key of this host, and nobody can be asked.',
    hint: 'The user connects once in a terminal (ssh -T git@host) to accept the key, then call again.',
  },
  {
    pattern:
      /Authentication failed|could not read (?:Username|Password)|terminal prompts disabled|Permission denied \(|returned error: 40[13]|Invalid username or (?:password|token)|access denied|service not enabled|insufficient permission/i,
    reason: 'auth',
    message: 'The remote wants credentials that git does not have, or refuses the ones it has.',
    hint: 'Prompts are off. The user signs in once in a terminal (git push there, gh auth login, ssh-add, or a credential helper), then call again.',
  },
  {
    pattern: /transport '.*?' not allowed/,
    reason: 'transport',
    message: 'The address of this remote would start a program, which is not allowed here.',
    hint: 'Use an https, ssh, git or file address.',
  },
  {
    pattern:
      /Could not resolve host|Failed to connect|Connection (?:refused|timed out|reset)|Network is unreachable|unable to connect|Operation timed out|SSL certificate|gnutls_handshake|timed out after/i,
    reason: 'network',
    message: 'The remote cannot be reached.',
    hint: 'Check the address (run_command "git remote -v") and the network, then call again.',
  },
  {
    pattern:
      /has no upstream branch|There is no tracking information|no tracking information for the current branch/,
    reason: 'no upstream',
    message: 'The current branch does not follow a branch of a remote yet.',
    hint: 'git_push {"set_upstream":true} publishes it. To pull, give "remote" and "branch".',
  },
  {
    pattern:
      /does not appear to be a git repository|Repository not found|repository '.*' not found|returned error: 404/i,
    reason: 'no such repository',
    message: 'There is no repository at the address of the remote, or these credentials may not see it.',
    hint: 'Check the address with run_command "git remote -v".',
  },
];

/** The error for a fetch, push or pull that failed: what is missing, in one sentence. */
export function networkFailure(run: FailedRun): CodedError {
  const output = withoutCredentials(`${run.stderr}\n${run.stdout}`.trim());
  const missing = output.match(/couldn't find remote ref (?:refs\/heads\/)?(\S+)/i);
  if (missing !== null) {
    return new CodedError(
      'REF_NOT_FOUND',
      `The remote has no branch "${missing[1]}".`,
      'git_fetch, then git_branch {"action":"list"}, shows what it has.',
    );
  }
  const rule = RULES.find(({ pattern }) => pattern.test(output));
  if (rule === undefined) return gitFailure(run);
  const code =
    rule.reason === 'auth' || rule.reason === 'host key'
      ? 'PERMISSION_DENIED'
      : rule.reason === 'transport'
        ? 'DENIED'
        : 'GIT_FAILED';
  return new CodedError(code, rule.message, rule.hint, {
    reason: rule.reason,
    git_output: bounded(output, 4_000),
  });
}
