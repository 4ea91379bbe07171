import type { SettingName } from '../config/definitions.ts';
import { loadSettings } from '../config/load.ts';
import { openStateDir } from '../config/state-dir.ts';
import { isSameOrInside } from '../runtime/paths.ts';
import { type Instance, openInstances } from './instances.ts';

/**
 * The running instance that is meant: the one on --port when a port is named, else the one that serves the folder
 * (--workspace, or the current one).
 */
export async function findInstance(
  flags: ReadonlyMap<SettingName, unknown>,
): Promise<{ found: Instance; message?: never } | { found?: never; message: string }> {
  const settings = await loadSettings(flags, process.env, process.cwd());
  const { stateDir } = await openStateDir(settings['state-dir'], {
    portable: settings.portable,
    mustKeep: true,
  });
  const instances = await openInstances(stateDir);
  try {
    const running = await instances.running();
    const folder = settings.workspace[0];
    const found = flags.has('port')
      ? running.find((instance) => instance.port === settings.port)
      : running.findLast((instance) => instance.roots.some((root) => isSameOrInside(folder, root)));
    if (found !== undefined) return { found };
    const others = running.map((instance) => `${instance.roots[0]} on port ${instance.port}`);
    const where = flags.has('port') ? `on port ${settings.port}` : `for ${folder}`;
    return {
      message:
        others.length === 0
          ? `No instance is running ${where}.`
          : `No instance is running ${where}. Running: ${others.join('; ')} (name one with --port N).`,
    };
  } finally {
    instances.close();
  }
}
