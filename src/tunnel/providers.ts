import type { ProviderContext } from './provider-context.ts';
import type { TunnelName, TunnelProvider } from './types.ts';

/** Tunnels by a program, which lead to the public listener. */
export type ProgramTunnelName = Exclude<TunnelName, 'openai' | 'relay'>;

export const PROGRAM_TUNNELS: readonly ProgramTunnelName[] = [
  'cloudflare',
  'ngrok',
  'tailscale',
  'ssh',
  'custom',
];

/** The provider of that name; only its own code is loaded. */
export async function programTunnel(
  name: ProgramTunnelName,
  context: ProviderContext,
): Promise<TunnelProvider> {
  switch (name) {
    case 'cloudflare':
      return (await import('./cloudflare.ts')).cloudflareProvider(context);
    case 'ngrok':
      return (await import('./ngrok.ts')).ngrokProvider(context);
    case 'tailscale':
      return (await import('./tailscale.ts')).tailscaleProvider(context);
    case 'ssh':
      return (await import('./ssh.ts')).sshProvider(context);
    case 'custom':
      return (await import('./custom.ts')).customProvider(context);
  }
}
