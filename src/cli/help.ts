import { definitionOf, SETTINGS, type SettingName } from '../config/definitions.ts';
import { VERSION } from '../runtime/version.ts';

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

  local-coder [serve]    serve a folder over HTTP on this machine
  local-coder --stdio    serve one client over standard input and output
  local-coder status     the instance that serves the current folder (or --port N)
  local-coder stop       stop it
  local-coder history    the changes that tools made to files here (history ID: those before it)
  local-coder undo [ID]  take one back, the last one without ID

Options, each also as variable LOCAL_CODER_<NAME> and in config.json of the state folder:

${rows.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`.trimEnd()).join('\n')}
`;
}
