export {
  checkApiKey,
  checkTunnelId,
  DEFAULT_BASE_URL,
  type OpenAiTunnelCredentials,
  parseBaseUrl,
  readCredentials,
  type StoredCredentials,
} from './credentials.ts';
export { checkCredentials } from './metadata.ts';
export { type OpenAiProviderOptions, openAiProvider } from './provider.ts';
export { credentialsFile, loadCredentials, storeCredentials } from './stored-credentials.ts';
export {
  type OpenAiTunnel,
  type OpenAiTunnelOptions,
  type OpenAiTunnelStatus,
  startOpenAiTunnel,
} from './tunnel.ts';
