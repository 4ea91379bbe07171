import { CodedError } from '../runtime/errors.ts';

/**
 * Checks a revision that a caller gave. What it means is for git to say; this refuses what could act as an option or
 * break out of a line, so that every use of it is safe even where git has no `--end-of-options`.
 * @throws {CodedError} INVALID_PARAMS
 */
export function checkRevision(ref: string, parameter = 'ref'): string {
  if (ref.trim() === '') {
    throw new CodedError(
      'INVALID_PARAMS',
      `"${parameter}" is empty.`,
      'Give a branch, a tag, a commit hash or HEAD.',
    );
  }
  if (ref.startsWith('-')) {
    throw new CodedError(
      'INVALID_PARAMS',
      `"${ref}" begins with "-" and can never be the name of a commit.`,
      ref === '-' ? 'The branch before this one is "@{-1}".' : 'Give a branch, a tag, a commit hash or HEAD.',
    );
  }
  if (/[\0\n\r]/.test(ref)) {
    throw new CodedError(
      'INVALID_PARAMS',
      `"${parameter}" contains a line break or NUL.`,
      'Give one revision.',
    );
  }
  return ref;
}

/**
 * Checks the name of a branch by the rules of git-check-ref-format(1) with `--branch`, without a process.
 * @throws {CodedError} INVALID_PARAMS naming the rule that is broken
 */
export function checkBranchName(name: string, parameter = 'name'): string {
  const problem = branchNameProblem(name);
  if (problem === undefined) return name;
  throw new CodedError(
    'INVALID_PARAMS',
    `"${name}" cannot be the name of a branch: ${problem}.`,
    `Give "${parameter}" letters, digits, "-", "_", "." and "/", like "feature/login".`,
  );
}

function branchNameProblem(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (name.startsWith('-')) return 'it begins with "-"';
  if (name === '@' || name === 'HEAD') return 'that name is reserved';
  if (/[\0-\x20\x7f~^:?*[\\]/.test(name))
    return 'it contains a space, a control character or one of ~^:?*[\\';
  if (name.includes('..')) return 'it contains ".."';
  if (name.includes('@{')) return 'it contains "@{"';
  if (name.startsWith('/') || name.endsWith('/') || name.includes('//'))
    return 'it has an empty part between "/"';
  if (name.endsWith('.')) return 'it ends with "."';
  if (name.split('/').some((part) => part.startsWith('.') || part.endsWith('.lock'))) {
    return 'a part of it begins with "." or ends with ".lock"';
  }
  return undefined;
}

/** What a `remote` value is: the name of a configured remote, or an address. */
export type RemoteKind = 'name' | 'address';

/**
 * Checks a remote that a caller gave. Only git's own transports are accepted as addresses: `ext::` and other helpers
 * run programs of the caller's choice.
 * @throws {CodedError} INVALID_PARAMS, DENIED for a remote helper, REF_NOT_FOUND for a name that is not configured
 */
export function checkRemote(remote: string, configured: readonly string[]): RemoteKind {
  if (configured.includes(remote) && !remote.startsWith('-')) return 'name';
  if (remote === '' || remote.startsWith('-') || /[\0-\x1f\x7f]/.test(remote)) {
    throw new CodedError(
      'INVALID_PARAMS',
      `${JSON.stringify(remote)} cannot be a remote.`,
      `Give the name of a remote (${listNames(configured)}) or an address such as https://host/project.git.`,
    );
  }
  if (/^[A-Za-z0-9][A-Za-z0-9+.-]*::/.test(remote)) {
    throw new CodedError(
      'DENIED',
      `"${remote.slice(0, remote.indexOf('::') + 2)}" names a remote helper, a program that git would start.`,
      'Use an https, ssh, git or file address.',
    );
  }
  const isUrl = /^(https?|ssh|git|git\+ssh|ssh\+git|file|ftps?):\/\/[^-]/i.test(remote);
  const isPath = /^(\/|\.\.?[\\/]|~[\\/]|[A-Za-z]:[\\/])/.test(remote);
  const isScp = /^([^\s/:@]+@)?[^\s/:@-][^\s/:@]*:(?!\/\/|:)./.test(remote);
  if (isUrl || isPath || isScp) return 'address';
  throw new CodedError(
    'REF_NOT_FOUND',
    `There is no remote "${remote}" in this repository.`,
    configured.length === 0
      ? 'It has no remotes: add one with run_command "git remote add origin <address>".'
      : `Its remotes: ${listNames(configured)}.`,
  );
}

function listNames(names: readonly string[]): string {
  return names.length === 0 ? 'none is configured' : names.join(', ');
}

/** Takes passwords and tokens out of addresses in text that git printed. */
export function withoutCredentials(text: string): string {
  return text.replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^/\s@]+@/gi, '$1');
}

/** A word for a command line in a hint; quoted when a shell could misread it. */
export function forShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
