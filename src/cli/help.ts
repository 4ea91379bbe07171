import { definitionOf, SETTINGS, type SettingName } from '../config/definitions.ts';
import { VERSION } from '../runtime/version.ts';
import { COMMANDS, type CommandName, commandDefinition } from './commands.ts';

/** The text of --help, made from the table of settings. */
export function helpText(): string {
  const rows: [string, string][] = (Object.keys(SETTINGS) as SettingName[])
    .filter((name) => definitionOf(name).help !== '')
    .map((name) => {
      const { placeholder, help } = definitionOf(name);
      return [`--${name}${placeholder === undefined ? '' : ` ${placeholder}`}`, help];
    });
  rows.push(['--version, --help', '']);
  const width = Math.max(...rows.map(([flag]) => flag.length));
  return `local-coder ${VERSION}: work on the code on this machine from ChatGPT, Claude, Codex or any MCP client

${commandRows()}

Options, each also as variable LOCAL_CODER_<NAME> and in config.json of the state folder:

${rows.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`.trimEnd()).join('\n')}
`;
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
