import type { Settings } from '../config/load.ts';
import { colours } from '../runtime/terminal.ts';
import { VERSION } from '../runtime/version.ts';

/** What is printed once when the server listens: the address, what it serves, and how to connect. */
export function startCard(
  settings: Settings,
  address: string,
  stream: { isTTY?: boolean },
  commands?: string,
  portable?: string,
  page?: string,
): string {
  const { bold, dim, red } = colours(stream);
  const [first, ...more] = settings.workspace;
  const access =
    settings.access === 'full'
      ? red('full: the tools reach every file and run every command that you can')
      : settings.access === 'workspace'
        ? `workspace: only what is in ${more.length > 0 ? 'these folders' : 'this folder'}`
        : 'read-only: nothing is changed or run';
  return [
    '',
    `  ${bold('local-coder')} ${VERSION}`,
    '',
    `  Address   ${bold(address)}`,
    `  Folder    ${first}`,
    ...more.map((root) => `            ${root}`),
    `  Access    ${access}`,
    ...(settings.access === 'workspace' && commands !== undefined ? [`  Commands  ${commands}`] : []),
    ...(portable === undefined ? [] : [`  Portable  ${portable}`]),
    ...(page === undefined ? [] : [`  Page      ${page}`]),
    '',
    `  Connect   claude mcp add --transport http local-coder ${address}`,
    `            codex mcp add local-coder --url ${address}`,
    `            ${dim('or give any MCP client on this machine the address; stop with Ctrl-C')}`,
    '',
    '',
  ].join('\n');
}
