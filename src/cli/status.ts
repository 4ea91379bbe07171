import type { SettingName } from '../config/definitions.ts';
import { EXIT, type ExitCode } from '../config/usage-error.ts';
import { portableFolder } from '../runtime/portable.ts';
import { findInstance } from './find-instance.ts';
import type { Instance } from './instances.ts';

/** `local-coder status`: shows the instance that serves the current folder. */
export async function status(flags: ReadonlyMap<SettingName, unknown>): Promise<ExitCode> {
  const { found, message } = await findInstance(flags);
  process.stdout.write(found === undefined ? `${message}\n` : describe(found));
  return found === undefined ? EXIT.failed : EXIT.ok;
}

function describe(instance: Instance): string {
  const folder = portableFolder();
  const host = instance.host === '::1' ? '[::1]' : instance.host;
  return [
    `Address   http://${host}:${instance.port}/mcp`,
    ...instance.roots.map((root, index) => `${index === 0 ? 'Folder    ' : '          '}${root}`),
    `Access    ${instance.access}`,
    ...(folder === undefined ? [] : [`Portable  ${folder}`]),
    `Process   ${instance.pid}, version ${instance.version}, up ${duration(Date.now() - instance.startedAtMs)}`,
    '',
  ].join('\n');
}

function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
