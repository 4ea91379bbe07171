import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { parse, resolve } from 'node:path';
import { createSandbox, isSandbox } from '../../access/sandbox/index.ts';
import { CodedError } from '../../runtime/errors.ts';
import { homeFolder, isMac, isWindows } from '../../runtime/platform.ts';
import { runProgram } from '../../runtime/run-program.ts';
import { which } from '../../runtime/which.ts';
import { childEnvironment, findShell } from '../../shell/index.ts';
import { type Check, type Finding, fail, ok, warn } from './check.ts';

const OLDEST_GIT: readonly [number, number] = [2, 30];

/** The folders that are served: there, readable, writable, and not more than was meant. */
export const workspace: Check = async ({ settings }) => {
  const roots = settings.workspace;
  for (const root of roots) {
    const stats = await stat(root).catch(() => undefined);
    if (!stats?.isDirectory())
      return fail(`${root} is no folder`, 'name an existing folder with --workspace');
    if (!(await may(root, constants.R_OK | constants.X_OK)))
      return fail(`${root} cannot be read`, 'give this user the right to, or name another with --workspace');
  }
  const shown = roots.join(', ');
  const wide = roots.find((root) => root === homeFolder() || root === parse(root).root);
  if (wide !== undefined)
    return warn(`${wide} is everything you have`, 'start it in the project’s own folder');
  const closed = await firstAsync(roots, async (root) => !(await may(root, constants.W_OK)));
  if (closed !== undefined && settings.access !== 'read-only')
    return warn(`${closed} cannot be written`, 'expect refused edits, or give this user the right to');
  return ok(shown);
};

export const git: Check = async ({ env }) => {
  const install = isMac
    ? 'xcode-select --install'
    : isWindows
      ? 'winget install Git.Git'
      : 'install the package git (Debian: sudo apt install git)';
  const file = await which('git', env);
  if (file === undefined)
    return fail('not found on PATH: the git tools answer GIT_NOT_FOUND', `${install}, then start anew`);
  const text = await firstLine(file, ['--version'], env);
  const version = /(\d+)\.(\d+)(\.\d+)?/.exec(text ?? '');
  if (version === null) return fail(`${file} does not start`, install);
  const [major, minor] = [Number(version[1]), Number(version[2])];
  const old = major < OLDEST_GIT[0] || (major === OLDEST_GIT[0] && minor < OLDEST_GIT[1]);
  return old
    ? fail(`${version[0]} at ${file} is older than ${OLDEST_GIT.join('.')}`, install)
    : ok(`${version[0]} at ${file}`);
};

export const ripgrep: Check = async ({ stateDir, env, findRipgrep }) => {
  const file = await findRipgrep(stateDir);
  if (file === undefined)
    return warn(
      'cannot be run here: searches use the slower engine',
      `let programs run from ${stateDir}, or name another folder with --state-dir`,
    );
  return ok((await firstLine(file, ['--version'], env)) ?? file);
};

export const shell: Check = async ({ settings, env }) => {
  try {
    const { file } = await findShell(settings.shell, childEnvironment(env));
    return (await may(file, constants.X_OK))
      ? ok(file)
      : fail(`${file} is no program`, 'name one with --shell: bash, zsh, sh, pwsh, powershell or cmd');
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return fail(error.message, error.hint);
  }
};

/** Needed in the mode `workspace` alone; there nothing is run without one. */
export const sandbox: Check = async ({ settings, stateDir, env }) => {
  if (settings.access === 'read-only') return ok('not needed: nothing is run in the mode read-only');
  const found = await createSandbox({
    roots: settings.workspace,
    network: settings['sandbox-network'] !== 'off',
    readDirs: (settings['sandbox-read'] ?? []).map((path) => resolve(path)),
    stateDir,
    env: childEnvironment(env),
  });
  if (isSandbox(found)) {
    return ok(
      settings.access === 'workspace'
        ? `${found.name} confines commands`
        : `${found.name} is there; used with --access workspace`,
    );
  }
  return settings.access === 'workspace'
    ? fail(`commands are off: ${found.unavailable}`, found.hint)
    : ok(`none (${found.unavailable}); needed for --access workspace alone`);
};

/** Access denied in an answer comes from here. */
export const accessMode: Check = async ({ settings }): Promise<Finding> => {
  if (settings.access === 'full')
    return warn(
      'full: the tools reach every file and run every command that you can',
      '--access workspace keeps them inside the folder',
    );
  const folders = settings.workspace.length > 1 ? 'these folders' : 'this folder';
  return ok(
    settings.access === 'workspace'
      ? `workspace: PATH_OUTSIDE_WORKSPACE is the answer to what is outside of ${folders}`
      : 'read-only: whatever changes something is not listed',
  );
};

/** Why a client asks for every call. */
export const prompts: Check = async ({ settings }) => {
  const approve = settings.approve ?? 'never';
  if (approve === 'all')
    return warn(
      '--approve all: every call waits for your word on the terminal',
      'use --approve destructive or never',
    );
  const own =
    approve === 'never' ? 'none of its own' : 'destructive calls wait for your word on the terminal';
  return ok(
    `${own}; the client asks by the tools’ hints (reading never, changes until you choose "always allow")`,
  );
};

async function may(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

async function firstAsync<T>(
  items: readonly T[],
  test: (item: T) => Promise<boolean>,
): Promise<T | undefined> {
  for (const item of items) if (await test(item)) return item;
  return undefined;
}

async function firstLine(file: string, args: string[], env: NodeJS.ProcessEnv): Promise<string | undefined> {
  try {
    const result = await runProgram(file, args, { cwd: '/', env: childEnvironment(env), timeoutMs: 5_000 });
    return result.exitCode === 0 ? result.stdout.toString('utf8').split('\n', 1)[0]?.trim() : undefined;
  } catch {
    return undefined;
  }
}
