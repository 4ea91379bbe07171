import type { Settings } from '../config/load.ts';
import type { TunnelModel } from '../dashboard/models.ts';
import type { Log } from '../runtime/log.ts';
import { processStartTime } from '../runtime/process-identity.ts';
import { VERSION } from '../runtime/version.ts';
import type { Instance } from './instances.ts';

/** This server's entry in the register of instances. */
export interface Registration {
  /** Writes how the tunnel is. */
  tell(tunnel: TunnelModel | undefined): void;
  remove(): void;
}

/** Enters this server into the register of instances, by which status, stop, page and --replace find it. */
export async function register(
  settings: Settings,
  stateDir: string,
  port: number,
  log: Log,
): Promise<Registration | undefined> {
  try {
    const { openInstances } = await import('./instances.ts');
    const instances = await openInstances(stateDir);
    const instance: Instance = {
      pid: process.pid,
      startTime: (await processStartTime(process.pid)) ?? '',
      host: settings.host,
      port,
      roots: settings.workspace,
      access: settings.access,
      version: VERSION,
      startedAtMs: Date.now(),
    };
    instances.add(instance);
    let isThere = true;
    return {
      tell(tunnel) {
        if (!isThere || tunnel === undefined) return;
        try {
          instances.setTunnel(instance, tunnel);
        } catch (error) {
          log.debug(`status will not show how the tunnel is: ${String(error)}`);
        }
      },
      remove() {
        isThere = false;
        instances.remove(instance);
        instances.close();
      },
    };
  } catch (error) {
    log.warn(
      `status, stop, page and --replace will not find this instance: ${error instanceof Error ? error.message : error}`,
    );
    return undefined;
  }
}
