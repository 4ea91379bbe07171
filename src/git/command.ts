import { CodedError } from '../runtime/errors.ts';
import type { AccessMode } from '../workspace/index.ts';

/** What a git command is for; decides its flags and environment. */
export interface CommandPurpose {
  /** It only looks: takes no optional locks, so that it never gets in the way of the user's own git. */
  readonly reads: boolean;
  /**
   * It starts other git commands: the user's hooks, or git's own helpers (stash leaves untracked files behind
   * otherwise). `--literal-pathspecs` would reach them through the environment, so such commands mark their own
   * pathspecs as literal instead (LITERAL_PATHSPEC).
   */
  readonly plainPathspecs?: boolean;
  /** It talks to a remote over ssh and the user has configured no ssh command: ssh must not ask anything. */
  readonly sshInBatchMode?: boolean;
}

export interface CommandLine {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** Prefix that makes one pathspec literal and relative to the top, where --literal-pathspecs is not given. */
export const LITERAL_PATHSPEC = ':(top,literal)';

/**
 * Settings of every command: nothing that a repository's configuration can name is started behind the caller's back,
 * and output looks the same whatever the user has configured.
 */
const SETTINGS: readonly string[] = [
  'core.fsmonitor=false',
  'core.pager=cat',
  'core.askPass=',
  'core.quotePath=false',
  'color.ui=false',
  'color.diff=false',
  'log.showSignature=false',
  'log.showRoot=true',
  'log.diffMerges=separate',
  'protocol.ext.allow=never',
  // They would go on in the background after the answer, and after the server's end.
  'maintenance.auto=false',
  'gc.auto=0',
];

/** In read-only mode nothing of the repository runs, and a folder that only looks like a repository is not one. */
const READ_ONLY_SETTINGS: readonly string[] = ['core.hooksPath=/dev/null', 'safe.bareRepository=explicit'];

/** For commands that print patches; always after the name of the command. */
export const PATCH_FLAGS: readonly string[] = [
  '--no-ext-diff',
  '--no-textconv',
  '--no-color',
  '--no-relative',
  '--submodule=short',
  '--src-prefix=a/',
  '--dst-prefix=b/',
  '--find-renames',
];

/**
 * The one place that builds git's command lines.
 * @param filters names of the configured filter drivers, blanked in read-only mode
 * @param args the command, then its arguments; values of a caller only after `--`, after `--end-of-options`, joined
 *   to their option with `=`, or checked by names.ts
 * @throws {CodedError} INVALID_PARAMS for a NUL, which no program's argument can hold
 */
export function buildCommandLine(
  baseEnv: NodeJS.ProcessEnv,
  accessMode: AccessMode,
  purpose: CommandPurpose,
  filters: readonly string[],
  args: readonly string[],
): CommandLine {
  if (args.some((argument) => argument.includes('\0'))) {
    throw new CodedError('INVALID_PARAMS', 'A value for git contains a NUL character.', 'Remove it.');
  }
  const settings =
    accessMode === 'read-only' ? [...SETTINGS, ...READ_ONLY_SETTINGS, ...blank(filters)] : SETTINGS;
  const literal = purpose.plainPathspecs ? [] : ['--literal-pathspecs'];
  const env: NodeJS.ProcessEnv = { ...baseEnv };
  if (purpose.reads) env['GIT_OPTIONAL_LOCKS'] = '0';
  if (purpose.sshInBatchMode) env['GIT_SSH_COMMAND'] = 'ssh -oBatchMode=yes';
  return {
    args: ['--no-pager', ...literal, ...settings.flatMap((setting) => ['-c', setting]), ...args],
    env,
  };
}

function blank(filters: readonly string[]): string[] {
  return filters.flatMap((name) => [
    `filter.${name}.clean=`,
    `filter.${name}.smudge=`,
    `filter.${name}.process=`,
    `filter.${name}.required=false`,
  ]);
}

/** Variables that would point git at another repository, change what pathspecs mean, or mix traces into its output. */
const REMOVED =
  /^(GIT_(DIR|WORK_TREE|IMPLICIT_WORK_TREE|INDEX_FILE|COMMON_DIR|PREFIX|NAMESPACE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|SHALLOW_FILE|GRAFT_FILE|CONFIG|CONFIG_PARAMETERS|INTERNAL_SUPER_PREFIX|NO_REPLACE_OBJECTS|REPLACE_REF_BASE|QUARANTINE_PATH|EXTERNAL_DIFF|DIFF_OPTS|(LITERAL|GLOB|NOGLOB|ICASE)_PATHSPECS|TRACE.*|TR2_.*|CURL_VERBOSE|ASKPASS|EDITOR|SEQUENCE_EDITOR|PAGER)|SSH_ASKPASS|LANGUAGE)$/;

/**
 * The environment of every git command: the user's own, without what would redirect git, with every prompt and
 * editor off and messages in English in the user's character set.
 */
export function gitEnvironment(userEnv: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(userEnv)) {
    // Windows does not tell cases apart in names.
    if (value !== undefined && !REMOVED.test(name.toUpperCase())) env[name] = value;
  }
  // LC_ALL would decide the language too; what it says about characters must stay for the user's hooks.
  const all = env['LC_ALL'];
  if (all) {
    for (const name of Object.keys(env)) if (name.startsWith('LC_')) delete env[name];
    env['LANG'] = all;
  }
  env['LC_MESSAGES'] = 'C';
  env['GIT_TERMINAL_PROMPT'] = '0';
  env['GIT_ASKPASS'] = '';
  env['SSH_ASKPASS_REQUIRE'] = 'never';
  env['GCM_INTERACTIVE'] = 'never';
  env['GIT_EDITOR'] = ':';
  env['GIT_SEQUENCE_EDITOR'] = ':';
  env['GIT_MERGE_AUTOEDIT'] = 'no';
  env['GIT_PAGER'] = 'cat';
  return env;
}
