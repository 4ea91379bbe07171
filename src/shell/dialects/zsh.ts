import { prefixed } from './bash.ts';
import type { Dialect, Invocation } from './dialect.ts';
import { mergeFunctions, stubs } from './functions.ts';
import { entriesOf, parseVariables, splitVariables, type Variable } from './variables.ts';
import { quote, quoteWord, readFolder, utf8ToLatin1 } from './words.ts';

/** Not marked as special by zsh, but its own or ours. */
const OWN =
  /^(\d|CPUTYPE|HISTCMD|HOST|KEYTIMEOUT|LISTMAX|MACHTYPE|MAILCHECK|OPTARG|OPTIND|OSTYPE|TIMEFMT|TMPPREFIX|TTY|USERNAME|VENDOR|ZSH_(ARGZERO|EVAL_CONTEXT|EXECUTION_STRING|NAME|PATCHLEVEL|SUBSHELL|VERSION)|debian_missing_features|funcstack|key|signals|zle_bracketed_paste|zsh_eval_context)$/;

const PRINTED = {
  entry:
    /(?:typeset|export|readonly|integer|float)(?<flags>(?: -\w+)*)(?: [A-Za-z_]\w*(?= [A-Za-z_]\w*=))? (?<name>[A-Za-z_]\w*)/y,
  isExported: () => false,
  isPlain: (flags: string) => flags === '',
};

/** As they are kept: without what `typeset` would say of a built-in tie (withoutOwn). */
const KEPT = {
  ...PRINTED,
  entry:
    /(?:(?:typeset|export|readonly|integer|float)(?<flags>(?: -\w+)*)(?: [A-Za-z_]\w*(?= [A-Za-z_]\w*=))? )?(?<name>[A-Za-z_]\w*)/y,
};

/** Options that change what is run, not how it is read: set last, right before the command. */
const RUN_OPTIONS = /^(errexit|errreturn|xtrace|verbose|nounset|exec|noexec)$/;

/**
 * Environment and functions come as NUL-separated pairs from zsh's own tables, exact whatever they contain.
 * Options are printed before `emulate` gives the function a known set.
 */
const SAVE = `__lc_save() {
  [[ -n $__lc_dump && $ZSH_SUBSHELL -eq 0 ]] || return $1
  { builtin setopt
    builtin emulate -LR zsh
    builtin printf '\\0%s\\0' "$PWD"
    builtin umask; builtin printf '\\0'
    builtin alias -L; builtin alias -sL; builtin printf '\\0'
    builtin setopt extendedglob
    builtin typeset -p -- fpath cdpath IFS PS4 NULLCMD READNULLCMD \${(k)parameters[(R)^*(special|export|hide)*]}
    builtin printf '\\0'
    for __lc_k in \${(k)parameters[(R)*export*]}; do builtin print -rN -- "$__lc_k" "\${(P)__lc_k}"; done
    builtin printf '\\0'
    for __lc_k in \${(k)functions}; do builtin print -rN -- "$__lc_k" "$functions[$__lc_k]"; done
    builtin printf '\\0end'; } >|"$__lc_dump" 2>/dev/null || :
  __lc_dump=
  return $1
}
__lc_exit() { { __lc_save $? } 2>/dev/null }`;

const RUN = '{ . "$1"; } 2>/dev/null;eval "$3";{ __lc_save "$?"; } 2>/dev/null';

