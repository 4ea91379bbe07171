/** A command of the command line, as the argument reader and --help know it. */
export interface CommandDefinition {
  /** What may follow the command's name, for --help and for the count of words. */
  readonly words: readonly string[];
  /** Flags of this command alone, which take no value. */
  readonly switches: readonly string[];
  /** Flags of this command alone that take a value (its placeholder), once or several times; `help` names them. */
  readonly values?: Readonly<Record<string, string>>;
  readonly help: string;
}

/** The commands of this version (cli.md, "Commands"). */
export const COMMANDS = {
  serve: { words: [], switches: [], help: 'serve a folder over HTTP on this machine (the default)' },
  status: { words: [], switches: [], help: 'the instance that serves the current folder (or --port N)' },
  stop: { words: [], switches: [], help: 'stop it' },
  log: { words: [], switches: ['follow', 'json'], help: 'every tool call that was made' },
  history: {
    words: ['[ID]'],
    switches: [],
    help: 'the changes that tools made to files here (with ID: those before it)',
  },
  undo: { words: ['[ID]'], switches: [], help: 'take one back, the last one without ID' },
  token: {
    words: ['ACTION', '[…]', '[…]'],
    switches: [],
    help: 'clients that were let in, and the secret address: list | revoke ID | show | rotate | approve REF | deny REF',
  },
  tunnel: {
    words: ['[list]', '[…]'],
    switches: [],
    help: 'list: ways to reach this server from the web, installed and configured | init openai',
  },
  doctor: { words: [], switches: [], help: 'what is missing, and how to fix it' },
  relay: {
    words: ['[ACTION]', '[ID]'],
    switches: [],
    help: 'run a relay for agents on other computers (--port, --public-url): code | users | suspend ID | resume ID | hash-password',
  },
  pair: {
    words: ['CODE'],
    switches: [],
    values: { relay: 'URL' },
    help: 'let the relay at --relay URL look into the workspaces of this machine; asks before anything is kept',
  },
  unpair: { words: [], switches: ['force'], help: 'end that; the workspaces stay' },
  workspace: {
    words: ['ACTION', '[ID]'],
    switches: [],
    values: { name: 'NAME', path: 'FOLDER', ignore: 'PATTERN' },
    help: 'folders that the relay may look into: add --name NAME --path FOLDER [--ignore PATTERN …] | list | remove ID',
  },
  agent: {
    words: [],
    switches: ['serve-tools'],
    help: 'stay connected to the relay (also: run); with --serve-tools and --access MODE it carries all tools',
  },
  licenses: { words: [], switches: [], help: 'the licences of the software of others in this program' },
  run: { words: [], switches: ['serve-tools'], help: '' },
} as const satisfies Record<string, CommandDefinition>;

export type CommandName = keyof typeof COMMANDS;

/** Commands of later versions: known, so that they are refused by name. */
export const LATER_COMMANDS: readonly string[] = ['client', 'service', 'upgrade', 'completion'];

export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}

/** The definition under its general type (the table's own type is narrower). */
export function commandDefinition(name: CommandName): CommandDefinition {
  return COMMANDS[name];
}
