import { resolve } from 'node:path';
import { definitionOf, environmentName, SETTINGS, type SettingName } from '../config/definitions.ts';
import type { Settings } from '../config/load.ts';
import { defaultStateDir } from '../config/state-dir.ts';
import { homeFolder } from '../runtime/platform.ts';

/**
 * The options with which somebody else starts the server later, from another folder and another environment: the flags
 * that were given, every path absolute, the folders always named. An access mode that the environment or a project file
 * made tighter than the default is written out, and so is a state folder that they moved: neither will be there then.
 * @param flags of this command line
 * @param settings what they come to (loadSettings)
 */
export function serverOptions(
  flags: ReadonlyMap<SettingName, unknown>,
  settings: Settings,
  cwd: string = process.cwd(),
): string[] {
  const options = settings.workspace.flatMap((root) => ['--workspace', root]);
  const isMoved = settings['state-dir'] !== defaultStateDir({ ...process.env, XDG_STATE_HOME: undefined });
  if (isMoved && !flags.has('state-dir') && settings.portable !== true) {
    options.push('--state-dir', settings['state-dir']);
  }
  for (const [name, raw] of flags) {
    if (name === 'workspace') continue;
    const { kind, placeholder } = definitionOf(name);
    const isPath = placeholder === 'DIR' || placeholder === 'FILE';
    if (kind === 'flag') options.push(raw === true ? `--${name}` : `--${name}=${String(raw)}`);
    else {
      for (const value of Array.isArray(raw) ? raw : [raw]) {
        options.push(`--${name}`, isPath ? absolute(String(value), cwd) : String(value));
      }
    }
  }
  if (!flags.has('access') && !flags.has('tools') && settings.access !== 'full') {
    options.push('--access', settings.access);
  }
  return options;
}

const WRITTEN_OUT: readonly SettingName[] = ['workspace', 'access', 'state-dir'];

/** Variables of this terminal that are settings and that whoever starts the server later will not have. */
export function settingsOfEnvironment(
  flags: ReadonlyMap<SettingName, unknown>,
  env: NodeJS.ProcessEnv = process.env,
): string[] {
  return (Object.keys(SETTINGS) as SettingName[])
    .filter((name) => !WRITTEN_OUT.includes(name) && !flags.has(name))
    .map((name) => environmentName(name))
    .filter((variable) => env[variable]);
}

function absolute(path: string, cwd: string): string {
  return resolve(cwd, path === '~' || path.startsWith('~/') ? homeFolder() + path.slice(1) : path);
}
