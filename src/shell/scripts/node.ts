import { parseJsonWithComments } from '../../config/json-with-comments.ts';
import { quoteWord } from '../dialects/words.ts';
import type { ProjectFolder, Script, ScriptReader } from './script.ts';

const LOCK_FILES = [
  ['pnpm-lock.yaml', 'pnpm'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
  ['yarn.lock', 'yarn'],
  ['package-lock.json', 'npm'],
] as const;

/** package.json, run by the package manager that the project uses. */
export const nodeScripts: ScriptReader = async (folder) => {
  const manifest = parse(await folder.read('package.json'), 'package.json');
  const scripts = strings(manifest?.['scripts']);
  if (!manifest || scripts.length === 0) return [];
  const runner = await packageManager(folder, manifest);
  return scripts.map(([name, detail]) => ({
    name,
    runner,
    command: `${runner} run ${quoteWord(name)}`,
    // pnpm, yarn and bun hand on what follows; npm would take options for its own.
    argumentsAfter: runner === 'npm' ? '--' : '',
    source: 'package.json',
    detail,
  }));
};

async function packageManager(folder: ProjectFolder, manifest: Record<string, unknown>): Promise<string> {
  const declared = manifest['packageManager'];
  const name = typeof declared === 'string' ? /^(npm|pnpm|yarn|bun)@/.exec(declared)?.[1] : undefined;
  if (name !== undefined) return name;
  for (const [file, manager] of LOCK_FILES) if (folder.names.has(file)) return manager;
  // A package of a workspace: the lock file lies above.
  for (const [file, manager] of LOCK_FILES) if (await folder.hasAbove(file)) return manager;
  return 'npm';
}

/** deno.json and deno.jsonc. */
export const denoScripts: ScriptReader = async (folder) => {
  for (const source of ['deno.json', 'deno.jsonc']) {
    const tasks = parse(await folder.read(source), source)?.['tasks'];
    if (typeof tasks !== 'object' || tasks === null) continue;
    return Object.entries(tasks).map(([name, task]): Script => {
      const detail = typeof task === 'string' ? task : strings(task).find(([key]) => key === 'command')?.[1];
      return {
        name,
        runner: 'deno',
        command: `deno task ${quoteWord(name)}`,
        argumentsAfter: '',
        source,
        ...(detail === undefined ? {} : { detail }),
      };
    });
  }
  return [];
};

/** composer.json. */
export const composerScripts: ScriptReader = async (folder) => {
  const scripts = parse(await folder.read('composer.json'), 'composer.json')?.['scripts'];
  if (typeof scripts !== 'object' || scripts === null) return [];
  return Object.entries(scripts)
    .filter(
      ([name]) =>
        !/^(pre|post)-(install|update|autoload|root|package|status|archive|create|command)/.test(name),
    )
    .map(([name, body]) => ({
      name,
      runner: 'composer',
      command: `composer run-script ${quoteWord(name)}`,
      argumentsAfter: '--',
      source: 'composer.json',
      detail: Array.isArray(body) ? body.join(' && ') : String(body),
    }));
};

function parse(text: string | undefined, file: string): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  try {
    return parseJsonWithComments(text, file);
  } catch {
    return undefined;
  }
}

function strings(value: unknown): [string, string][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
}
