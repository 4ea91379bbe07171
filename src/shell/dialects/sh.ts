import { prefixed } from './bash.ts';
import type { Dialect, Invocation } from './dialect.ts';
import { stubs } from './functions.ts';
import { findFunctions } from './sh-functions.ts';
import { entriesOf, parseVariables, splitVariables, type Variable } from './variables.ts';
import { quote, quoteWord, readFolder } from './words.ts';

/** Made by dash, busybox, or bash in its sh costume. */
const OWN =
  /^(BASH|BASHOPTS|BASH_\w+|DIRSTACK|EUID|FUNCNAME|GROUPS|HOSTNAME|HOSTTYPE|LINENO|MACHTYPE|OPTARG|OPTIND|OPTERR|OSTYPE|PIPESTATUS|POSIXLY_CORRECT|PPID|PS[12]|RANDOM|SECONDS|SHELLOPTS|UID)$/;
const DEFAULTS: Readonly<Record<string, string>> = { IFS: ' \t\n', PS4: '+ ' };
const OPTIONS_ON = new Set(['braceexpand', 'hashall', 'interactive-comments', 'posix']);
const OPTIONS_NEVER = new Set(['noexec', 'onecmd', 'stdin', 'interactive', 'privileged', 'debug', 'nolog']);

const EXPORTED = {
  entry: /export (?<name>[A-Za-z_]\w*)/y,
  isExported: () => true,
  isPlain: () => true,
};
const READONLY = {
  entry: /readonly (?<name>[A-Za-z_]\w*)/y,
  isExported: () => false,
  isPlain: () => false,
};
const SET = {
  entry: /(?<name>[A-Za-z_]\w*)(?==)/y,
  isExported: () => false,
  isPlain: () => true,
};
const ALIASES = {
  entry: /(?:alias )?(?<name>[^\s='"]+)(?==)/y,
  isExported: () => false,
  isPlain: () => true,
};

/** See bash.ts. `$__lc_names` are the functions that exist or may have been defined: sh can only be asked by name. */
const SAVE = `__lc_save() {
  [ -n "$__lc_dump" ] || return "$1"
  { printf '%s\\0' "$PWD"
    set +o; printf '\\0'
    umask; printf '\\0'
    alias; printf '\\0'
    export -p; printf '\\0'
    set; printf '\\0'
    readonly -p; printf '\\0'
    IFS=' '; set +f
    for __lc_f in $__lc_names; do command -V "$__lc_f"; done
    printf '\\0end'; } >|"$__lc_dump" || :
  __lc_dump=
  return "$1"
}`;

const RUN = '{ . "$1"; } 2>/dev/null;__lc_names="$__lc_names $4";eval "$3";{ __lc_save "$?"; } 2>/dev/null';

export const sh: Dialect = {
  kind: 'sh',
  maxArgumentBytes: 100 * 1024,
  quote: quoteWord,
  checksRestore: true,
  readsSourcedFiles: true,

  restoreScript(state, functionsFile) {
    const names = Object.keys(state.functions);
    const functions =
      functionsFile === undefined
        ? this.functionsScript(state)
        : `__lc_fn() { . ${quote(functionsFile)}; }\n${stubs(names)}`;
    return [
      '__lc_dump=$2',
      `__lc_names='${names.join(' ')}'`,
      SAVE,
      `trap '{ __lc_save "$?"; } 2>/dev/null' EXIT`,
      state.variables,
      functions,
      state.settings,
      '',
    ].join('\n');
  },

  functionsScript: (state) => `${Object.values(state.functions).join('\n')}\n`,

  invocation(command, state, files, eager, script): Invocation {
    const defined = Object.keys(findFunctions(script)).join(' ');
    return {
      args: ['-c', RUN, 'sh', files.restore, files.dump, prefixed(command, state, files, eager), defined],
    };
  },

  variableEntries: (variables) => entriesOf(variables, KEPT),

  parseDump(dump, previous, environment, script) {
    const [cwd, options, umask, aliases, exported, set, readonly, kinds, end] = dump.split('\0');
    if (end !== 'end' || cwd === undefined || exported === undefined || set === undefined) return undefined;
    const exportedVariables = parseVariables(exported, EXPORTED);
    const names = new Set(exportedVariables.map((variable) => variable.name));
    const others = parseVariables(set, SET).filter((variable) => !names.has(variable.name));
    const split = splitVariables(
      [...exportedVariables.filter((variable) => variable.value !== undefined), ...others],
      environment,
      isOwn,
    );
    const locked = parseVariables(readonly ?? '', READONLY).filter((variable) => !OWN.test(variable.name));
    const defined = findFunctions(script);
    const functions: Record<string, string> = {};
    for (const [, name] of (kinds ?? '').matchAll(/^(\w+) is a (?:shell )?function/gm)) {
      const body = name === undefined ? undefined : (defined[name] ?? previous.functions[name]);
      if (name !== undefined && body !== undefined) functions[name] = body;
    }
    return {
      cwd: readFolder(cwd),
      environment: split.environment,
      variables: split.script + locked.map((variable) => `${variable.line}\n`).join(''),
      functions,
      settings: [
        `umask ${umask?.trim() ?? '022'}`,
        ...parseVariables(aliases ?? '', ALIASES).map(
          ({ name, value }) => `alias ${quote(`${name}=${value ?? ''}`)}`,
        ),
      ].join('\n'),
      options: changedOptions(options ?? ''),
    };
  },
};

/** As they are kept: plain lines, then those of locked ones; `export` where the environment had no room. */
const KEPT = { ...SET, entry: /(?:readonly |export )?(?<name>[A-Za-z_]\w*)/y };

function isOwn(variable: Variable): boolean {
  const initial = DEFAULTS[variable.name];
  return initial === undefined ? OWN.test(variable.name) : variable.value === initial;
}

function changedOptions(printed: string): string {
  let changed = '';
  for (const [, sign, name] of printed.matchAll(/^set ([-+])o (\S+)$/gm)) {
    if (name === undefined || OPTIONS_NEVER.has(name) || OPTIONS_ON.has(name)) continue;
    if (sign === '-') changed += `set -o ${name};`;
  }
  return changed;
}
