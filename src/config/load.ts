import { opendir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { systemCode } from '../runtime/errors.ts';
import { homeFolder } from '../runtime/platform.ts';
import { runPortable } from '../runtime/portable.ts';
import {
  definitionOf,
  environmentName,
  isSettingName,
  SETTINGS,
  type SettingName,
  type SettingValues,
} from './definitions.ts';
import { parseJsonWithComments } from './json-with-comments.ts';
import { choosePlace, type Place, type PlaceWish, portablePlace } from './portable.ts';
import { isFalse, readProjectValues, tightness } from './project-file.ts';
import { defaultStateDir } from './state-dir.ts';
import { EXIT, UsageError } from './usage-error.ts';

/** A value before it is checked, with the words that say where it came from. */
interface Given {
  readonly raw: unknown;
  readonly source: string;
  /** Where relative paths begin, when that is not the current folder. */
  readonly base?: string;
}

export interface Settings extends SettingValues {
  /** Real, absolute folders; the first is the default folder. */
  readonly workspace: [string, ...string[]];
  readonly port: number;
  readonly host: string;
  readonly access: 'full' | 'workspace' | 'read-only';
  readonly tools: 'full' | 'slim' | 'viewer';
  readonly results: 'auto' | 'both' | 'structured' | 'text';
  readonly yield: number;
  readonly approve: 'never' | 'destructive' | 'all';
  /** MiB. */
  readonly 'history-size': number;
  readonly 'state-dir': string;
  /** The state folder is the data folder beside the program. */
  readonly portable: boolean;
  readonly 'log-level': 'error' | 'warn' | 'info' | 'debug';
  /** OPENAI_TUNNEL_ID and OPENAI_TUNNEL_API_KEY as the folder's .env has them; the user's own go before them. */
  readonly projectCredentials: Readonly<Record<string, string>>;
  /** Sentences for the user: what was ignored and why. */
  readonly warnings: readonly string[];
}

const DEFAULTS = {
  port: 3000,
  host: '127.0.0.1',
  access: 'full',
  tools: 'full',
  results: 'auto',
  yield: 10_000,
  approve: 'never',
  'history-size': 2048,
  'log-level': 'info',
} as const;

/** Variables of the older program with the same job, and the setting that each stands for. */
const ALIASES: readonly [variable: string, setting: SettingName, convert: (raw: string) => unknown][] = [
  ['WORKSPACE_PATH', 'workspace', (raw) => [raw]],
  ['PORT', 'port', (raw) => raw],
  ['FULL_DISK_ACCESS', 'access', (raw) => (isFalse(raw) ? 'workspace' : 'full')],
  ['SHELL_TIMEOUT', 'shell-timeout', (raw) => raw],
  ['AUDIT_LOG_PATH', 'audit-log', (raw) => raw],
  ['CHATGPT_AUTO_APPROVE', 'annotations', (raw) => (isFalse(raw) ? 'honest' : 'quiet')],
];

/**
 * Puts flags, environment, project files, the configuration file and defaults together.
 * Precedence: flag > environment > project file > configuration file > default.
 * @param flags values of the command line, already known to be settings
 * @throws {UsageError} one sentence that names the source of a bad value and what is allowed
 */
export async function loadSettings(
  flags: ReadonlyMap<SettingName, unknown>,
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<Settings> {
  const given = new Map<SettingName, Given>();
  const project = await readProjectValues(cwd);
  const { place, config } = await placeAndConfig(flags, env, cwd);
  for (const [name, value] of config) given.set(name, value);
  const outer = new Map<SettingName, Given>([...environmentValues(env)]);
  for (const [name, raw] of flags) outer.set(name, { raw, source: `--${name}` });
  for (const [name, value] of project.values) {
    // A project can only tighten: a tighter value wins over everything, a looser one over nothing but defaults.
    const stated = outer.get(name) ?? given.get(name);
    const scale = tightness(name, value.raw);
    if (scale < 0 || scale >= tightness(name, stated?.raw ?? '')) given.set(name, value);
    if (scale > tightness(name, outer.get(name)?.raw ?? '')) outer.delete(name);
  }
  for (const [name, value] of outer) given.set(name, value);

  if (place.portable) runPortable(place.stateDir);
  const values: Record<string, unknown> = {};
  for (const [name, value] of given) values[name] = checked(name, value);
  return {
    ...DEFAULTS,
    ...(values as SettingValues), // every value went through its schema in the line above
    'state-dir': place.stateDir,
    portable: place.portable,
    // The viewer's tools only look; what else the mode is asked about (card, instructions, shell) says the same.
    ...(values['tools'] === 'viewer' ? { access: 'read-only' as const } : {}),
    ...auditLogOf(given.get('audit-log'), cwd),
    workspace: await realRoots(
      (values['workspace'] as string[] | undefined) ?? [cwd],
      cwd,
      given.get('workspace'),
    ),
    projectCredentials: project.credentials,
    warnings: [...place.warnings, ...project.warnings],
  };
}

/** Where state lives, and the configuration file there. That of the user may say that it is the portable folder. */
async function placeAndConfig(
  flags: ReadonlyMap<SettingName, unknown>,
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<{ place: Place; config: Map<SettingName, Given> }> {
  const wish = (source: string, stateDir: unknown, portable: Given): PlaceWish => ({
    source,
    stateDir:
      typeof stateDir === 'string' && stateDir !== '' ? resolve(cwd, expandHome(stateDir)) : undefined,
    portable: portable.raw ? checked('portable', portable) === true : undefined,
  });
  const variable = environmentName('portable');
  const place = await choosePlace(
    [
      wish('on the command line', flags.get('state-dir'), {
        raw: flags.get('portable'),
        source: '--portable',
      }),
      wish('in the environment', env[environmentName('state-dir')], {
        raw: env[variable],
        source: `${variable} in the environment`,
      }),
    ],
    defaultStateDir(env),
  );
  const config = await readConfigFile(place);
  const said = config.get('portable');
  if (said === undefined || place.isStated) return { place, config };
  const wanted = checked('portable', said) === true;
  if (wanted === place.portable) return { place, config };
  if (!wanted) {
    throw new UsageError(
      `${said.source} is false, but it is a portable folder. Use --portable=false or --state-dir.`,
    );
  }
  const portable = await portablePlace();
  return { place: portable, config: await readConfigFile(portable) };
}

/** The audit log may be moved by its user alone: flag, environment, or the configuration file in the state folder. */
function auditLogOf(given: Given | undefined, cwd: string): { 'audit-log'?: string } {
  return given === undefined
    ? {}
    : { 'audit-log': resolve(given.base ?? cwd, expandHome(String(given.raw))) };
}

function environmentValues(env: NodeJS.ProcessEnv): Map<SettingName, Given> {
  const values = new Map<SettingName, Given>();
  for (const [variable, setting, convert] of ALIASES) {
    const raw = env[variable];
    if (raw) values.set(setting, { raw: convert(raw), source: `${variable} in the environment` });
  }
  for (const [variable, raw] of Object.entries(env)) {
    if (!variable.startsWith('LOCAL_CODER_') || !raw) continue;
    const name = variable.slice('LOCAL_CODER_'.length).toLowerCase().replaceAll('_', '-');
    if (!isSettingName(name)) continue; // markers of our own processes and of tests
    const list = definitionOf(name).kind === 'list';
    values.set(name, { raw: list ? [raw] : raw, source: `${variable} in the environment` });
  }
  return values;
}

async function readConfigFile({ stateDir, portable }: Place): Promise<Map<SettingName, Given>> {
  const file = join(stateDir, 'config.json');
  // On a stick the folders that are meant move with the program.
  const base = portable ? { base: dirname(stateDir) } : {};
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return new Map();
    throw new UsageError(`${file} cannot be read (${systemCode(error) ?? String(error)}).`);
  }
  const values = new Map<SettingName, Given>();
  for (const [key, raw] of Object.entries(parseJsonWithComments(text, file))) {
    const source = `"${key}" in ${file}`;
    if (!isSettingName(key))
      throw new UsageError(`${source} is not a setting. See local-coder --help for the settings.`);
    const list = definitionOf(key).kind === 'list' && !Array.isArray(raw);
    values.set(key, { raw: list ? [raw] : raw, source, ...base });
  }
  return values;
}

function checked(name: SettingName, { raw, source }: Given): unknown {
  const definition = SETTINGS[name];
  const result = definition.schema.safeParse(raw);
  if (!result.success) {
    throw new UsageError(`${source} is "${String(raw)}", but it must be ${definition.allowed}.`);
  }
  const missing = definitionOf(name).notAvailable?.(result.data);
  if (missing !== undefined) throw notAvailable(`${source}: ${missing}`);
  return result.data;
}

function notAvailable(what: string): UsageError {
  return new UsageError(
    `${what} is not available in this version. Leave it out, or see CHANGELOG.md for what is there.`,
  );
}

async function realRoots(
  paths: readonly string[],
  cwd: string,
  given: Given | undefined,
): Promise<[string, ...string[]]> {
  const source = given?.source ?? 'the current folder';
  const roots: string[] = [];
  for (const path of paths) {
    const absolute = resolve(given?.base ?? cwd, expandHome(path));
    try {
      const real = await realpath(absolute);
      if (!(await stat(real)).isDirectory()) {
        throw new UsageError(
          `${absolute} (${source}) is a file; name a folder to serve.`,
          EXIT.nothingToServe,
        );
      }
      // Listing needs the read and the search permission: a folder that cannot be listed cannot be served.

      await (await opendir(real)).close();
      if (!roots.includes(real)) roots.push(real);
    } catch (error) {
      if (error instanceof UsageError) throw error;
      const code = systemCode(error);
      const why =
        code === 'ENOENT'
          ? 'does not exist'
          : code === 'EACCES' || code === 'EPERM'
            ? 'cannot be read'
            : `fails with ${code ?? String(error)}`;
      throw new UsageError(
        `The folder ${absolute} (${source}) ${why}. Give --workspace an existing folder that you can read.`,
        EXIT.nothingToServe,
      );
    }
  }
  return roots as [string, ...string[]]; // `paths` has at least one entry
}

function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homeFolder(), path.slice(1)) : path;
}
