import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { EXIT, UsageError } from '../../config/usage-error.ts';
import { nameOfId } from './definition.ts';
import { launchdManager } from './launchd.ts';
import type { ServiceManager } from './manager.ts';
import type { System } from './system.ts';
import { systemdManager } from './systemd.ts';
import { taskSchedulerManager } from './task-scheduler.ts';

/** @throws {UsageError} on a system without a way that is known here */
export function managerFor(name: string, stateDir: string, system: System): ServiceManager {
  if (system.platform === 'linux') return systemdManager(name, system);
  if (system.platform === 'darwin') return launchdManager(name, stateDir, system);
  if (system.platform === 'win32') return taskSchedulerManager(name, stateDir, system);
  throw new UsageError(
    `No way of starting programs at login is known on ${system.platform}; have its own start local-coder.`,
    EXIT.failed,
  );
}

/** The names of the services that are installed, whoever wrote them. */
export async function installedNames(system: System): Promise<string[]> {
  if (system.platform === 'win32') {
    const ran = await system.run('schtasks', ['/Query', '/FO', 'CSV', '/NH']);
    const names = (ran?.stdout ?? '').split('\n').map((line) => /^"\\([^"\\]+)"/.exec(line)?.[1]);
    return [...new Set(names.flatMap((id) => nameOfId(id ?? '') ?? []))].sort();
  }
  const isMac = system.platform === 'darwin';
  const folder = isMac
    ? join(system.home, 'Library', 'LaunchAgents')
    : join(system.env['XDG_CONFIG_HOME'] || join(system.home, '.config'), 'systemd', 'user');
  const [ending, separator] = isMac ? ['.plist', '.'] : ['.service', '-'];
  const files = await readdir(folder).catch(() => []);
  return files
    .filter((file) => file.endsWith(ending))
    .flatMap((file) => nameOfId(file.slice(0, -ending.length), separator) ?? [])
    .sort();
}
