import { CodedError, type ErrorCode } from '../runtime/errors.ts';
import { forShell, withoutCredentials } from './names.ts';

/** What git printed when it failed. */
export interface FailedRun {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Rule = readonly [
  pattern: RegExp,
  code: ErrorCode,
  make: (
    match: RegExpMatchArray,
    run: FailedRun,
  ) => { message: string; hint: string; details?: Record<string, unknown> },
];

/** Bytes of git's (and its hooks') own words that an error carries. */
const MAX_OUTPUT_CHARS = 8_000;

const RULES: readonly Rule[] = [
  [
    /detected dubious ownership in repository at '(.+?)'/,
    'PERMISSION_DENIED',
    ([, folder]) => ({
      message: `git refuses the repository ${folder} because it belongs to another user.`,
      hint: `If its owner is trusted: run_command "git config --global --add safe.directory '${folder}'".`,
    }),
  ],
  [/not a git repository|not in a git directory/i, 'NOT_A_REPOSITORY', (_, run) => notARepository(run.cwd)],
  [
    /must be run in a work tree|cannot be used without a working tree|core\.bare and core\.worktree/,
    'NOT_AVAILABLE',
    (_, run) => ({
      message: `${run.cwd} is a bare repository: it has no working files.`,
      hint: 'Use git_log, git_show or git_branch there, or clone it into a folder first.',
    }),
  ],
  [
    /Unable to create '(.+?\.lock)': File exists|cannot lock ref .*File exists|could not lock (?:config )?file/,
    'BUSY',
    ([, lock]) => ({
      message: `Another git command is working on this repository${lock ? ` (${lock} exists)` : ''}.`,
      hint: 'Call again in a moment. If no git is running any more, an interrupted one left the lock file: delete it.',
    }),
  ],
  [
    /would be overwritten by|would be removed by|would lose untracked files/,
    'CONFLICT',
    (_, run) => {
      const files = indentedLines(run.stderr);
      const untracked = /untracked working tree files/.test(run.stderr);
      return {
        message: `git stopped, because ${untracked ? 'untracked files' : 'uncommitted changes'} would be overwritten${files.length ? `: ${shortList(files)}` : ''}.`,
        hint: untracked
          ? 'Move or delete those files, or commit them (git_commit), then call again.'
          : 'Commit them (git_commit) or put them aside (git_stash {"action":"push"}), then call again.',
        details: { files },
      };
    },
  ],
  [
    /pathspec '(?::\(top,literal\))?(.*?)' did not match any file/s,
    'FILE_NOT_FOUND',
    ([, file]) => ({
      message: `git knows no file "${file}".`,
      hint: 'git_status lists the files with changes. Names are relative to "path", to the first root, or absolute.',
    }),
  ],
  [
    /is in submodule '(.+?)'/,
    'INVALID_PARAMS',
    ([, submodule]) => ({
      message: `The file belongs to the submodule "${submodule}", a repository of its own.`,
      hint: `Call again with "path" set to the folder of the submodule (${submodule}).`,
    }),
  ],
  [
    /paths are ignored by one of your \.gitignore files/,
    'REJECTED',
    (_, run) => {
      const files = run.stderr
        .split('\n')
        .filter((line) => line !== '' && !/^(hint:|The following|Use -f)/.test(line));
      return {
        message: `Ignored by .gitignore: ${shortList(files)}. Nothing was staged.`,
        hint: 'Leave them out, change .gitignore, or force it with run_command "git add -f -- <file>".',
        details: { files },
      };
    },
  ],
  [
    /outside of your sparse-checkout/,
    'REJECTED',
    () => ({
      message: 'Those files are outside of the sparse checkout of this repository.',
      hint: 'Widen it first with run_command "git sparse-checkout add <folder>".',
    }),
  ],
  [
    /Author identity unknown|Committer identity unknown|Please tell me who you are|empty ident name|unable to auto-detect email/,
    'GIT_FAILED',
    () => ({
      message: 'git does not know who commits: user.name and user.email are not set.',
      hint: "run_command \"git config user.name '...' && git config user.email '...'\" (ask the user for both), then call again.",
      details: { reason: 'identity' },
    }),
  ],
  [
    /gpg failed to sign|failed to write commit object/,
    'GIT_FAILED',
    () => ({
      message: 'The commit could not be signed, and nothing was committed.',
      hint: 'Unlock the signing key in a terminal, or commit unsigned with run_command "git -c commit.gpgSign=false commit ...".',
      details: { reason: 'signing' },
    }),
  ],
  [
    /cannot do a partial commit during a (merge|cherry-pick|rebase|revert)/,
    'CONFLICT',
    ([, operation]) => ({
      message: `During a ${operation} git commits everything that is staged, never single files.`,
      hint: 'Stage the resolved files with git_add, then call git_commit without "files".',
    }),
  ],
  [
    /a branch named '(.+?)' already exists/,
    'ALREADY_EXISTS',
    ([, name]) => ({
      message: `There is already a branch "${name}".`,
      hint: `Use git_branch {"action":"switch","name":${JSON.stringify(name)}}, or another name.`,
    }),
  ],
  [
    /The branch '(.+?)' is not fully merged/i,
    'REJECTED',
    ([, name]) => ({
      message: `"${name}" has commits that are in no other branch; it was not deleted.`,
      hint: `Merge or push it first. To give those commits up: run_command "git branch -D ${forShell(name ?? '')}".`,
      details: { reason: 'not merged' },
    }),
  ],
  [
    /[Cc]annot delete branch '(.+?)' (?:checked out|used by worktree) at '(.+?)'/,
    'REJECTED',
    ([, name, folder]) => ({
      message: `"${name}" is the current branch of ${folder}; it was not deleted.`,
      hint: 'Switch that working tree to another branch first (git_branch {"action":"switch"}).',
      details: { reason: 'checked out' },
    }),
  ],
  [
    /'(.+?)' is already (?:checked out|used by worktree) at '(.+?)'/,
    'REJECTED',
    ([, name, folder]) => ({
      message: `"${name}" is checked out in another working tree, ${folder}.`,
      hint: `Work there (give it as "path"), or make a new branch from it.`,
      details: { reason: 'checked out' },
    }),
  ],
  [
    /cannot switch branch(?:es)? (?:while|in the middle of an?) ([\w -]+)|you need to resolve your current index first/,
    'CONFLICT',
    ([, operation]) => ({
      message: `The branch cannot be changed ${operation ? `while ${operation.replace(/ session$/, '')}` : 'with unresolved conflicts'}.`,
      hint: 'Finish or give up what is in progress first; git_status says how.',
    }),
  ],
  [
    /^(.+): needs merge$/m,
    'CONFLICT',
    (_, run) => ({
      message: `git ${run.args[0] ?? ''} needs a working tree without unresolved conflicts.`,
      hint: 'Finish or give up what is in progress first; git_status says how and names the files.',
    }),
  ],
  [
    /No space left on device/,
    'DISK_FULL',
    () => ({ message: 'The disk is full.', hint: 'Free some space, then call again.' }),
  ],
];

/** Refs that do not exist, in git's many ways of saying it. */
const BAD_REF =
  /bad revision '(.+?)'|ambiguous argument '(.*?)': unknown revision|invalid reference: (.+)|Not a valid object name:? '?(.+?)'?\.?$|unknown revision or path|Needed a single revision|not a commit: '(.+?)'|could not resolve '?(.+?)'?$/m;

/** The error for a git command that failed: what went wrong in one sentence, and the next step. */
export function gitFailure(run: FailedRun): CodedError {
  const output = withoutCredentials(`${run.stderr}\n${run.stdout}`.trim());
  for (const [pattern, code, make] of RULES) {
    const match = output.match(pattern);
    if (match === null) continue;
    const { message, hint, details } = make(match, run);
    return new CodedError(code, message, hint, details);
  }
  const badRef = output.match(BAD_REF);
  if (badRef !== null) return refNotFound(badRef.slice(1).find((name) => name !== undefined));
  const first =
    output.split('\n').find((line) => /^(fatal|error): /.test(line)) ?? output.split('\n')[0] ?? '';
  const sentence = first.replace(/^(fatal|error): /, '').trim();
  return new CodedError(
    'GIT_FAILED',
    `git ${run.args[0] ?? ''} failed${sentence ? `: ${sentence}` : ` with exit code ${run.exitCode}`}`,
    'What git printed is in "git_output". The same in a terminal: run_command.',
    { exit_code: run.exitCode, git_output: bounded(output) },
  );
}

export function notARepository(folder: string): { message: string; hint: string } {
  return {
    message: `${folder} is not in a git repository.`,
    hint: 'Give "path", a folder inside a repository, or make one here with run_command "git init".',
  };
}

export function refNotFound(ref: string | undefined): CodedError {
  return new CodedError(
    'REF_NOT_FOUND',
    ref === undefined
      ? 'That is no revision of this repository.'
      : `"${ref}" is no revision of this repository.`,
    'git_branch {"action":"list"} lists the branches, git_log the commits. What is only on the remote needs git_fetch.',
  );
}

/** The file names of a message, which git indents with a tab. */
function indentedLines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('\t'))
    .map((line) => line.slice(1));
}

/** Up to ten names, and how many more there are. */
export function shortList(names: readonly string[], shown = 10): string {
  const rest = names.length - shown;
  return names.slice(0, shown).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

/** The end of what was printed: the reason stands there. */
export function bounded(text: string, maxChars = MAX_OUTPUT_CHARS): string {
  return text.length <= maxChars
    ? text
    : `[${text.length - maxChars} characters cut]\n${text.slice(-maxChars)}`;
}
