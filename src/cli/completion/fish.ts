import type { CompletionModel, Flag } from './model.ts';
import { pathsOf, perCommand, withValue } from './tables.ts';

const FOLDERS = '(__fish_complete_directories)';

export function fishCompletion(model: CompletionModel): string {
  const commands = perCommand(model);
  const lines: string[] = [];
  for (const { name, help } of model.commands) lines.push(complete("''", `-a ${name}`, help));
  for (const [path, next] of pathsOf(commands))
    lines.push(complete(quoted(path), `-a '${next.join(' ')}'`, ''));
  lines.push(complete(`${model.foldersOf} --any`, `-a '${FOLDERS}'`, ''));
  for (const flag of model.flags) lines.push(flagLine("''", flag));
  for (const { name, flags } of commands)
    for (const flag of flags) lines.push(flagLine(`${name} --any`, flag));
  return `# Completion of local-coder for fish.
# Install it for yourself:
#   local-coder completion fish > ~/.config/fish/completions/local-coder.fish

# True when the words before the cursor, without options and their values, are these; with --any as the second
# argument also when more follow.
function __local_coder_at
    set -l taking ${withValue(model)
      .map(({ flag }) => flag)
      .join(' ')}
    set -l path
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if contains -- $word $taking
            set skip 1
        else if not string match -q -- '-*' $word
            set -a path $word
        end
    end
    if test "$argv[2]" = --any
        test "$path[1]" = "$argv[1]"
    else
        test "$path" = "$argv[1]"
    end
end

function __local_coder_behind_dashes
    contains -- -- (commandline -opc)
end

complete -c local-coder -f
complete -c local-coder -n __local_coder_behind_dashes -a '${model.flags.map(({ flag }) => flag).join(' ')}'
${lines.join('\n')}
`;
}

function complete(at: string, what: string, help: string): string {
  return `complete -c local-coder -n "__local_coder_at ${at}" ${what}${help === '' ? '' : ` -d ${quoted(help)}`}`;
}

function flagLine(at: string, { flag, value, help }: Flag): string {
  return complete(at, `-l ${flag.slice(2)}${valueAction(value)}`, help);
}

function valueAction(value: Flag['value']): string {
  if (value === 'none') return '';
  if (value === 'folder') return ` -x -a '${FOLDERS}'`;
  if (value === 'file') return ' -r -F';
  return typeof value === 'string' ? ' -x' : ` -x -a '${value.join(' ')}'`;
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
