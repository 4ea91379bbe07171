import type { SettingName } from '../config/definitions.ts';
import { CLIENT_NAMES } from './client/names.ts';

/** A command of the command line, as the argument reader and --help know it. */
export interface CommandDefinition {
  /** What may follow the command's name, for --help and for the count of words. */
  readonly words: readonly string[];
  /** Flags of this command alone, which take no value. */
  readonly switches: readonly string[];
  /** Flags of this command alone that take a value (its placeholder), once or several times; `help` names them. */
  readonly values?: Readonly<Record<string, string>>;
  readonly help: string;
  /** The words that may follow, each with those that may follow it; for completion. */
  readonly actions?: Readonly<Record<string, readonly string[]>>;
  /** The settings that it takes as flags, where it does not take all; for --help and completion. */
  readonly settings?: readonly SettingName[];
  /** What stands behind `--` is read as options of the server. */
  readonly serverOptions?: boolean;
  /** What its own --help says before the options; without it --help says what there is. */
  readonly usage?: string;
}

/** What a server that a client starts over stdio can be told. */
const STDIO_SETTINGS = [
  'workspace',
  'access',
  'tools',
  'sandbox-network',
  'sandbox-read',
  'results',
  'shell',
  'shell-timeout',
  'yield',
  'state-dir',
  'history-size',
  'audit-log',
  'annotations',
  'widgets',
  'log-level',
  'portable',
] as const satisfies readonly SettingName[];

/** The commands of this version (cli.md, "Commands"). */
export const COMMANDS = {
  serve: {
    words: [],
    switches: [],
    help: 'serve a folder over HTTP on this machine (the default); also: serve FOLDER …',
  },
  page: {
    words: [],
    switches: [],
    help: 'a link to the local page of that instance: what is done, approve it, take it back',
  },
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
    actions: { list: [], revoke: [], show: [], rotate: [], approve: [], deny: [] },
  },
  tunnel: {
    words: ['[list]', '[…]'],
    switches: [],
    help: 'list: ways to reach this server from the web, installed and configured | init openai',
    actions: { list: [], init: ['openai'] },
  },
  doctor: { words: [], switches: [], help: 'what is missing, and how to fix it' },
  relay: {
    words: ['[ACTION]', '[ID]'],
    switches: [],
    help: 'run a relay for agents on other computers (--port, --public-url): code | users | suspend ID | resume ID | hash-password',
    actions: { code: [], users: [], suspend: [], resume: [], 'hash-password': [] },
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
    actions: { add: [], list: [], remove: [] },
  },
  agent: {
    words: [],
    switches: ['serve-tools'],
    help: 'stay connected to the relay (also: run); with --serve-tools and --access MODE it carries all tools',
  },
  licenses: { words: [], switches: [], help: 'the licences of the software of others in this program' },
  run: { words: [], switches: ['serve-tools'], help: '' },
  client: {
    words: ['ACTION', '[CLIENT]'],
    switches: ['yes'],
    values: { http: 'URL', name: 'NAME', scope: 'user|project' },
    help: `the entry in a client’s configuration: add ${CLIENT_NAMES.join('|')} | remove CLIENT | list`,
    actions: { add: CLIENT_NAMES, remove: CLIENT_NAMES, list: [] },
    settings: STDIO_SETTINGS,
    usage: `local-coder client add CLIENT [OPTIONS]     write the entry into the client’s configuration file
local-coder client remove CLIENT            take it out again
local-coder client list                     the files, and the entries of local-coder in them

CLIENT is ${CLIENT_NAMES.join(', ')}. The change is shown first and asked for; the old file stays
beside the new one; nothing else in the file changes. What was
added with --http and a --name is taken out with both.

  --name NAME           the entry’s name (default local-coder)
  --scope user|project  for all your projects (default), or in a file of the current folder
  --http URL            the address of a server that runs already, in the place of starting one over stdio
  --yes                 do not ask

A server that the client starts over stdio gets these options:
`,
  },
  service: {
    words: ['ACTION'],
    switches: ['yes'],
    values: { name: 'NAME' },
    help: 'serve from login on, in the background: install [-- OPTIONS of serve] | status | remove',
    actions: { install: [], status: [], remove: [] },
    serverOptions: true,
    usage: `local-coder service install [--name NAME] [--yes] [-- OPTIONS]   serve from login on, starting now
local-coder service status [--name NAME]                         installed, running, address, last lines of the log
local-coder service remove [--name NAME] [--yes]                 end it and take it out

A systemd unit of the user on Linux, a LaunchAgent on macOS, a task of the Task Scheduler on Windows; no administrator
is needed. What is written is shown first and asked for.

  --name NAME   one service for each name, so that several folders can be served (default: default)
  --yes         do not ask

OPTIONS are those of the server (--workspace is the current folder where it is not named):
`,
  },
  upgrade: {
    words: [],
    switches: ['check'],
    values: { to: 'VERSION' },
    help: 'replace this executable by the newest release, or --to VERSION; --check only says what there is',
    settings: ['state-dir'],
    usage: `local-coder upgrade [--check] [--to VERSION]

The release must carry the signature of local-coder's owner. The new version must start before the old one goes.
LOCAL_CODER_BASE_URL names a mirror.
`,
  },
  completion: {
    words: ['SHELL'],
    switches: [],
    help: 'completion of commands and options for bash, zsh, fish or powershell, to standard output',
    actions: { bash: [], zsh: [], fish: [], powershell: [] },
    settings: [],
    usage: `local-coder completion bash|zsh|fish|powershell    print the script; its first lines say how to install it
`,
  },
} as const satisfies Record<string, CommandDefinition>;

export type CommandName = keyof typeof COMMANDS;

export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}

/** The definition under its general type (the table's own type is narrower). */
export function commandDefinition(name: CommandName): CommandDefinition {
  return COMMANDS[name];
}
