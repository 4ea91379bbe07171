import type { SettingName } from '../config/definitions.ts';
import { loadSettings } from '../config/load.ts';
import { openStateDir } from '../config/state-dir.ts';
import { createHistory, type History } from '../history/index.ts';
import { Workspace } from '../workspace/index.ts';

/** The history of the folder that is meant (--workspace, or the current one), as the commands on the terminal see it. */
export async function openHistory(
  flags: ReadonlyMap<SettingName, unknown>,
): Promise<{ history: History; workspace: Workspace }> {
  const settings = await loadSettings(flags, process.env, process.cwd());
  const { stateDir } = await openStateDir(settings['state-dir'], {
    portable: settings.portable,
    mustKeep: true,
  });
  const workspace = new Workspace({
    roots: settings.workspace,
    accessMode: settings.access,
    protectedPaths: [stateDir],
  });
  const budgetBytes = settings['history-size'] * 1024 * 1024;
  return { history: createHistory({ stateDir, workspace, budgetBytes }), workspace };
}

/** `just now`, `5 min ago`, `3 h ago`, `2 days ago`. */
export function ago(atMs: number, nowMs = Date.now()): string {
  const minutes = Math.round((nowMs - atMs) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 120) return `${minutes} min ago`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.round(hours / 24)} days ago`;
}
