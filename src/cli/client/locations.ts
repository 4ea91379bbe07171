import { readdir } from 'node:fs/promises';
import { posix, win32 } from 'node:path';
import { homeFolder } from '../../runtime/platform.ts';
import type { ClientName, Scope } from './clients.ts';

/** What the place of a file depends on; tests put other machines in. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
  /** The folder of a project scope. */
  readonly cwd: string;
}

export function thisMachine(): Machine {
  return { platform: process.platform, env: process.env, home: homeFolder(), cwd: process.cwd() };
}

/** The absolute path of a client's configuration file, whether or not it is there. */
export async function configFile(client: ClientName, scope: Scope, machine: Machine): Promise<string> {
  const { env, home, cwd } = machine;
  const { join } = machine.platform === 'win32' ? win32 : posix;
  switch (client) {
    case 'claude-desktop': {
      const folder = await storeFolder(machine);
      return join(folder ?? join(applicationData(machine), 'Claude'), 'claude_desktop_config.json');
    }
    case 'claude-code':
      return scope === 'project'
        ? join(cwd, '.mcp.json')
        : join(env['CLAUDE_CONFIG_DIR'] || home, '.claude.json');
    case 'codex':
      return scope === 'project'
        ? join(cwd, '.codex', 'config.toml')
        : join(env['CODEX_HOME'] || join(home, '.codex'), 'config.toml');
    case 'cursor':
      return join(scope === 'project' ? cwd : home, '.cursor', 'mcp.json');
    case 'vscode': {
      if (scope === 'project') return join(cwd, '.vscode', 'mcp.json');
      const portable = env['VSCODE_PORTABLE'];
      return join(
        portable ? join(portable, 'user-data') : join(applicationData(machine), 'Code'),
        'User',
        'mcp.json',
      );
    }
  }
}

/** Where desktop programs keep their settings: Electron's appData. */
function applicationData({ platform, env, home }: Machine): string {
  if (platform === 'win32') return env['APPDATA'] || win32.join(home, 'AppData', 'Roaming');
  if (platform === 'darwin') return posix.join(home, 'Library', 'Application Support');
  return env['XDG_CONFIG_HOME'] || posix.join(home, '.config');
}

/** Claude Desktop from the Microsoft Store (MSIX) sees a private copy of %APPDATA%; undefined without one. */
async function storeFolder({ platform, env, home }: Machine): Promise<string | undefined> {
  if (platform !== 'win32') return undefined;
  const packages = win32.join(env['LOCALAPPDATA'] || win32.join(home, 'AppData', 'Local'), 'Packages');
  const own = (await readdir(packages).catch(() => [])).find((name) => /^Claude_[a-z0-9]+$/i.test(name));
  return own === undefined ? undefined : win32.join(packages, own, 'LocalCache', 'Roaming', 'Claude');
}
