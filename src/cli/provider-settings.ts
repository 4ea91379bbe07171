import type { Settings } from '../config/load.ts';
import { UsageError } from '../config/usage-error.ts';
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

/**
 * How callers from the web prove themselves.
 * @throws {UsageError} for --auth none: nothing that is public is open. Behind the tunnels openai and relay somebody else asks.
 */
export function publicAuth(settings: Settings): 'oauth' | 'url' {
  if (settings.auth === 'none' && settings.tunnel !== 'openai' && settings.tunnel !== 'relay') {
    throw new UsageError(
      '--auth none is not possible for what is reached from the web. Use oauth (the default there) or url.',
    );
  }
  return settings.auth === 'url' ? 'url' : 'oauth';
}
