import { definitionOf, SETTINGS, type SettingName } from '../config/definitions.ts';
import { VERSION } from '../runtime/version.ts';
import { COMMANDS, type CommandName, commandDefinition } from './commands.ts';

/** The text of --help, made from the table of settings; of one command where that has its own. */
export function helpText(topic?: CommandName): string {
  const { usage, settings } = topic === undefined ? {} : commandDefinition(topic);
  if (usage !== undefined) {
    const rows = settingRows().filter(([, , name]) => settings?.includes(name) ?? true);
    return `${usage}${rows.length === 0 ? '' : `\n${table(rows)}\n`}`;
  }
  return `local-coder ${VERSION}: work on the code on this machine from ChatGPT, Claude, Codex or any MCP client

${commandRows()}

Options, each also as variable LOCAL_CODER_<NAME> and in config.json of the state folder:

${table([...settingRows(), ['--version, --help', '']])}
`;
}

function settingRows(): [flag: string, help: string, name: SettingName][] {
  return (Object.keys(SETTINGS) as SettingName[])
    .filter((name) => definitionOf(name).help !== '')
    .map((name) => {
      const { placeholder, help } = definitionOf(name);
      return [`--${name}${placeholder === undefined ? '' : ` ${placeholder}`}`, help, name];
    });
}

function table(rows: readonly (readonly [flag: string, help: string, ...rest: unknown[]])[]): string {
  const width = Math.max(...rows.map(([flag]) => flag.length));
  return rows.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`.trimEnd()).join('\n');
}

function commandRows(): string {
  const shown = (Object.keys(COMMANDS) as CommandName[]).filter(
    (name) => commandDefinition(name).help !== '',
  );
  const rows = shown.map((name): [string, string] => {
    const { words, switches, help } = commandDefinition(name);
    const usage = [name === 'serve' ? '[serve]' : name, ...words, ...switches.map((flag) => `[--${flag}]`)];
    return [`local-coder ${usage.join(' ')}`, help];
  });
  rows.splice(1, 0, ['local-coder --stdio', 'serve one client over standard input and output']);
  const width = Math.max(...rows.map(([usage]) => usage.length));
  return rows.map(([usage, help]) => `  ${usage.padEnd(width)}  ${help}`).join('\n');
}
