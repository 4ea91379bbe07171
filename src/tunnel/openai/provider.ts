import type { TunnelProvider } from '../types.ts';
import { TunnelError } from '../types.ts';
import { type OpenAiTunnelCredentials, readCredentials } from './credentials.ts';
import { loadCredentials } from './stored-credentials.ts';
import { type OpenAiTunnelOptions, startOpenAiTunnel } from './tunnel.ts';

export interface OpenAiProviderOptions extends Omit<OpenAiTunnelOptions, 'credentials' | 'signal'> {
  readonly env: NodeJS.ProcessEnv;
  /** Of the project's .env; see CredentialSources. */
  readonly projectCredentials?: Readonly<Record<string, string>> | undefined;
  readonly stateDir: string;
  /** `--tunnel-base-url`. */
  readonly baseUrl: string | undefined;
}

/** The OpenAI Secure MCP Tunnel among the other tunnels. Its requests enter in process, authenticated by the service. */
export function openAiProvider(options: OpenAiProviderOptions): TunnelProvider {
  const credentials = async (): Promise<OpenAiTunnelCredentials> => {
    const { env, baseUrl, stateDir, projectCredentials: project } = options;
    return readCredentials({ env, baseUrl, project, stored: await loadCredentials(stateDir) });
  };
  return {
    name: 'openai',
    async inspect() {
      try {
        const { tunnelId, baseUrl } = await credentials();
        return { ready: true, summary: `configured for ${tunnelId} at ${baseUrl.host}; nothing to install` };
      } catch (error) {
        if (!(error instanceof TunnelError)) throw error;
        return { ready: false, summary: error.message, fix: error.hint };
      }
    },
    async start({ signal, onProgress }) {
      const checked = await credentials();
      onProgress(`asking ${checked.baseUrl.host} for ${checked.tunnelId}`);
      return startOpenAiTunnel({ ...options, credentials: checked, signal });
    },
  };
}
