import type { SettingName } from '../config/definitions.ts';
import { EXIT, type ExitCode } from '../config/usage-error.ts';
import { portableFolder } from '../runtime/portable.ts';
import { forTerminal } from '../runtime/terminal.ts';
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
    ...tunnelLines(instance.tunnel),
    ...(folder === undefined ? [] : [`Portable  ${folder}`]),
    `Process   ${instance.pid}, version ${instance.version}, up ${duration(Date.now() - instance.startedAtMs)}`,
    '',
  ].join('\n');
}

function tunnelLines(tunnel: Instance['tunnel']): string[] {
  if (tunnel === undefined) return [];
  const address = tunnel.address === undefined ? '' : `, ${forTerminal(tunnel.address)}`;
  const message = tunnel.message === undefined ? [] : [`          ${forTerminal(tunnel.message)}`];
  return [`Tunnel    ${tunnel.name} ${TUNNEL_WORDS[tunnel.state]}${address}`, ...message];
}

const TUNNEL_WORDS = {
  starting: 'is starting',
  up: 'is up',
  down: 'is down and mends itself',
  failed: 'has ended',
} as const;

function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
