import { CodedError } from '../runtime/errors.ts';
import { bounded } from './failures.ts';
import { withoutCredentials } from './names.ts';

export interface PushedRef {
  readonly from: string;
  readonly to: string;
  readonly result: 'new' | 'updated' | 'forced' | 'deleted' | 'up to date' | 'rejected';
  /** git's words: the range of commits, or the reason of a rejection. */
  readonly detail: string;
}

const RESULTS: Readonly<Record<string, PushedRef['result']>> = {
  ' ': 'updated',
  '+': 'forced',
  '-': 'deleted',
  '*': 'new',
  '!': 'rejected',
  '=': 'up to date',
};

/** Parses `git push --porcelain`: `<flag> TAB <from>:<to> TAB <summary> (<reason>)` (git-push(1), "OUTPUT"). */
export function parsePush(stdout: string): PushedRef[] {
  const refs: PushedRef[] = [];
  for (const line of stdout.split('\n')) {
    const match = line.match(/^([ +\-*!=])\t(.*?):(.*?)\t(.*)$/);
    if (match === null) continue;
    const [, flag = '', from = '', to = '', detail = ''] = match;
    refs.push({ from: shortRef(from), to: shortRef(to), result: RESULTS[flag] ?? 'updated', detail });
  }
  return refs;
}

function shortRef(ref: string): string {
  return ref.replace(/^refs\/(heads|tags)\//, '');
}

/** What each kind of rejection needs. The server's own words follow in `remote_output`. */
const NEEDS: readonly { pattern: RegExp; reason: string; message: string; hint: string }[] = [
  {
    pattern:
      /protected branch|GH006|GH013|not allowed to (?:force )?push|push declined due to repository rule/i,
    reason: 'protected branch',
    message: 'the branch is protected on the remote',
    hint: 'Push to a new branch (git_branch create-and-switch, git_push {"set_upstream":true}) and open a pull request.',
  },
  {
    pattern: /\((fetch first|non-fast-forward)\)/,
    reason: 'non-fast-forward',
    message: 'the remote has commits that are not here',
    hint: 'git_pull {"rebase":true} (or false, to merge) brings them in; then git_push again.',
  },
  {
    pattern: /\(stale info\)/,
    reason: 'stale info',
    message: 'the remote branch is not where it was at the last fetch',
    hint: 'git_fetch, look at what changed, then push again.',
  },
  {
    pattern: /\(already exists\)/,
    reason: 'already exists',
    message: 'the remote has a tag of that name that points elsewhere',
    hint: 'Choose another name for the tag.',
  },
  {
    pattern: /hook declined/,
    reason: 'hook declined',
    message: 'a hook of the remote declined it',
    hint: 'Its words are in "remote_output": do what it asks for, then push again.',
  },
  {
    pattern: /branch is currently checked out/,
    reason: 'checked out',
    message: 'the remote is no bare repository and has this branch checked out',
    hint: 'Push to another branch, or pull from there instead.',
  },
  {
    pattern: /shallow update not allowed/,
    reason: 'shallow',
    message: 'the remote takes no push from a shallow clone',
    hint: 'Complete the history first: run_command "git fetch --unshallow".',
  },
];

/** The error for a push of which at least one ref was rejected. */
export function pushRejected(refs: readonly PushedRef[], stderr: string): CodedError {
  const rejected = refs.filter((ref) => ref.result === 'rejected');
  const remoteOutput = withoutCredentials(
    stderr
      .split('\n')
      .filter((line) => line.startsWith('remote: '))
      .map((line) => line.slice('remote: '.length).trimEnd())
      .join('\n')
      .trim(),
  );
  const words = `${rejected.map((ref) => ref.detail).join('\n')}\n${remoteOutput}`;
  const need = NEEDS.find(({ pattern }) => pattern.test(words));
  const names = rejected.map((ref) => ref.to).join(', ');
  return new CodedError(
    'REJECTED',
    `The push of ${names} was rejected: ${need?.message ?? rejected[0]?.detail ?? 'no reason given'}.`,
    need?.hint ?? 'The reason is in "refs" and "remote_output".',
    {
      reason: need?.reason ?? 'rejected',
      refs,
      ...(remoteOutput && { remote_output: bounded(remoteOutput, 4_000) }),
    },
  );
}

/** The error for a push that did not leave this machine: the repository's own pre-push hook said no. */
export function hookRefused(stderr: string): CodedError {
  const words = stderr.split('\n').filter((line) => !/^(error: failed to push|To |hint: )/.test(line));
  return new CodedError(
    'REJECTED',
    'The pre-push hook of this repository refused the push.',
    'Mend what it complains about ("hook_output"), then push again.',
    { reason: 'pre-push hook', hook_output: withoutCredentials(bounded(words.join('\n').trim())) },
  );
}
