import type { Settings } from '../config/load.ts';
import { PROGRAM_TUNNELS, programTunnel } from '../tunnel/providers.ts';
import { TunnelError, type TunnelName, type TunnelReadiness } from '../tunnel/types.ts';
import { providerContext } from './provider-settings.ts';

/** The tunnels of this version, in the order of `tunnel list`. */
export const LISTED_TUNNELS: readonly TunnelName[] = [
  'cloudflare',
  'openai',
  'ngrok',
  'tailscale',
  'ssh',
  'relay',
  'custom',
];

/** What there is of a tunnel and what is missing; nothing is started but the program's own `--version`. */
export async function inspectTunnel(
  name: TunnelName,
  settings: Settings,
  stateDir: string,
  env: NodeJS.ProcessEnv,
): Promise<TunnelReadiness> {
  try {
    if (name === 'relay') return await (await import('./relay-tunnel.ts')).inspectRelay(stateDir);
    if (name === 'openai') return await inspectOpenAi(settings, stateDir, env);
    const program = PROGRAM_TUNNELS.find((known) => known === name);
    if (program === undefined) return { ready: false, summary: 'not available in this version' };
    // A setting is meant for the tunnel that was chosen, and may make no sense for the others.
    const chosen = settings.tunnel === name;
    const all = providerContext(settings, stateDir, env);
    const context = chosen ? all : { stateDir, env, command: all.command };
    return await (await programTunnel(program, context)).inspect();
  } catch (error) {
    if (!(error instanceof TunnelError)) throw error;
    return { ready: false, summary: error.message, fix: error.hint };
  }
}

/** The same as the provider's own inspection, without the endpoint that a provider needs to be made. */
async function inspectOpenAi(
  settings: Settings,
  stateDir: string,
  env: NodeJS.ProcessEnv,
): Promise<TunnelReadiness> {
  const [{ readCredentials }, { loadCredentials }] = await Promise.all([
    import('../tunnel/openai/credentials.ts'),
    import('../tunnel/openai/stored-credentials.ts'),
  ]);
  const stored = await loadCredentials(stateDir);
  const { tunnelId, baseUrl } = readCredentials({
    env,
    stored,
    project: settings.projectCredentials,
    baseUrl: settings['tunnel-base-url'],
  });
  return { ready: true, summary: `configured for ${tunnelId} at ${baseUrl.host}; nothing to install` };
}

/** False when a restart brings another address, so that a connector has to be told. */
export function isFixedAddress(settings: Settings, env: NodeJS.ProcessEnv): boolean {
  if (settings['public-url'] !== undefined) return true;
  switch (settings.tunnel) {
    case 'openai':
    case 'relay':
    case 'tailscale':
      return true;
    case 'cloudflare':
      return settings['tunnel-hostname'] !== undefined && Boolean(env['TUNNEL_TOKEN']);
    case 'ngrok':
      return settings['tunnel-hostname'] !== undefined;
    default:
      return false;
  }
}
