import type { SettingName } from '../config/definitions.ts';
import { loadSettings } from '../config/load.ts';
import { openStateDir } from '../config/state-dir.ts';

/** The state folder that commands of the agent work with. */
export async function agentStateDir(flags: ReadonlyMap<SettingName, unknown>): Promise<string> {
  const settings = await loadSettings(flags, process.env, process.cwd());
  return (await openStateDir(settings['state-dir'], { portable: settings.portable, mustKeep: true }))
    .stateDir;
}
