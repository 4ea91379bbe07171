import type { CompletionModel, Flag } from './model.ts';
import { pathsOf, perCommand, withValue } from './tables.ts';

export function zshCompletion(model: CompletionModel): string {
  const commands = perCommand(model);
  const taking = withValue(model);
  return `#compdef local-coder
# Completion of local-coder for zsh.
# Install it for yourself: put it into a folder of $fpath as _local-coder, for example
#   mkdir -p ~/.zfunc && local-coder completion zsh > ~/.zfunc/_local-coder
# and have in ~/.zshrc, before compinit:  fpath=(~/.zfunc $fpath); autoload -U compinit; compinit

_local_coder_value() {
  case $1 in
${taking.map(({ flag, value }) => `    ${flag}) ${valueAction(value)} ;;`).join('\n')}
    *) return 1 ;;
  esac
  return 0
}

_local_coder() {
  local word taken= i
  local -a names
  # --flag=value: the part behind "=" is what is completed.
  if [[ $words[CURRENT] == --*=* ]]; then
    word=\${words[CURRENT]%%=*}
    compset -P '*='
    _local_coder_value $word
    return
  fi
  _local_coder_value $words[CURRENT-1] && return
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    case $word in
      (${taking.map(({ flag }) => flag).join('|')}) ((i++)) ;;
      (-*) ;;
      (*) taken="$taken $word" ;;
    esac
  done
  if [[ $words[CURRENT] == -* ]]; then
    case $taken in
${commands.map(({ name, flags }) => `      (' ${name}'|' ${name} '*) names=(${described(flags.map(({ flag, help }) => [flag, help]))}) ;;`).join('\n')}
      (*) names=(${described(model.flags.map(({ flag, help }) => [flag, help]))}) ;;
    esac
    _describe -o option names
    return
  fi
  case $taken in
    ('') names=(${described(model.commands.map(({ name, help }) => [name, help]))}) ;;
${pathsOf(commands)
  .map(([path, next]) => `    (' ${path}') names=(${next.join(' ')}) ;;`)
  .join('\n')}
    (' ${model.foldersOf}'|' ${model.foldersOf} '*) ${valueAction('folder')}; return ;;
  esac
  (( $#names )) && _describe command names
}

if [[ $funcstack[1] == _local-coder ]]; then
  _local_coder "$@"
else
  compdef _local_coder local-coder
fi
`;
}

function valueAction(value: Flag['value']): string {
  if (value === 'folder') return '_files -/';
  if (value === 'file') return '_files';
  return typeof value === 'string' ? ':' : `compadd -- ${value.join(' ')}`;
}

/** Names with their descriptions, as _describe takes them: in single quotes, colons of the name escaped. */
function described(rows: readonly (readonly [name: string, help: string])[]): string {
  return rows
    .map(([name, help]) => {
      const text = help === '' ? name : `${name}:${help}`;
      return `'${text.replaceAll("'", `'\\''`)}'`;
    })
    .join(' ');
}
