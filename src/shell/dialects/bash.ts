import type { CallFiles, Dialect, Invocation, ShellState } from './dialect.ts';
import { mergeFunctions, splitFunctions, stubs } from './functions.ts';
import { entriesOf, parseVariables, splitVariables, type Variable } from './variables.ts';
import { quote, quoteWord, readFolder } from './words.ts';

/** Made or kept by bash itself; most are read-only or change by the second. */
const OWN =
  /^(BASH|BASHOPTS|BASHPID|BASH_(ALIASES|ARGC|ARGV|ARGV0|CMDS|COMMAND|EXECUTION_STRING|LINENO|LOADABLES_PATH|MONOSECONDS|REMATCH|SOURCE|SUBSHELL|TRAPSIG|VERSINFO|VERSION)|COMP_.*|DIRSTACK|EPOCHREALTIME|EPOCHSECONDS|EUID|FUNCNAME|GROUPS|HISTCMD|HOSTNAME|HOSTTYPE|LINENO|MACHTYPE|OSTYPE|PIPESTATUS|PPID|RANDOM|SECONDS|SHELLOPTS|SRANDOM|UID)$/;

const DEFAULTS: Readonly<Record<string, string>> = { IFS: ' \t\n', OPTERR: '1', OPTIND: '1', PS4: '+ ' };

/** On in a shell that runs a command; what else is on was switched on by the user. */
const OPTIONS_ON = new Set(['braceexpand', 'hashall', 'interactive-comments']);
/** They would end the shell after one command, or run none. */
const OPTIONS_NEVER = new Set(['noexec', 'onecmd']);

const PRINTED = {
  entry: /declare -(?<flags>[A-Za-z-]+) (?<name>[A-Za-z_]\w*)/y,
  isExported: (_entry: string, flags: string) => /^(x|-x)$/.test(flags),
  isPlain: (flags: string) => /^[x-]+$/.test(flags),
};

/**
 * The state in one file, written by builtins alone: no process is forked. NUL separates the sections, no text of
 * bash can hold one. `>|` writes although noclobber is set, `||:` keeps `set -e` out. `$1` is the exit code to keep.
 */
const SAVE = `__lc_save() {
  [ -n "$__lc_dump" ] || return "$1"
  { builtin printf '%s\\0' "$PWD"
    builtin set +o; builtin printf '\\0'
    builtin shopt -p; builtin printf '\\0'
    builtin umask; builtin printf '\\0'
    builtin alias -p; builtin printf '\\0'
    builtin declare -p; builtin printf '\\0'
    builtin declare -F; builtin printf '\\0'
    builtin declare -f; builtin printf '\\0end'; } >|"$__lc_dump" || :
  __lc_dump=
  return "$1"
}`;

/**
 * `eval` runs the command in the shell's own context, so that a syntax error or an unbalanced quote in it ends the
 * eval and not this line, and lines are counted from its first. Saved twice on purpose: at the end, and by the trap
 * for `exit`, `set -e` and errors that end the shell. A trap of the user's replaces ours and runs after the save.
 */
const RUN = '{ . "$1"; } 2>/dev/null;eval "$3";{ __lc_save "$?"; } 2>/dev/null';

export const bash: Dialect = {
  kind: 'bash',
  maxArgumentBytes: 100 * 1024,
  quote: quoteWord,

  restoreScript(state, functionsFile) {
    const names = Object.keys(state.functions);
    const functions =
      functionsFile === undefined
        ? this.functionsScript(state)
        : `__lc_fn() { . ${quote(functionsFile)}; }\n${stubs(names)}`;
    return [
      '__lc_dump=$2',
      SAVE,
      `trap '{ __lc_save "$?"; } 2>/dev/null' EXIT`,
      state.variables,
      functions,
      'shopt -s expand_aliases',
      state.settings,
      '',
    ].join('\n');
  },

  // Bodies are printed with their aliases expanded: expanding them again would let them grow with every load.
  functionsScript: (state) =>
    [
      'shopt -q expand_aliases && __lc_alias=-s || __lc_alias=-u; shopt -u expand_aliases',
      ...Object.values(state.functions),
      'shopt $__lc_alias expand_aliases; unset __lc_alias',
      '',
    ].join('\n'),

  invocation(command, state, files, eager): Invocation {
    return { args: ['-c', RUN, 'bash', files.restore, files.dump, prefixed(command, state, files, eager)] };
  },

  parseDump(dump, previous, environment) {
    const [cwd, options, shopt, umask, aliases, variables, names, functions, end] = dump.split('\0');
    if (end !== 'end' || cwd === undefined || options === undefined || variables === undefined)
      return undefined;
    const split = splitVariables(parseVariables(variables, PRINTED), environment, isOwn);
    const functionNames = (names ?? '').split('\n').flatMap((line) => line.split(' ').slice(2));
    const exported = (names ?? '').match(/^declare -fx.* \S+$/gm) ?? [];
    const merged = mergeFunctions(splitFunctions(functions ?? '', functionNames), previous.functions);
    return {
      cwd: readFolder(cwd),
      environment: split.environment,
      variables: split.script,
      functions: merged,
      settings: [
        shopt?.trimEnd(),
        `umask ${umask?.trim() ?? '022'}`,
        aliases?.trimEnd(),
        ...exported.map((line) => `export -f ${line.slice(line.lastIndexOf(' ') + 1)}`),
      ].join('\n'),
      options: changedOptions(options),
    };
  },

  variableEntries: (variables) => entriesOf(variables, PRINTED),

  profile: {
    args: (dump) => ['-i', '-c', `__lc_dump=${quote(dump)}\n${SAVE}\n__lc_save 0`],
    startFiles: [
      '/etc/profile',
      '/etc/bash.bashrc',
      '/etc/bashrc',
      '~/.bash_profile',
      '~/.bash_login',
      '~/.profile',
      '~/.bashrc',
    ],
  },
};

/** What eval gets: all on the command's first line, so that its lines keep their numbers. */
export function prefixed(command: string, state: ShellState, files: CallFiles, eager: boolean): string {
  const functions = eager && files.functions !== undefined ? `. ${quote(files.functions)};` : '';
  const text = files.command === undefined ? command : `. ${quote(files.command)}`;
  return `${functions}set --;${state.options}${text}`;
}

function isOwn(variable: Variable): boolean {
  return (
    OWN.test(variable.name) || (variable.value !== undefined && DEFAULTS[variable.name] === variable.value)
  );
}

function changedOptions(printed: string): string {
  let changed = '';
  for (const [, sign, name] of printed.matchAll(/^set ([-+])o (\S+)$/gm)) {
    if (name === undefined || OPTIONS_NEVER.has(name)) continue;
    if ((sign === '-') !== OPTIONS_ON.has(name)) changed += `set ${sign}o ${name};`;
  }
  return changed;
}
