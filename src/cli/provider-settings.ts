import type { Settings } from '../config/load.ts';
import type { ProviderContext } from '../tunnel/provider-context.ts';

/** What tunnel providers are told of the settings. */
export function providerContext(
  settings: Settings,
  stateDir: string,
  env: NodeJS.ProcessEnv = process.env,
): ProviderContext {
  const publicUrl = settings['public-url'];
  return {
    stateDir,
    env,
    bin: settings['tunnel-bin'],
    hostname: settings['tunnel-hostname'],
    install: settings['tunnel-install'],
    version: settings['tunnel-version'],
    mirror: settings['tunnel-mirror'],
    command: settings['tunnel-command'],
    urlPattern: settings['tunnel-url-pattern'],
    publicOrigin: publicUrl === undefined ? undefined : new URL(publicUrl).origin,
    publicPort: settings['public-port'] || undefined,
  };
}

/** True when the settings ask for more than this machine's own clients. */
export function wantsPublicSide(settings: Settings): boolean {
  return (settings.tunnel ?? 'none') !== 'none' || settings['public-url'] !== undefined;
}
