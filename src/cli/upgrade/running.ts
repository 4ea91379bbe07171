import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { SettingName } from '../../config/definitions.ts';
import { loadSettings } from '../../config/load.ts';
import { forTerminal } from '../../runtime/terminal.ts';
import { openInstances } from '../instances.ts';

/**
 * The lines that name the servers which still run another version; empty when there is none. A settings file that is
 * wrong, or a state folder that cannot be read, is no reason to call an upgrade failed.
 */
export async function linesOfOlderInstances(
  flags: ReadonlyMap<SettingName, unknown>,
  env: NodeJS.ProcessEnv,
  version: string,
): Promise<string[]> {
  try {
    const stateDir = (await loadSettings(flags, env, process.cwd()))['state-dir'];
    await access(join(stateDir, 'state.db'));
    const instances = await openInstances(stateDir);
    try {
      const older = (await instances.running()).filter((instance) => instance.version !== version);
      if (older.length === 0) return [];
      return [
        'These still run the old version. Start each again with its options and --replace:',
        ...older.map(
          ({ port, pid, version: old, roots }) =>
            `  port ${port}, process ${pid}, version ${old}: ${forTerminal(roots.join(', '))}`,
        ),
      ];
    } finally {
      instances.close();
    }
  } catch {
    return [];
  }
}
