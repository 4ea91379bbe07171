import { opendir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { SettingName } from '../config/definitions.ts';
import { EXIT, type ExitCode, UsageError } from '../config/usage-error.ts';
import {
  type AgentWorkspace,
  changeConfiguration,
  newWorkspaceId,
  readConfiguration,
} from '../relay/agent/configuration.ts';
import { MAX_WORKSPACES_PER_AGENT } from '../relay/protocol.ts';
import { systemCode } from '../runtime/errors.ts';
import { isSameOrInside } from '../runtime/paths.ts';
import { forTerminal } from '../runtime/terminal.ts';
import { agentStateDir } from './agent-state.ts';

const USAGE = 'local-coder workspace add --name NAME --path FOLDER [--ignore PATTERN …] | list | remove ID';

export interface WorkspaceValues {
  readonly name?: string | undefined;
  readonly path?: string | undefined;
  readonly ignore: readonly string[];
}

interface Output {
  write(text: string): unknown;
}

/** `local-coder workspace …`: the folders that the agent lets its relay look into. A running agent takes changes over. */
export async function workspace(
  flags: ReadonlyMap<SettingName, unknown>,
  words: readonly string[],
  values: WorkspaceValues,
  output: Output = process.stdout,
): Promise<ExitCode> {
  const [action, id, ...rest] = words;
  const takesId = action === 'remove';
  const isKnown = action === 'add' || action === 'list' || action === 'remove';
  if (!isKnown || rest.length > 0 || takesId !== (id !== undefined)) throw new UsageError(`Usage: ${USAGE}.`);
  const stateDir = await agentStateDir(flags);
  if (action === 'add') return add(stateDir, values, output);
  return takesId && id !== undefined ? remove(stateDir, id, output) : list(stateDir, output);
}

async function add(
  stateDir: string,
  { name, path, ignore }: WorkspaceValues,
  output: Output,
): Promise<ExitCode> {
  if (path === undefined) throw new UsageError(`Usage: ${USAGE}.`);
  const rootPath = await realFolder(path, stateDir);
  const displayName = (name ?? basename(rootPath)).trim().slice(0, 120);
  if (displayName === '') throw new UsageError('--name needs a name for people.');
  let added: AgentWorkspace | undefined;
  await changeConfiguration(stateDir, (present) => {
    const known = present.workspaces.find((each) => each.rootPath === rootPath);
    const workspaceId = known?.workspaceId ?? newWorkspaceId();
    const { languages, ignore: ignoredBefore } = known ?? {};
    const patterns = ignore.length > 0 ? [...ignore] : ignoredBefore;
    added = {
      workspaceId,
      displayName,
      rootPath,
      accessMode: 'read_only',
      ...(languages && { languages }),
      ...(patterns && { ignore: patterns }),
    };
    const others = present.workspaces.filter((each) => each !== known);
    if (others.length >= MAX_WORKSPACES_PER_AGENT) {
      throw new UsageError(`An agent has at most ${MAX_WORKSPACES_PER_AGENT} workspaces; remove one first.`);
    }
    return { ...present, workspaces: [...others, added] };
  });
  output.write(
    `${added?.workspaceId}  ${forTerminal(displayName)}  ${forTerminal(rootPath)} (read-only; ignored files are not shown)\n`,
  );
  return EXIT.ok;
}

async function list(stateDir: string, output: Output): Promise<ExitCode> {
  const { workspaces, agent } = await readConfiguration(stateDir);
  if (agent === undefined) output.write('This machine is not paired: local-coder pair CODE --relay URL.\n');
  if (workspaces.length === 0) output.write('No workspace. local-coder workspace add adds one.\n');
  for (const { workspaceId, displayName, rootPath, ignore } of workspaces) {
    const ignored = ignore === undefined ? '' : `  (ignores ${ignore.map(forTerminal).join(' ')})`;
    output.write(`${workspaceId}  ${forTerminal(displayName)}  ${forTerminal(rootPath)}${ignored}\n`);
  }
  return EXIT.ok;
}

async function remove(stateDir: string, id: string, output: Output): Promise<ExitCode> {
  let removed: AgentWorkspace | undefined;
  await changeConfiguration(stateDir, (present) => {
    removed = present.workspaces.find(({ workspaceId }) => workspaceId === id);
    return { ...present, workspaces: present.workspaces.filter((each) => each !== removed) };
  });
  if (removed === undefined) {
    throw new UsageError(`There is no workspace "${id}"; see local-coder workspace list.`, EXIT.failed);
  }
  output.write(`${forTerminal(removed.displayName)} is no workspace any more; its folder is as it was.\n`);
  return EXIT.ok;
}

/** @throws {UsageError} for what is no folder, or too much to be one */
async function realFolder(path: string, stateDir: string): Promise<string> {
  const absolute = resolve(path);
  try {
    const real = await realpath(absolute);
    if (!(await stat(real)).isDirectory()) {
      throw new UsageError(`${absolute} is a file; name a folder.`, EXIT.nothingToServe);
    }
    await (await opendir(real)).close();
    if (dirname(real) === real) {
      throw new UsageError(`${real} is a whole file system; name the folder of a project.`);
    }
    if (isSameOrInside(real, stateDir)) {
      throw new UsageError(`${real} holds the state of local-coder itself, which nobody is shown.`);
    }
    return real;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const why = systemCode(error) === 'ENOENT' ? 'does not exist' : `cannot be read (${systemCode(error)})`;
    throw new UsageError(`${absolute} ${why}. Give --path a folder that you can read.`, EXIT.nothingToServe);
  }
}
