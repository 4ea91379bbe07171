import type { TunnelEnd, TunnelProvider } from './types.ts';

/** --public-url alone: somebody else (a reverse proxy, a port forwarding) leads to the public port. Nothing is started. */
export function forwardedBySomebody(origin: string): TunnelProvider {
  return {
    name: 'custom',
    inspect: async () => ({ ready: true, summary: `${origin}, forwarded by somebody else` }),
    async start({ port, onProgress }) {
      onProgress(`${origin} has to lead to 127.0.0.1:${port}`);
      let end: (end: TunnelEnd) => void = () => {};
      const ended = new Promise<TunnelEnd>((resolve) => {
        end = resolve;
      });
      return {
        address: { kind: 'url', origin },
        status: () => ({ state: 'connected', message: undefined }),
        ended,
        stop: async () => end({ reason: 'stopped' }),
      };
    },
  };
}
