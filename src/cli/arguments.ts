import { parseArgs } from 'node:util';
import { definitionOf, isSettingName, SETTINGS, type SettingName } from '../config/definitions.ts';
import { UsageError } from '../config/usage-error.ts';
import { closestName } from '../runtime/closest.ts';

/** The commands of cli.md; those that this version lacks are known, so that they are refused by name. */
const COMMANDS = ['serve', 'status', 'stop', 'history', 'undo'] as const;
/** Commands that may be followed by a checkpoint id. */
const WITH_ID: readonly string[] = ['history', 'undo'];
const LATER_COMMANDS = [
  'doctor',
  'log',
  'token',
  'tunnel',
  'workspace',
  'pair',
  'unpair',
  'agent',
  'run',
  'relay',
  'client',
  'service',
  'upgrade',
  'licenses',
  'completion',
] as const;

export type Command = (typeof COMMANDS)[number] | 'help' | 'version';

export interface CommandLine {
  readonly command: Command;
  readonly flags: ReadonlyMap<SettingName, unknown>;
  /** What follows the command: the id for undo and history. */
  readonly argument?: string;
}

/**
 * Reads the command line.
 * @param args without the program's own name
 * @throws {UsageError} for anything that is not known, with the closest known name
 */
export function readArguments(args: readonly string[]): CommandLine {
  const options = Object.fromEntries(
    (Object.keys(SETTINGS) as SettingName[]).map((name) => [
      name,
      {
        type: definitionOf(name).kind === 'flag' ? ('boolean' as const) : ('string' as const),
        multiple: true,
      },
    ]),
  );
  const { tokens } = parseArgs({
    args: [...args],
    options: { ...options, help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } },
    strict: false,
    tokens: true,
  });
  const flags = new Map<SettingName, unknown>();
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    if (token.name === 'help' || token.name === 'version') return { command: token.name, flags };
    addFlag(flags, token.name, token.rawName, token.value);
  }
  const command = commandOf(words);
  return words[1] === undefined ? { command, flags } : { command, flags, argument: words[1] };
}

function addFlag(
  flags: Map<SettingName, unknown>,
  name: string,
  rawName: string,
  value: string | undefined,
): void {
  if (!isSettingName(name)) {
    const closest = closestName(name, [...Object.keys(SETTINGS), 'help', 'version']);
    throw new UsageError(
      `${rawName} is not an option.${closest ? ` Did you mean --${closest}?` : ''} See local-coder --help.`,
    );
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

function commandOf(words: readonly string[]): Command {
  const [word, extra] = words;
  if (word === undefined) return 'serve';
  const command = COMMANDS.find((known) => known === word);
  if (command !== undefined) {
    const tooMuch = WITH_ID.includes(command) ? words[2] : extra;
    if (tooMuch !== undefined)
      throw new UsageError(`local-coder ${command} takes no argument "${tooMuch}". See local-coder --help.`);
    return command;
  }
  if (word === 'help' || word === 'version') return word;
  if ((LATER_COMMANDS as readonly string[]).includes(word)) {
    throw new UsageError(
      `The command "${word}" is not available in this version. See local-coder --help for what is.`,
    );
  }
  const closest = closestName(word, [...COMMANDS, 'help']);
  const folder =
    closest === undefined
      ? ` To serve a folder: local-coder --workspace ${word}.`
      : ` Did you mean "${closest}"?`;
  throw new UsageError(`"${word}" is not a command.${folder} See local-coder --help.`);
}