export const zsh: Dialect = {
  kind: 'zsh',
  maxArgumentBytes: 100 * 1024,
  quote: quoteWord,

  restoreScript(state, functionsFile) {
    const functions =
      functionsFile === undefined
        ? this.functionsScript(state)
        : `__lc_fn() { . ${quote(functionsFile)}; }\n${stubs(Object.keys(state.functions))}`;
    return [
      '__lc_dump=$2',
      SAVE,
      ...Object.entries(state.environment).flatMap(([name, value]) => ownEnvironment(name, value)),
      state.variables,
      // The hook serves `exit` whatever EXIT trap the command sets; `set -e` runs traps alone.
      'zshexit_functions+=(__lc_exit)',
      `trap '{ __lc_exit; } 2>/dev/null' EXIT`,
      // An alias of the same name (zsh brings `run-help`) would break the definition.
      'setopt noaliases',
      functions,
      'setopt aliases',
      state.settings,
      '',
    ].join('\n');
  },

  // Bodies have their aliases expanded already: reading them with aliases on would let them grow with every load.
  functionsScript: (state) =>
    [
      '[[ -o aliases ]] && __lc_alias=aliases || __lc_alias=noaliases; setopt noaliases',
      ...Object.values(state.functions),
      'setopt $__lc_alias; unset __lc_alias',
      '',
    ].join('\n'),

  invocation(command, state, files, eager): Invocation {
    // -f: the user's start files were read for the profile; .zshenv would undo an activated environment.
    return {
      args: ['-f', '-c', RUN, 'zsh', files.restore, files.dump, prefixed(command, state, files, eager)],
    };
  },

  parseDump(dump, previous, environment) {
    if (!dump.endsWith('\0end')) return undefined;
    const [options, cwd, umask, aliases, printed, ...rest] = dump.split('\0');
    if (options === undefined || cwd === undefined || printed === undefined) return undefined;
    // Pairs end where an empty name stands: the separator after each table.
    const [exported, afterExported] = readPairs(rest, 0);
    const [bodies] = readPairs(rest, afterExported);
    const variables = [
      ...Object.entries(exported).map(
        ([name, value]): Variable => ({
          name,
          value,
          exported: true,
          line: `export ${name}=${quote(value)}`,
        }),
      ),
      ...parseVariables(printed, PRINTED).flatMap((variable) => withoutOwn(variable, exported)),
    ];
    const split = splitVariables(variables, environment, (variable) => OWN.test(variable.name));
    const functions = Object.fromEntries(
      Object.entries(bodies).map(([name, body]) => [name, `${functionName(name)} () {\n${body}\n}`]),
    );
    const names = options.split('\n').filter((name) => /^\w+$/.test(name));
    const early = names.filter((name) => !RUN_OPTIONS.test(name));
    const late = names.filter((name) => RUN_OPTIONS.test(name) && name !== 'noexec');
    return {
      cwd: readFolder(cwd),
      environment: split.environment,
      variables: split.script,
      functions: mergeFunctions(functions, previous.functions),
      settings: [
        ...early.map((name) => `setopt ${name}`),
        `umask ${umask?.trim() ?? '022'}`,
        'unalias -m "*"; unalias -s -m "*"',
        aliases?.trimEnd() ?? '',
      ].join('\n'),
      options: late.length > 0 ? `setopt ${late.join(' ')};` : '',
    };
  },

  variableEntries: (variables) => entriesOf(variables, KEPT),

  profile: {
    args: (dump) => ['-i', '-c', `__lc_dump=${quote(dump)}\n${SAVE}\n__lc_save 0`],
    startFiles: [
      '/etc/zshenv',
      '/etc/zsh/zshenv',
      '/etc/zsh/zshrc',
      '/etc/zshrc',
      '~/.zshenv',
      '~/.zprofile',
      '~/.zshrc',
      '~/.zlogin',
    ],
  },
};

/** zsh sets these by itself, whatever the environment says. */
function ownEnvironment(name: string, value: string | null): string[] {
  if (value === null) return [`unset ${name}`];
  // An empty one is taken for none, and zsh has a PATH of its own for that case.
  if (name === 'PATH' && value === '') return ['PATH='];
  if (name !== 'OLDPWD') return [];
  const folder = quote(utf8ToLatin1(value));
  // `cd -` goes where zsh itself came from.
  return [`__lc_k=$PWD; builtin cd -q -- ${folder} && { builtin cd -q -- "$__lc_k" || exit 126; }`];
}

function readPairs(parts: readonly string[], start: number): [Record<string, string>, number] {
  const pairs: Record<string, string> = {};
  let at = start;
  for (; at + 1 < parts.length && parts[at] !== ''; at += 2) {
    const name = parts[at];
    if (name !== undefined && !name.startsWith('__lc_')) pairs[name] = parts[at + 1] ?? '';
  }
  return [pairs, at + 1];
}

/** Lines of exported variables are dropped (they came exactly), those of built-in ties set the array alone. */
function withoutOwn(variable: Variable, exported: Readonly<Record<string, string>>): Variable[] {
  const { name, line } = variable;
  if (name in exported) return [];
  if (name === 'zshexit_functions') {
    const others = line.replace(' __lc_exit', '');
    return /\(\s*\)$/.test(others) ? [] : [{ ...variable, line: others }];
  }
  if (name === 'fpath') return [{ ...variable, line: line.slice(line.indexOf('fpath=')) }];
  return [variable];
}

function functionName(name: string): string {
  return /^[\w:.@+-]+$/.test(name) ? name : quote(name);
}
