import { EXIT, type ExitCode, UsageError } from '../config/usage-error.ts';
import type { COMMANDS } from './commands.ts';
import { bashCompletion } from './completion/bash.ts';
import { fishCompletion } from './completion/fish.ts';
import { type CompletionModel, completionModel } from './completion/model.ts';
import { powershellCompletion } from './completion/powershell.ts';
import { zshCompletion } from './completion/zsh.ts';

const SHELLS: Readonly<Record<keyof typeof COMMANDS.completion.actions, (model: CompletionModel) => string>> =
  {
    bash: bashCompletion,
    zsh: zshCompletion,
    fish: fishCompletion,
    powershell: powershellCompletion,
  };

/** `local-coder completion SHELL`: the script that completes commands and options in a shell, to standard output. */
export function completion(
  words: readonly string[],
  output: { write(text: string): unknown } = process.stdout,
): ExitCode {
  const [shell = ''] = words;
  if (!Object.hasOwn(SHELLS, shell)) {
    throw new UsageError(
      `Usage: local-coder completion ${Object.keys(SHELLS).join('|')}. The first lines of what it prints say how to install it.`,
    );
  }
  output.write(SHELLS[shell as keyof typeof SHELLS](completionModel())); // checked in the line above
  return EXIT.ok;
}
