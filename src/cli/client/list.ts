import { UsageError } from '../../config/usage-error.ts';
import { forTerminal } from '../../runtime/terminal.ts';
import { CLIENT_NAMES, clientOf } from './clients.ts';
import { readConfigFile } from './config-file.ts';
import { EditRefused } from './edit.ts';
import { editorFor } from './editors.ts';
import { isOurs } from './entry.ts';
import { configFile, type Machine } from './locations.ts';

/** One line for each configuration file that is there, with the entries that lead to local-coder. */
export async function listClients(machine: Machine): Promise<string[]> {
  const lines: string[] = [];
  const width = Math.max(...CLIENT_NAMES.map((name) => name.length));
  for (const name of CLIENT_NAMES) {
    for (const scope of clientOf(name).scopes) {
      const path = await configFile(name, scope, machine);
      const found = await entriesOf(name, path);
      if (found === undefined && scope === 'project') continue;
      const label = `${name.padEnd(width)}  ${scope.padEnd(7)}`;
      if (found === undefined) lines.push(`${label}  no file ${forTerminal(path)}`);
      else for (const line of found) lines.push(`${label}  ${forTerminal(`${line}  ${path}`)}`);
    }
  }
  return lines;
}

/** What there is to say of a file; undefined when it is not there. */
async function entriesOf(name: (typeof CLIENT_NAMES)[number], path: string): Promise<string[] | undefined> {
  try {
    const [editor, file] = await Promise.all([editorFor(clientOf(name)), readConfigFile(path)]);
    if (!file.exists) return undefined;
    if (file.text.trim() === '') return ['not there'];
    const ours = [...(await editor.read(file.text))].filter(([entry, value]) => isOurs(entry, value));
    return ours.length === 0 ? ['not there'] : ours.map(([entry, value]) => `${entry}: ${described(value)}`);
  } catch (error) {
    if (error instanceof EditRefused) return [`cannot be read: ${error.message}`];
    if (error instanceof UsageError) return [error.message];
    throw error;
  }
}

function described(value: unknown): string {
  const { command, args, url } = (value ?? {}) as { command?: unknown; args?: unknown; url?: unknown };
  if (typeof url === 'string') return url;
  return [command, ...(Array.isArray(args) ? args : [])].map(String).join(' ');
}
