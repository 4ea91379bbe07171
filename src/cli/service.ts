import type { SettingName } from '../config/definitions.ts';
import { loadSettings } from '../config/load.ts';
import { type ExitCode, UsageError } from '../config/usage-error.ts';
import { TERMINAL, type Terminal } from './confirm.ts';
import { ownCommand } from './own-command.ts';
import { serverOptions } from './server-options.ts';
import { DEFAULT_NAME } from './service/definition.ts';
import { type System, thisSystem } from './service/system.ts';
import { onTermination } from './termination.ts';

const USAGE =
  'Usage: local-coder service install [--name NAME] [--yes] [-- OPTIONS of serve] | status [--name NAME] | remove [--name NAME] [--yes]. local-coder service --help says more.';

/** Part of file names and labels. */
const NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/;

export interface ServiceFlags {
  readonly name?: string | undefined;
  readonly yes: boolean;
}

/**
 * `local-coder service …`: a server that the system starts at login.
 * @param words what follows `service` on the command line
 * @param flags settings, those behind `--` among them
 */
export async function service(
  words: readonly string[],
  flags: ReadonlyMap<SettingName, unknown>,
  { name, yes }: ServiceFlags,
  { system = thisSystem(), terminal = TERMINAL }: { system?: System; terminal?: Terminal } = {},
): Promise<ExitCode> {
  const [action, ...rest] = words;
  if (rest.length > 0 || !['install', 'status', 'remove', 'run'].includes(action ?? '')) {
    throw new UsageError(USAGE);
  }
  if (name !== undefined && !NAME.test(name)) {
    throw new UsageError(`--name is "${name}", but it must be up to 32 small letters, digits, "-" and "_".`);
  }
  const options = { name: name ?? DEFAULT_NAME, yes, system, terminal };
  if (action === 'install') return (await import('./service/install.ts')).install(options, flags);
  if (action === 'run') return run(options.name, flags);
  const odd = [...flags.keys()].find((flag) => flag !== 'state-dir');
  if (odd !== undefined) throw new UsageError(`--${odd} has no meaning for service ${action}. ${USAGE}`);
  const { 'state-dir': stateDir } = await loadSettings(flags, process.env, process.cwd());
  if (action === 'remove') return (await import('./service/remove.ts')).remove(options, stateDir);
  return (await import('./service/status.ts')).status(name, stateDir, system, terminal.output);
}

/** What launchd and the Task Scheduler start: the server, watched over and its output kept within bounds. */
async function run(name: string, flags: ReadonlyMap<SettingName, unknown>): Promise<ExitCode> {
  const settings = await loadSettings(flags, process.env, process.cwd());
  const own = await ownCommand(settings.portable === true);
  const stop = new AbortController();
  void onTermination().then(() => stop.abort());
  const { watchServer } = await import('./service/watch.ts');
  return watchServer({
    name,
    stateDir: settings['state-dir'],
    command: own.command,
    args: [...own.args, 'serve', ...serverOptions(flags, settings)],
    signal: stop.signal,
  });
}
