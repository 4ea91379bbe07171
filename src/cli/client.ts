import type { SettingName } from '../config/definitions.ts';
import { loadSettings } from '../config/load.ts';
import { EXIT, type ExitCode, UsageError } from '../config/usage-error.ts';
import { closestName } from '../runtime/closest.ts';
import { addEntry, type ChangeOptions, removeEntry } from './client/change.ts';
import { CLIENT_NAMES, type ClientName, clientOf, isClientName, type Scope } from './client/clients.ts';
import { addressWarnings, httpEntry, stdioEntry } from './client/entry.ts';
import { listClients } from './client/list.ts';
import { type Machine, thisMachine } from './client/locations.ts';
import { COMMANDS } from './commands.ts';
import { TERMINAL, type Terminal } from './confirm.ts';
import { ownCommand } from './own-command.ts';
import { serverOptions, settingsOfEnvironment } from './server-options.ts';

const USAGE = `Usage: local-coder client add ${CLIENT_NAMES.join('|')} [--workspace DIR …] [--access MODE] [--http URL] [--name NAME] [--scope user|project] [--yes] | remove CLIENT | list. local-coder client --help says more.`;

/** Becomes part of the tools' names in some clients, so it is kept to what all of them take. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

export interface ClientFlags {
  readonly http?: string | undefined;
  readonly name?: string | undefined;
  readonly scope?: string | undefined;
  readonly yes: boolean;
}

/**
 * `local-coder client …`: the entry that lets a client on this machine start or reach local-coder.
 * @param words what follows `client` on the command line
 */
export async function client(
  words: readonly string[],
  flags: ReadonlyMap<SettingName, unknown>,
  own: ClientFlags,
  { machine = thisMachine(), terminal = TERMINAL }: { machine?: Machine; terminal?: Terminal } = {},
): Promise<ExitCode> {
  const [action, which, ...rest] = words;
  if (action === 'list' && which === undefined) {
    refuseOptions(flags, [], own, []);
    for (const line of await listClients(machine)) terminal.output.write(`${line}\n`);
    return EXIT.ok;
  }
  if ((action !== 'add' && action !== 'remove') || which === undefined || rest.length > 0) {
    throw new UsageError(USAGE);
  }
  const options: ChangeOptions = { ...target(which, own), yes: own.yes, machine, terminal };
  if (action === 'remove') {
    refuseOptions(flags, [], own, ['name', 'scope', 'http']);
    const address = own.http === undefined ? undefined : httpEntry(clientOf(options.client), own.http).url;
    return removeEntry({ ...options, address });
  }
  return add(options, flags, own);
}

async function add(
  options: ChangeOptions,
  flags: ReadonlyMap<SettingName, unknown>,
  own: ClientFlags,
): Promise<ExitCode> {
  const entryOf = clientOf(options.client);
  if (own.http !== undefined) {
    refuseOptions(flags, [], own, ['http', 'name', 'scope'], ' with --http: the server is started elsewhere');
    const entry = httpEntry(entryOf, own.http);
    return addEntry({ ...options, entry, warnings: addressWarnings(entry) });
  }
  refuseOptions(flags, COMMANDS.client.settings, own, ['name', 'scope']);
  const settings = await loadSettings(flags, process.env, process.cwd());
  const command = await ownCommand(settings.portable === true);
  const left = settingsOfEnvironment(flags);
  return addEntry({
    ...options,
    entry: stdioEntry(entryOf, command, serverOptions(flags, settings)),
    warnings: [
      ...command.warnings,
      ...(left.length > 0
        ? [`${left.join(', ')} of this terminal will not be there; give what you need as options.`]
        : []),
    ],
  });
}

/** @throws {UsageError} for a client, a scope or a name that is none */
function target(
  which: string,
  { name = 'local-coder', scope = 'user' }: ClientFlags,
): { client: ClientName; scope: Scope; name: string } {
  if (!isClientName(which)) {
    const closest = closestName(which, CLIENT_NAMES);
    throw new UsageError(
      `"${which}" is not a client that is known here: ${CLIENT_NAMES.join(', ')}.${closest ? ` Did you mean ${closest}?` : ''} Others take the address or the command by hand, see README.md.`,
    );
  }
  const { label, scopes } = clientOf(which);
  const found = scopes.find((known) => known === scope);
  if (found === undefined) {
    throw new UsageError(`--scope is "${scope}", but for ${label} it must be ${scopes.join(' or ')}.`);
  }
  if (!NAME.test(name)) {
    throw new UsageError(`--name is "${name}", but it must be up to 64 letters, digits, "-" and "_".`);
  }
  return { client: which, scope: found, name };
}

/** Options that would be ignored are refused. */
function refuseOptions(
  flags: ReadonlyMap<SettingName, unknown>,
  taken: readonly SettingName[],
  own: ClientFlags,
  ownTaken: readonly (keyof ClientFlags)[],
  why = '',
): void {
  const odd =
    [...flags.keys()].find((name) => !taken.includes(name)) ??
    (['http', 'name', 'scope'] as const).find((name) => own[name] !== undefined && !ownTaken.includes(name));
  if (odd !== undefined) throw new UsageError(`--${odd} has no meaning here${why}. ${USAGE}`);
}
