import { parseArgs } from 'node:util';
import { definitionOf, isSettingName, SETTINGS, type SettingName } from '../config/definitions.ts';
import { UsageError } from '../config/usage-error.ts';
import { closestName } from '../runtime/closest.ts';
import { COMMANDS, type CommandName, commandDefinition, isCommandName } from './commands.ts';

export interface CommandLine {
  readonly command: CommandName | 'help' | 'version';
  readonly flags: ReadonlyMap<SettingName, unknown>;
  /** What follows the command's name. */
  readonly words: readonly string[];
  /** The command's own flags that were given. */
  readonly switches: ReadonlySet<string>;
  /** The command's own flags with values, as often as they were given. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** The command whose --help was asked for. */
  readonly topic?: CommandName;
}

/**
 * Reads the command line.
 * @param args without the program's own name
 * @throws {UsageError} for anything that is not known, with the closest known name
 */
export function readArguments(args: readonly string[]): CommandLine {
  const end = args.indexOf('--');
  const own = readLine(end === -1 ? args : args.slice(0, end));
  if (end === -1) return own;
  if (!isCommandName(own.command) || !commandDefinition(own.command).serverOptions) return readLine(args);
  // Those of the server behind `--` count as the command's own.
  const server = readLine(['serve', ...args.slice(end + 1)]);
  return { ...own, flags: new Map([...own.flags, ...server.flags]) };
}

function readLine(args: readonly string[]): CommandLine {
  const options = Object.fromEntries(
    (Object.keys(SETTINGS) as SettingName[]).map((name) => [
      name,
      {
        type: definitionOf(name).kind === 'flag' ? ('boolean' as const) : ('string' as const),
        multiple: true,
      },
    ]),
  );
  const own = Object.fromEntries(
    Object.keys(COMMANDS)
      .flatMap(valuesOf)
      .map((name) => [name, { type: 'string' as const, multiple: true }]),
  );
  const { tokens } = parseArgs({
    args: [...args],
    options: {
      ...own,
      ...options,
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
    },
    strict: false,
    tokens: true,
  });
  const flags = new Map<SettingName, unknown>();
  const switches = new Set<string>();
  const values = new Map<string, string[]>();
  const [name, ...words] = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []));
  for (const token of tokens) if (token.kind === 'option') assertKnown(token.name, token.rawName);
  const command = commandOf(name);
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    if (token.name === 'help' || token.name === 'version')
      return {
        command: token.name,
        flags,
        words,
        switches,
        values,
        ...(isCommandName(command) && name !== undefined && { topic: command }),
      };
    if (isCommandName(command) && commandDefinition(command).switches.includes(token.name))
      switches.add(token.name);
    else if (isCommandName(command) && valuesOf(command).includes(token.name)) {
      if (token.value === undefined || token.value === '')
        throw new UsageError(`--${token.name} needs a value. See local-coder --help.`);
      values.set(token.name, [...(values.get(token.name) ?? []), token.value]);
    } else addFlag(flags, token.name, token.rawName, token.value);
  }
  if (command === 'help' && words[0] !== undefined) {
    const topic = commandOf(words[0]);
    return { command, flags, words, switches, values, ...(isCommandName(topic) && { topic }) };
  }
  // A client that knows no repeated options can still name several folders: `serve FOLDER FOLDER`.
  if (command === 'serve' && words.length > 0) {
    const named = (flags.get('workspace') as string[] | undefined) ?? []; // a list, see addFlag
    flags.set('workspace', [...named, ...words.splice(0)]);
  }
  const tooMuch = isCommandName(command) ? words[commandDefinition(command).words.length] : undefined;
  if (tooMuch !== undefined) {
    throw new UsageError(`local-coder ${command} takes no argument "${tooMuch}". See local-coder --help.`);
  }
  return { command, flags, words, switches, values };
}

/** A misspelt option takes its value for a command: the option is what must be named in the refusal. */
function assertKnown(name: string, rawName: string): void {
  const known = [
    ...Object.keys(SETTINGS),
    ...Object.keys(COMMANDS).flatMap((command) => [...switchesOf(command), ...valuesOf(command)]),
    'help',
    'version',
  ];
  if (known.includes(name)) return;
  const closest = closestName(name, known);
  throw new UsageError(
    `${rawName} is not an option.${closest ? ` Did you mean --${closest}?` : ''} See local-coder --help.`,
  );
}

function switchesOf(command: string): readonly string[] {
  return isCommandName(command) ? commandDefinition(command).switches : [];
}

function valuesOf(command: string): readonly string[] {
  return isCommandName(command) ? Object.keys(commandDefinition(command).values ?? {}) : [];
}

function addFlag(
  flags: Map<SettingName, unknown>,
  name: string,
  rawName: string,
  value: string | undefined,
): void {
  if (!isSettingName(name)) {
    throw new UsageError(`${rawName} is not an option of this command. See local-coder --help.`);
  }
  const { kind, allowed } = definitionOf(name);
  if (kind === 'flag') {
    flags.set(name, value ?? true);
    return;
  }
  if (value === undefined || value === '') throw new UsageError(`--${name} needs a value: ${allowed}.`);
  if (kind === 'list') {
    flags.set(name, [...((flags.get(name) as string[] | undefined) ?? []), value]);
    return;
  }
  if (flags.has(name)) throw new UsageError(`--${name} is given twice.`);
  flags.set(name, value);
}

function commandOf(word: string | undefined): CommandLine['command'] {
  if (word === undefined) return 'serve';
  if (isCommandName(word) || word === 'help' || word === 'version') return word;
  const closest = closestName(word, [...Object.keys(COMMANDS), 'help']);
  const advice =
    closest === undefined
      ? ` To serve a folder: local-coder --workspace ${word}.`
      : ` Did you mean "${closest}"?`;
  throw new UsageError(`"${word}" is not a command.${advice} See local-coder --help.`);
}
