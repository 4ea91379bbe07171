import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { MARKER_VARIABLE } from '../runtime/process-tree.ts';
import { runProgram } from '../runtime/run-program.ts';
import { emptyState, type ShellState } from './dialects/dialect.ts';
import type { ShellProgram } from './dialects/index.ts';

/** Start files that take longer than this contribute nothing. */
const CAPTURE_TIMEOUT_MS = 10_000;
/** Unexported variables beyond this are completion tables and caches. */
const MAX_VARIABLES_CHARACTERS = 64 * 1024;

/** Meant for a person at a prompt, or true only for the shell that set it. */
const NOT_TAKEN =
  /^(PS\d|PROMPT\w*|RPROMPT|HIST\w*|SAVEHIST|COMP\w*|SHELL|SHLVL|MAILCHECK|OPTIND|PWD|OLDPWD|TERM|TTY|SSH_AUTH_SOCK|SSH_AGENT_PID|SSH_TTY|TMUX\w*|STY|WINDOWID|_)$/;
const COMPLETION = /COMPREPLY|COMP_WORDS|COMP_CWORD|compadd|_arguments|builtin autoload -X/;

/** What the user's start files add to a new shell. */
export type Profile = Pick<ShellState, 'environment' | 'variables' | 'functions'>;

const NOTHING: Profile = { environment: {}, variables: '', functions: {} };

/**
 * What ~/.bashrc, ~/.zshrc and the like give a shell (nvm, pyenv, conda: functions, variables, PATH), captured once
 * by the user's own interactive shell and kept in `shells/profile-<kind>.json` until one of these files changes.
 * Aliases and options are not taken: they are made for a person at a prompt (`rm -i`, `ls --color`).
 *
 * The server's environment wins: a profile fills in what is missing. Only where the server was not started from a
 * shell (a service, the desktop) is its PATH taken as it is, by a login shell.
 */
export async function loadProfile(
  program: ShellProgram,
  environment: Readonly<Record<string, string>>,
  stateDir: string,
  markerPrefix: string,
): Promise<Profile> {
  const { dialect } = program;
  if (!dialect.profile) return NOTHING;
  const key = await profileKey(program, environment);
  const folder = join(stateDir, 'shells');
  const file = join(folder, `profile-${dialect.kind}.json`);
  const cached = await readCached(file, key);
  if (cached) return cached;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const profile = await capture(program, environment, folder, markerPrefix);
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, JSON.stringify({ key, profile }), { mode: 0o600 });
  await rename(temporary, file);
  return profile;
}

/** A new shell's state with what the profile gives. */
export function stateWithProfile(cwd: string, profile: Profile): ShellState {
  return { ...emptyState(cwd), ...profile };
}

async function capture(
  program: ShellProgram,
  environment: Readonly<Record<string, string>>,
  folder: string,
  markerPrefix: string,
): Promise<Profile> {
  const { dialect, file } = program;
  const dump = join(folder, `profile-${process.pid}.dump`);
  // A shell started by a shell has what login shells add.
  const login = environment['SHLVL'] === undefined;
  try {
    await writeFile(dump, '', { mode: 0o600 });
    await runProgram(file, [...(login ? ['-l'] : []), ...(dialect.profile?.args(dump) ?? [])], {
      cwd: environment['HOME'] ?? '/',
      env: { ...environment, [MARKER_VARIABLE]: `${markerPrefix}profile` },
      timeoutMs: CAPTURE_TIMEOUT_MS,
      exitIsEnd: true,
    });
    const text = await readFile(dump, 'latin1');
    const state = dialect.parseDump(text, emptyState(folder), environment, '');
    return state ? reduce(state, environment, login) : NOTHING;
  } catch {
    return NOTHING;
  } finally {
    await unlink(dump).catch(() => {});
  }
}

function reduce(state: ShellState, environment: Readonly<Record<string, string>>, login: boolean): Profile {
  const added: Record<string, string> = {};
  for (const [name, value] of Object.entries(state.environment)) {
    if (value === null || NOT_TAKEN.test(name)) continue;
    if (name === 'PATH') added[name] = login ? value : mergePaths(environment['PATH'] ?? '', value);
    else if (environment[name] === undefined) added[name] = value;
  }
  if (added['PATH'] === environment['PATH']) delete added['PATH'];
  const functions = Object.entries(state.functions).filter(
    ([name, body]) => !(name.startsWith('_') && COMPLETION.test(body)) && name !== 'zsh-newuser-install',
  );
  return {
    environment: added,
    variables: state.variables.length <= MAX_VARIABLES_CHARACTERS ? withoutPrompt(state.variables) : '',
    functions: Object.fromEntries(functions),
  };
}

/** Lines that set what only an interactive shell uses are dropped; values over several lines stay as they are. */
function withoutPrompt(variables: string): string {
  return variables
    .split(/\n(?=declare |typeset |export |readonly |[A-Za-z_]\w*=)/)
    .filter((entry) => {
      const name = /^(?:(?:declare|typeset|export|readonly)(?: -\S+)* )?([A-Za-z_]\w*)/.exec(entry)?.[1];
      return name !== undefined && !NOT_TAKEN.test(name);
    })
    .map((entry) => `${entry.trimEnd()}\n`)
    .join('');
}

/** The server's own entries first, as they were; then what the profile adds. */
function mergePaths(own: string, profile: string): string {
  const entries = own.split(delimiter);
  const known = new Set(entries);
  return [...entries, ...profile.split(delimiter).filter((entry) => entry !== '' && !known.has(entry))].join(
    delimiter,
  );
}

async function profileKey(
  program: ShellProgram,
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const home = environment['HOME'] ?? '';
  const startFolder = environment['ZDOTDIR'] ?? home;
  const files = (program.dialect.profile?.startFiles ?? []).map((name) => name.replace(/^~/, startFolder));
  const stamps = await Promise.all(
    files.map((name) =>
      stat(name).then(
        ({ mtimeMs, size, ino }) => `${name} ${mtimeMs} ${size} ${ino}`,
        () => '',
      ),
    ),
  );
  const base = [program.file, home, environment['PATH'], environment['SHLVL'] === undefined];
  return createHash('sha256')
    .update(JSON.stringify([1, base, stamps]))
    .digest('hex');
}

async function readCached(file: string, key: string): Promise<Profile | undefined> {
  try {
    const stored: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof stored !== 'object' || stored === null || !('key' in stored) || stored.key !== key)
      return undefined;
    // Written by this function, under a key that has the version in it.
    return (stored as { profile?: Profile }).profile;
  } catch {
    return undefined;
  }
}
