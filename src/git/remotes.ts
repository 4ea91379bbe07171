import { CodedError } from '../runtime/errors.ts';
import type { GitProgram } from './git-program.ts';
import { checkRemote } from './names.ts';
import type { Repository } from './repository.ts';

/** What the configuration says about remotes. */
export interface RemoteSettings {
  readonly names: readonly string[];
  /** Branch name → the remote that it follows. */
  readonly remoteOfBranch: ReadonlyMap<string, string>;
  readonly pushDefault: string | undefined;
  /** The user has an ssh command of their own, which must not be replaced. */
  readonly hasSshCommand: boolean;
}

const KEYS = '^(core\\.sshcommand|remote\\.pushdefault|remote\\..*\\.url|branch\\..*\\.remote)$';

export async function readRemotes(
  program: GitProgram,
  repository: Repository,
  signal?: AbortSignal,
): Promise<RemoteSettings> {
  const result = await program.run(['config', '-z', '--get-regexp', KEYS], {
    cwd: repository.top,
    reads: true,
    signal,
    accept: [0, 1],
  });
  const names = new Set<string>();
  const remoteOfBranch = new Map<string, string>();
  let pushDefault: string | undefined;
  let hasSshCommand = program.environmentHas('GIT_SSH_COMMAND') || program.environmentHas('GIT_SSH');
  for (const record of result.stdout.toString('utf8').split('\0')) {
    const lineEnd = record.indexOf('\n');
    const key = lineEnd === -1 ? record : record.slice(0, lineEnd);
    const value = lineEnd === -1 ? '' : record.slice(lineEnd + 1);
    const middle = key.slice(key.indexOf('.') + 1, key.lastIndexOf('.'));
    if (key === 'core.sshcommand') hasSshCommand = true;
    else if (key === 'remote.pushdefault') pushDefault = value;
    else if (key.startsWith('remote.')) names.add(middle);
    else if (key.startsWith('branch.')) remoteOfBranch.set(middle, value);
  }
  return { names: [...names], remoteOfBranch, pushDefault, hasSshCommand };
}

/** The remote that a caller named, checked, or the one that git would take for a branch. */
export function chooseRemote(
  settings: RemoteSettings,
  given: string | undefined,
  branch: string | undefined,
): string {
  if (given !== undefined) {
    checkRemote(given, settings.names);
    return given;
  }
  const own = branch === undefined ? undefined : settings.remoteOfBranch.get(branch);
  const chosen = own ?? settings.pushDefault ?? (settings.names.length === 1 ? settings.names[0] : 'origin');
  if (chosen !== undefined && settings.names.includes(chosen) && !chosen.startsWith('-')) return chosen;
  throw new CodedError(
    'REF_NOT_FOUND',
    settings.names.length === 0 ? 'This repository has no remote.' : 'It is not clear which remote is meant.',
    settings.names.length === 0
      ? 'Add one with run_command "git remote add origin <address>".'
      : `Give "remote": ${settings.names.join(', ')}.`,
  );
}
