import { EXIT, type ExitCode, UsageError } from '../../config/usage-error.ts';
import { confirm, type Terminal } from '../confirm.ts';
import { type Client, type ClientName, clientOf, type Entry, type Scope } from './clients.ts';
import {
  assertWritable,
  type ConfigFile,
  newestBackup,
  readConfigFile,
  replaceConfigFile,
} from './config-file.ts';
import { EditRefused, type EntryEditor } from './edit.ts';
import { editorFor } from './editors.ts';
import { isOurs } from './entry.ts';
import { configFile, type Machine } from './locations.ts';
import { unifiedDiffOf } from './show-change.ts';

export interface ChangeOptions {
  readonly client: ClientName;
  readonly scope: Scope;
  /** The entry's name. */
  readonly name: string;
  readonly yes: boolean;
  readonly machine: Machine;
  readonly terminal: Terminal;
}

/** Puts an entry into a client's configuration file, after it was shown and agreed to. */
export async function addEntry(
  options: ChangeOptions & { readonly entry: Entry; readonly warnings: readonly string[] },
): Promise<ExitCode> {
  const { name, entry, terminal } = options;
  const client = clientOf(options.client);
  const { file, editor } = await open(options);
  const text = await refusingAs(options, editor, file, entry, () => editor.set(file.text, name, entry));
  if (file.exists && text === file.text) {
    terminal.output.write(`${client.label} has it already: "${name}" in ${file.path}.\n`);
    return EXIT.ok;
  }
  const before = file.exists ? (await editor.read(file.text)).get(name) : undefined;
  if (before !== undefined && !isOurs(name, before)) {
    terminal.output.write(
      `warning: "${name}" in ${file.path} is the entry of another server. --name NAME leaves it and adds another one.\n`,
    );
  }
  for (const warning of [...options.warnings, ...fileWarnings(client, options.scope, file, entry)]) {
    terminal.output.write(`warning: ${warning}\n`);
  }
  const written = await write(options, file, text, `Write this into the configuration of ${client.label}?`);
  if (!written) return EXIT.failed;
  terminal.output.write(`Next: ${client.next[options.scope]}\n`);
  return EXIT.ok;
}

/**
 * Takes an entry out again, after it was shown and agreed to.
 * @param options.address what the entry must lead to; it tells an entry over HTTP from that of another server
 */
export async function removeEntry(
  options: ChangeOptions & { readonly address?: string | undefined },
): Promise<ExitCode> {
  const { name, terminal, address } = options;
  const client = clientOf(options.client);
  const { file, editor } = await open(options);
  const present = file.exists
    ? (await refusingAs(options, editor, file, undefined, () => editor.read(file.text))).get(name)
    : undefined;
  if (present === undefined) {
    terminal.output.write(`${client.label} has no entry "${name}" in ${file.path}.\n`);
    return EXIT.ok;
  }
  const url = addressOf(present);
  if (address !== undefined && url !== address) {
    throw new UsageError(`"${name}" in ${file.path} does not lead to ${address}, so it stays.`, EXIT.failed);
  }
  if (address === undefined && !isOurs(name, present)) {
    const next =
      url === undefined
        ? 'local-coder client list shows ours.'
        : 'If it leads to local-coder, name its address too: --http URL.';
    throw new UsageError(
      `"${name}" in ${file.path} is the entry of another server, so it stays. ${next}`,
      EXIT.failed,
    );
  }
  const text = await refusingAs(options, editor, file, undefined, () => without(editor, file, name, present));
  const written = await write(options, file, text, `Take this out of the configuration of ${client.label}?`);
  if (written) {
    const isLeft = editor.removeEmpty !== undefined && (await editor.removeEmpty(text, '')) !== text;
    if (isLeft) terminal.output.write(`Left:    "${client.key}", which is empty now\n`);
    terminal.output.write(`Next: restart ${client.label}.\n`);
  }
  return written ? EXIT.ok : EXIT.failed;
}

/**
 * The text without an entry. Was the file without it when it was last backed up, and did nobody change anything else
 * since, then it is that very text again, byte for byte.
 */
async function without(
  editor: EntryEditor,
  file: ConfigFile,
  name: string,
  present: unknown,
): Promise<string> {
  const earlier = await newestBackup(file.path, async (text) => !(await editor.read(text)).has(name));
  if (earlier === undefined) return editor.remove(file.text, name);
  // What is there under this name is an entry to whoever reads the file, ours or not.
  const again = await editor.set(earlier, name, present as Entry).catch(() => undefined);
  if (again === file.text) return earlier;
  const text = await editor.remove(file.text, name);
  return (await editor.removeEmpty?.(text, earlier)) ?? text;
}

function addressOf(entry: unknown): string | undefined {
  const url = typeof entry === 'object' && entry !== null && 'url' in entry ? entry.url : undefined;
  return typeof url === 'string' ? url : undefined;
}

async function open({ client, scope, machine }: ChangeOptions) {
  const [editor, file] = await Promise.all([
    editorFor(clientOf(client)),
    configFile(client, scope, machine).then(readConfigFile),
  ]);
  return { editor, file };
}

/** A file that cannot be edited is left alone; what should stand in it is printed for doing it by hand. */
async function refusingAs<Result>(
  { name, terminal }: ChangeOptions,
  editor: EntryEditor,
  file: ConfigFile,
  entry: Entry | undefined,
  act: () => Promise<Result>,
): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof EditRefused)) throw error;
    if (entry !== undefined) terminal.output.write(`${editor.byHand(name, entry)}\n\n`);
    throw new UsageError(
      `${file.path} was left as it is: ${error.message}. ${
        entry === undefined
          ? `Take "${name}" out by hand, or mend the file and run this again.`
          : 'Mend it and run this again, or put in by hand what is printed above.'
      }`,
      EXIT.failed,
    );
  }
}

function fileWarnings(client: Client, scope: Scope, file: ConfigFile, entry: Entry): string[] {
  const warnings: string[] = [];
  if (!file.exists && scope === 'user') {
    warnings.push(
      `${file.path} is not there yet and will be made; is ${client.label} installed for this user?`,
    );
  }
  if (!client.comments && client.format === 'json' && file.exists && !isPlainJson(file.text)) {
    warnings.push(
      `${file.path} has comments or trailing commas, with which ${client.label} may not read it at all.`,
    );
  }
  if (scope === 'project') {
    const own = addressOf(entry) === undefined ? 'the entry holds paths' : 'the entry leads to a server';
    warnings.push(`this file is often shared with a repository; ${own} of this machine.`);
  }
  return warnings;
}

function isPlainJson(text: string): boolean {
  if (text.trim() === '') return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** @returns whether it was agreed to and written */
async function write(
  { yes, terminal }: ChangeOptions,
  file: ConfigFile,
  text: string,
  question: string,
): Promise<boolean> {
  const { output } = terminal;
  assertWritable(file);
  output.write(`\n${await unifiedDiffOf(file.path, file.text, text, output)}\n`);
  if (!(await confirm(question, { yes, terminal }))) {
    output.write('\nNothing was changed.\n');
    return false;
  }
  const backup = await replaceConfigFile(file, text);
  output.write(`Written: ${file.path}\n`);
  if (backup !== undefined) output.write(`Before:  ${backup}\n`);
  return true;
}
