import type { SettingName } from '../../config/definitions.ts';
import { loadSettings, type Settings } from '../../config/load.ts';
import { openStateDir } from '../../config/state-dir.ts';
import { EXIT, type ExitCode, UsageError } from '../../config/usage-error.ts';
import { unifiedDiffOf } from '../client/show-change.ts';
import { confirm, type Terminal } from '../confirm.ts';
import { isLoopback } from '../host-address.ts';
import { openInstances } from '../instances.ts';
import { ownCommand } from '../own-command.ts';
import { wantsPublicSide } from '../provider-settings.ts';
import { serverOptions, settingsOfEnvironment } from '../server-options.ts';
import { answers, instanceOf, originOf, waitForAnswer } from './answer.ts';
import { assertPrintable, readMarker, type ServiceDefinition } from './definition.ts';
import type { ServiceManager } from './manager.ts';
import { managerFor } from './managers.ts';
import type { System } from './system.ts';

const START_MS = 25_000;
const LOG_LINES = 12;

export interface ServiceOptions {
  readonly name: string;
  readonly yes: boolean;
  readonly system: System;
  readonly terminal: Terminal;
}

/** Writes the definition, starts it, and waits until the server answers. */
export async function install(
  options: ServiceOptions,
  flags: ReadonlyMap<SettingName, unknown>,
): Promise<ExitCode> {
  const { name, yes, system, terminal } = options;
  const { output } = terminal;
  const settings = await loadSettings(flags, process.env, process.cwd());
  refuseWhatNeedsATerminal(settings, flags);
  const { stateDir } = await openStateDir(settings['state-dir']);
  const own = await ownCommand(settings.portable === true);
  const definition: ServiceDefinition = {
    name,
    command: own.command,
    args: own.args,
    options: serverOptions(flags, settings),
    folder: settings.workspace[0],
    path: system.env['PATH'] ?? '',
    stateDir,
  };
  assertPrintable(definition);
  const manager = managerFor(name, stateDir, system);
  await manager.check();

  const installed = await manager.current();
  if (installed !== undefined && readMarker(installed) === undefined) {
    throw new UsageError(
      `${manager.place} is there already and was not written by local-coder. Choose another --name.`,
      EXIT.failed,
    );
  }
  const text = manager.text(definition);
  const isSame = installed !== undefined && manager.isSame(installed, text);
  const { pid, isEnabled } = await manager.state();
  if (isSame && isEnabled) {
    const present = await instanceOf(pid, stateDir);
    if (present !== undefined && (await answers(present))) {
      output.write(`${manager.id} is installed already and answers at ${originOf(present)}/mcp.\n`);
      return EXIT.ok;
    }
  }
  await refuseTakenPort(settings, stateDir, pid);
  for (const warning of [...own.warnings, ...warningsOf(settings, flags)]) {
    output.write(`warning: ${warning}\n`);
  }
  if (!isSame) output.write(`\n${await unifiedDiffOf(manager.place, installed ?? '', text, output)}\n`);
  if (!(await confirm(isSame ? 'Start it anew?' : 'Install this and start it?', { yes, terminal }))) {
    output.write('\nNothing was changed.\n');
    return EXIT.failed;
  }
  await manager.install(text);
  return report(manager, settings, stateDir, output);
}

async function report(
  manager: ServiceManager,
  settings: Settings,
  stateDir: string,
  output: Terminal['output'],
): Promise<ExitCode> {
  const instance = await waitForAnswer(manager, stateDir, START_MS);
  if (instance === undefined) {
    const { detail } = await manager.state();
    for (const line of await manager.log(LOG_LINES)) output.write(`  ${line}\n`);
    throw new UsageError(
      `${manager.id} is installed but does not answer: ${detail}. Its last words are above (${manager.logPlace}). Mend that and run this again, or take it out with local-coder service remove.`,
      EXIT.failed,
    );
  }
  output.write(
    `Installed: ${manager.place}\nAddress:   ${originOf(instance)}/mcp\nLog:       ${manager.logPlace}\n`,
  );
  for (const note of [...(await manager.notes()), ...signInNotes(settings)]) output.write(`- ${note}\n`);
  return EXIT.ok;
}

/** What serve would ask on its terminal, or never should do here. */
function refuseWhatNeedsATerminal(settings: Settings, flags: ReadonlyMap<SettingName, unknown>): void {
  if (settings.stdio === true) {
    throw new UsageError('--stdio serves the client that started it; a service has none. Leave it out.');
  }
  // Without a terminal the local page asks, and only loopback has one.
  if (settings.approve !== 'never' && !isLoopback(settings.host)) {
    throw new UsageError(
      `--approve ${settings.approve} asks on the server's terminal, which a service has not, or on the local page, which --host ${settings.host} has not; every such call would be denied. Say --approve never (with --access workspace or read-only where you want less), or start it in a terminal.`,
    );
  }
  if (flags.has('replace')) {
    throw new UsageError(
      '--replace would end a server at every login. Stop it once: local-coder stop --port N.',
    );
  }
}

/** A server that runs already would keep the service from starting; its own older one is ended by the restart. */
async function refuseTakenPort(settings: Settings, stateDir: string, pid: number | undefined): Promise<void> {
  if (settings.port === 0) return;
  const instances = await openInstances(stateDir);
  try {
    const other = (await instances.running()).find((each) => each.port === settings.port && each.pid !== pid);
    if (other === undefined) return;
    throw new UsageError(
      `Port ${settings.port} is taken by the local-coder that serves ${other.roots[0]} (pid ${other.pid}). Choose another with -- --port N, or end it first: local-coder stop --port ${settings.port}.`,
      EXIT.portTaken,
    );
  } finally {
    instances.close();
  }
}

function warningsOf(settings: Settings, flags: ReadonlyMap<SettingName, unknown>): string[] {
  const left = settingsOfEnvironment(flags);
  return [
    ...settings.warnings,
    ...(settings.approve === 'never'
      ? []
      : [
          `--approve ${settings.approve} asks on the local page alone, for a service has no terminal: calls wait there ten minutes for your answer and are denied then. local-coder page, in a terminal of your own, opens it.`,
        ]),
    ...(settings.port === 0
      ? ['--port 0 means another address at every start; clients want one that stays: --port N.']
      : []),
    ...(left.length > 0
      ? [`${left.join(', ')} of this terminal will not be there; give what you need as options.`]
      : []),
  ];
}

/** Who signs in needs a word from somebody at this machine, and a service has no terminal to say it on. */
function signInNotes(settings: Settings): string[] {
  const isPublic = wantsPublicSide(settings);
  if (settings.auth === 'url') return ['local-coder token show prints the secret part of the address'];
  if (!isPublic && settings.auth !== 'oauth') return [];
  return [
    'whoever connects sees a reference on the page; local-coder token approve REFERENCE lets them in (the log names it too)',
    ...(isPublic ? ['the address from the web is in the log, on the connector card'] : []),
  ];
}
