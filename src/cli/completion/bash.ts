import type { CompletionModel, Flag } from './model.ts';
import { pathsOf, perCommand, withValue } from './tables.ts';

/**
 * For bash 3.2 (macOS) and newer, without the package bash-completion. Bash cuts words at "=" and ":", so `--flag=va`
 * arrives as three words.
 */
export function bashCompletion(model: CompletionModel): string {
  const commands = perCommand(model);
  const taking = withValue(model);
  return `# Completion of local-coder for bash.
# Install it for yourself:
#   local-coder completion bash > ~/.local/share/bash-completion/completions/local-coder
# (make the folder first: mkdir -p), or without the package bash-completion, in ~/.bashrc:
#   source <(local-coder completion bash)

_local_coder_lines() {
  local line
  while IFS= read -r line; do COMPREPLY+=("$line"); done
}

_local_coder_value() {
  case $1 in
${taking.map(({ flag, value }) => `    ${flag}) ${valueAction(value)} ;;`).join('\n')}
    *) return 1 ;;
  esac
  return 0
}

_local_coder() {
  COMPREPLY=()
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path= word i
  if [[ $cur == = ]]; then
    cur=
  elif [[ $prev == = && $COMP_CWORD -ge 2 ]]; then
    prev=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  _local_coder_value "$prev" && return
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case $word in
      ${taking.map(({ flag }) => flag).join(' | ')})
        i=$((i + 1))
        [[ \${COMP_WORDS[i]} == = ]] && i=$((i + 1))
        ;;
      -*) ;;
      *) path="$path $word" ;;
    esac
  done
  if [[ $cur == -* ]]; then
    case $path in
${commands.map(({ name, flags }) => `      ' ${name}' | ' ${name} '*) ${words(flags)} ;;`).join('\n')}
      *) ${words(model.flags)} ;;
    esac
    return
  fi
  case $path in
    '') COMPREPLY=($(compgen -W '${model.commands.map(({ name }) => name).join(' ')}' -- "$cur")) ;;
${pathsOf(commands)
  .map(([path, next]) => caseOf(path, next))
  .join('\n')}
    ' ${model.foldersOf}' | ' ${model.foldersOf} '*) ${valueAction('folder')} ;;
  esac
}

complete -F _local_coder local-coder
`;
}

function caseOf(path: string, next: readonly string[]): string {
  return `    ' ${path}') COMPREPLY=($(compgen -W '${next.join(' ')}' -- "$cur")) ;;`;
}

function words(flags: readonly Flag[]): string {
  return `COMPREPLY=($(compgen -W '${flags.map(({ flag }) => flag).join(' ')}' -- "$cur"))`;
}

function valueAction(value: Flag['value']): string {
  if (value === 'any' || value === 'none') return ':';
  if (typeof value !== 'string') return `COMPREPLY=($(compgen -W '${value.join(' ')}' -- "$cur"))`;
  // Names with spaces come one to a line; `-o filenames` (bash 4) has them quoted and ended with a slash.
  const kind = value === 'folder' ? '-d' : '-f';
  return `compopt -o filenames 2>/dev/null; _local_coder_lines < <(compgen ${kind} -- "$cur")`;
}
