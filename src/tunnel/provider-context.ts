import { join } from 'node:path';

/** What a provider may need to know; made from the settings by whoever starts one. */
export interface ProviderContext {
  /** The product's private folder. Programs are looked for in its `bin`, logs and credentials go to its `tunnel`. */
  readonly stateDir: string;
  /** The user's environment, credentials included. */
  readonly env: NodeJS.ProcessEnv;
  /** --tunnel-bin */
  readonly bin?: string | undefined;
  /** --tunnel-hostname */
  readonly hostname?: string | undefined;
  /** --tunnel-install: a missing program may be downloaded. */
  readonly install?: boolean | undefined;
  /** --tunnel-version, --tunnel-mirror: which, from where. */
  readonly version?: string | undefined;
  readonly mirror?: string | undefined;
  /** --tunnel-command, --tunnel-url-pattern */
  readonly command?: string | undefined;
  readonly urlPattern?: string | undefined;
  /** --public-url, without a path: the address is known beforehand. */
  readonly publicOrigin?: string | undefined;
  /** --public-port, when it is a fixed one. */
  readonly publicPort?: number | undefined;
}

/** Where a provider keeps its log and what it hands to its program. */
export function tunnelFolder(context: ProviderContext): string {
  return join(context.stateDir, 'tunnel');
}

/** Credentials of tunnel programs: handed over as a private file where the program can read one. */
const CREDENTIALS = /^(TUNNEL_.*|NGROK_(AUTHTOKEN|API_KEY)|TS_AUTHKEY|TS_API_KEY)$/i;
/** Never for a tunnel program. */
const OWN = /^(LOCAL_CODER_.*|OPENAI_.*|CONTROL_PLANE_.*)$/i;

/** The environment of a tunnel program: the user's without our own variables and without every tunnel's credentials. */
export function programEnvironment(
  env: NodeJS.ProcessEnv,
  options: { readonly keepCredentials?: boolean } = {},
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || OWN.test(name)) continue;
    if (!options.keepCredentials && CREDENTIALS.test(name)) continue;
    result[name] = value;
  }
  return result;
}

/** An address as the user or a program gives it: its https origin; http only where it cannot leave this machine. */
export function publicOrigin(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, origin, username } = new URL(url);
  if (username !== '') return undefined;
  if (protocol === 'https:') return origin;
  const loopback = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
  return protocol === 'http:' && loopback ? origin : undefined;
}
