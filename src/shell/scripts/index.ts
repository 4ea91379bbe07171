import { constants } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { closestName } from '../../runtime/closest.ts';
import { CodedError, systemCode } from '../../runtime/errors.ts';
import { openInside } from '../../workspace/index.ts';
import { cargoScripts, dotnetScripts, goScripts, gradleScripts, mavenScripts } from './compiled.ts';
import { justScripts, makeScripts, rakeScripts } from './make.ts';
import { composerScripts, denoScripts, nodeScripts } from './node.ts';
import { pythonScripts } from './python.ts';
import type { ProjectFolder, Script, ScriptReader } from './script.ts';

export type { Script } from './script.ts';

/** What a project says most directly comes first, and keeps the plain name where two define the same. */
const READERS: readonly ScriptReader[] = [
  nodeScripts,
  denoScripts,
  justScripts,
  makeScripts,
  composerScripts,
  pythonScripts,
  rakeScripts,
  cargoScripts,
  goScripts,
  gradleScripts,
  mavenScripts,
  dotnetScripts,
];

const MAX_MANIFEST_BYTES = 1024 * 1024;
const MAX_SCRIPTS = 500;

/**
 * What the manifests in a folder define, by name.
 * @param folder absolute
 * @throws {CodedError} FILE_NOT_FOUND, NOT_A_DIRECTORY, PERMISSION_DENIED
 */
export async function listScripts(folder: string): Promise<Script[]> {
  const project = await openFolder(folder);
  const found = (await Promise.all(READERS.map((read) => read(project)))).flat();
  const names = new Set<string>();
  const scripts: Script[] = [];
  for (const script of found) {
    const name = names.has(script.name) ? `${script.runner}:${script.name}` : script.name;
    if (names.has(name)) continue;
    names.add(name);
    scripts.push({ ...script, name });
  }
  return scripts.slice(0, MAX_SCRIPTS);
}

/**
 * The script of that name.
 * @throws {CodedError} COMMAND_NOT_FOUND with the closest names
 */
export function findScript(scripts: readonly Script[], name: string, folder: string): Script {
  const found =
    scripts.find((script) => script.name === name) ??
    scripts.find((script) => `${script.runner}:${script.name}` === name || script.command === name);
  if (found) return found;
  const names = scripts.map((script) => script.name);
  const close = closestName(name, names);
  const known =
    names.length > 12 ? `${names.slice(0, 12).join(', ')} and ${names.length - 12} more` : names.join(', ');
  throw new CodedError(
    'COMMAND_NOT_FOUND',
    `${folder} defines no script "${name}".${close === undefined ? '' : ` Did you mean "${close}"?`}`,
    names.length === 0
      ? 'No manifest with scripts was found there: give path, the folder of the package, or use run_command.'
      : `There are: ${known}. list_scripts shows their commands; anything else goes through run_command.`,
    close === undefined ? undefined : { closest: close },
  );
}

/** The command line of a script with further arguments, each quoted for the shell. */
export function scriptCommand(
  script: Script,
  args: readonly string[],
  quote: (word: string) => string,
): string {
  if (args.length === 0) return script.command;
  return [script.command, ...(script.argumentsAfter ? [script.argumentsAfter] : []), ...args.map(quote)].join(
    ' ',
  );
}

async function openFolder(folder: string): Promise<ProjectFolder> {
  let names: Set<string>;
  try {
    names = new Set(await readdir(folder));
  } catch (error) {
    throw folderError(error, folder);
  }
  return {
    names,
    read: (name) => readManifest(join(folder, name)),
    hasAbove: async (name) => {
      let current = folder;
      // Up to the top of the repository: what lies above it is another project.
      for (let depth = 0; depth < 8; depth++) {
        const parent = dirname(current);
        if ((await exists(join(current, '.git'))) || parent === current) return false;
        if (await exists(join(parent, name))) return true;
        current = parent;
      }
      return false;
    },
  };
}

async function readManifest(path: string): Promise<string | undefined> {
  try {
    const file = await openInside(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const { size } = await file.stat();
      return size > MAX_MANIFEST_BYTES ? undefined : await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function folderError(error: unknown, folder: string): CodedError {
  const code = systemCode(error);
  if (code === 'ENOTDIR')
    return new CodedError(
      'NOT_A_DIRECTORY',
      `"${folder}" is not a folder.`,
      'Give the folder of the project.',
    );
  if (code === 'EACCES')
    return new CodedError('PERMISSION_DENIED', `"${folder}" may not be read.`, 'Give another folder.');
  return new CodedError(
    'FILE_NOT_FOUND',
    `There is no folder "${folder}".`,
    'Give the folder of the project; list_directory shows what there is.',
  );
}
