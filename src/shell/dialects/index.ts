import { basename } from 'node:path';
import { CodedError } from '../../runtime/errors.ts';
import { isMac, isWindows } from '../../runtime/platform.ts';
import { which } from '../../runtime/which.ts';
import { bash } from './bash.ts';
import { cmd } from './cmd.ts';
import type { Dialect } from './dialect.ts';
import { pwsh, windowsPowershell } from './powershell.ts';
import { sh } from './sh.ts';
import { zsh } from './zsh.ts';

export interface ShellProgram {
  readonly dialect: Dialect;
  /** Absolute path. */
  readonly file: string;
}

const BY_NAME: Readonly<Record<string, Dialect>> = {
  bash,
  zsh,
  sh,
  dash: sh,
  ash: sh,
  pwsh,
  powershell: windowsPowershell,
  cmd,
};

/**
 * The shell to use: what was configured (a name or an absolute path), else the user's own where its state can be
 * carried, else the platform's.
 * @throws {CodedError} SHELL_NOT_FOUND
 */
export async function findShell(
  configured: string | undefined,
  environment: Readonly<Record<string, string>>,
): Promise<ShellProgram> {
  const wanted = configured ? [configured] : defaultShells(environment);
  for (const name of wanted) {
    const dialect =
      BY_NAME[
        basename(name)
          .toLowerCase()
          .replace(/\.exe$/, '')
      ];
    if (!dialect) continue;
    const file = /[\\/]/.test(name) ? name : await which(name, environment);
    if (file !== undefined) return { dialect, file };
  }
  throw new CodedError(
    'SHELL_NOT_FOUND',
    `No shell was found (looked for ${wanted.join(', ')}).`,
    `Start the server with --shell and one of ${Object.keys(BY_NAME).join(', ')}, or the absolute path of one.`,
  );
}

function defaultShells(environment: Readonly<Record<string, string>>): string[] {
  if (isWindows) return ['pwsh', 'powershell', 'cmd'];
  const own = environment['SHELL'];
  const usual = isMac ? ['zsh', 'bash', 'sh'] : ['bash', 'zsh', 'sh'];
  return own !== undefined && basename(own) in BY_NAME ? [own, ...usual] : usual;
}
