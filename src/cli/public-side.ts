import { setTimeout as delay } from 'node:timers/promises';
import type { Settings } from '../config/load.ts';
import { EXIT, type ExitCode, UsageError } from '../config/usage-error.ts';
import type { ConnectorModel, TunnelModel } from '../dashboard/models.ts';
import { type Listener, listen } from '../http/listener.ts';
import { createPublicApp } from '../http/public-app.ts';
import type { RequestLine } from '../http/request-log.ts';
import { systemCode } from '../runtime/errors.ts';
import { createHttpClient } from '../runtime/http-client.ts';
import type { Log } from '../runtime/log.ts';
import { forTerminal } from '../runtime/terminal.ts';
import { createDataPath } from '../tunnel/data-path.ts';
import { HealthKey } from '../tunnel/health-key.ts';
import { programTunnel } from '../tunnel/providers.ts';
import { TunnelSupervisor } from '../tunnel/supervisor.ts';
import {
  type TunnelAddress,
  TunnelError,
  type TunnelErrorReason,
  type TunnelName,
  type TunnelProvider,
  type TunnelStatus,
} from '../tunnel/types.ts';
import { auditEntry } from './audit-entry.ts';
import type { Gatekeeper } from './caller-auth.ts';
import { CONNECTOR_NAME, connectorCard, connectorDescription } from './connector-card.ts';
import { providerContext, publicAuth } from './provider-settings.ts';
import type { ServedModes } from './served-modes.ts';

export interface PublicSideOptions {
  readonly settings: Settings;
  readonly stateDir: string;
  readonly modes: ServedModes;
  readonly gatekeeper: Gatekeeper;
  readonly log: Log;
  readonly onRequest: (line: RequestLine) => void;
  /** Told when the tunnel's status has changed. */
  readonly onStatus: () => void;
}

/** What is reached from the web. */
export interface PublicSide {
  /** Resolves when there will never be a tunnel and the program should end; never when all is well. */
  readonly failed: Promise<UsageError>;
  /** How the tunnel is; without one, how the address is that somebody else leads here. */
  tunnel(): TunnelModel;
  /** What ChatGPT's form asks for; undefined while there is no address. */
  connector(): Promise<ConnectorModel | undefined>;
  close(graceMs: number): Promise<void>;
}

/** Opens the public listener where one is needed, and the tunnel to it; resolves before the tunnel is up. */
export async function openPublicSide(options: PublicSideOptions): Promise<PublicSide> {
  const { settings, modes, gatekeeper, log } = options;
  const name = (settings.tunnel ?? 'none') as TunnelName | 'none';
  const auth = publicAuth(settings);
  const health = new HealthKey();
  let origin: string | undefined;
  let streams = true;
  const listener =
    name === 'openai' || name === 'relay'
      ? undefined
      : await bindPublic(
          createPublicApp({
            auth: gatekeeper.callerAuth(auth, () => origin, clientAddressOf(name)),
            mcp: (granted) => modes.mcpFor(granted),
            health,
            streams: () => streams,
            served: () => modes.services,
            onRequest: (line) => {
              // Our own looks at the address would drown what the user wants to see.
              if (line.path !== '/health') options.onRequest(line);
            },
            onError: (error) => log.error(error.stack ?? error.message),
          }).fetch,
          settings['public-port'] ?? 0,
        );
  const client = createHttpClient({ env: process.env, maxConnections: 2 });
  const supervisor = new TunnelSupervisor({
    provider: await providerOf(name, options),
    port: listener?.port ?? 0,
    dataPath: createDataPath(health, client),
    events: {
      progress(message) {
        log.info(message);
        options.onStatus();
      },
      up(address, facts) {
        streams = facts.streams;
        options.onStatus();
        if (address.kind === 'url') {
          origin = address.origin;
          modes.setBaseUrl(origin);
        }
        if (!facts.changed) return log.info(`the tunnel is back at ${shown(address)}`);
        void showCard(options, address, address.kind === 'url' ? auth : 'none', facts.streams);
      },
      down(message, tail) {
        log.warn(withTail(message, tail));
        options.onStatus();
      },
      gaveUp(error) {
        log.error(
          withTail(
            `there is no tunnel any more: ${error.message} ${error.hint} The server on this machine goes on; start it anew when that is mended.`,
            error.logTail,
          ),
        );
        options.onStatus();
      },
    },
  });
  const failed = new Promise<UsageError>((resolve) => {
    supervisor.start().catch((error: unknown) => resolve(asUsageError(error)));
  });
  return {
    failed,
    tunnel() {
      const { state, message, address } = supervisor.status();
      return {
        name: name === 'none' ? 'public-url' : name,
        state: STATES[state],
        message,
        address: address && shown(address),
      };
    },
    async connector() {
      const { address } = supervisor.status();
      if (address === undefined) return undefined;
      const path = auth === 'url' && address.kind === 'url' ? await gatekeeper.secretUrl.path() : '/mcp';
      return {
        name: CONNECTOR_NAME,
        description: connectorDescription(settings.workspace[0]),
        server:
          address.kind === 'tunnel-id'
            ? { kind: 'tunnel', value: address.id }
            : { kind: 'url', value: `${address.origin}${path}` },
        authentication:
          address.kind === 'relay' || (address.kind === 'url' && auth === 'oauth') ? 'oauth' : 'none',
      };
    },
    async close(graceMs) {
      await supervisor.stop();
      await Promise.race([listener?.close(graceMs), delay(graceMs + 1_000, undefined, { ref: false })]);
      client.close();
    },
  };
}

/** The page's words for what the supervisor says. */
const STATES = {
  connecting: 'starting',
  connected: 'up',
  reconnecting: 'down',
  ended: 'failed',
} as const satisfies Record<TunnelStatus['state'], TunnelModel['state']>;

async function providerOf(name: TunnelName | 'none', options: PublicSideOptions): Promise<TunnelProvider> {
  const { settings, stateDir } = options;
  const context = providerContext(settings, stateDir);
  if (name === 'openai') {
    const { openAiProvider } = await import('../tunnel/openai/provider.ts');
    return openAiProvider({
      mcp: options.modes.mcpFor(undefined),
      log: options.log,
      onRequest: options.onRequest,
      env: process.env,
      projectCredentials: settings.projectCredentials,
      stateDir,
      baseUrl: settings['tunnel-base-url'],
    });
  }
  if (name === 'none') {
    const { forwardedBySomebody } = await import('../tunnel/forwarded.ts');
    return forwardedBySomebody(context.publicOrigin ?? '');
  }
  if (name === 'relay') {
    const { relayProvider } = await import('./relay-tunnel.ts');
    return relayProvider({
      stateDir,
      env: process.env,
      log: options.log,
      access: settings.access,
      registryFor: (access) => options.modes.registryFor(access),
      onCall: (record) => options.modes.services[0].audit?.record(auditEntry(record)),
    });
  }
  return programTunnel(name, context);
}

async function bindPublic(fetch: Parameters<typeof listen>[0], port: number): Promise<Listener> {
  try {
    return await listen(fetch, { host: '127.0.0.1', port }, { strangers: true });
  } catch (error) {
    const code = systemCode(error);
    throw new UsageError(
      code === 'EADDRINUSE'
        ? `The public port ${port} is taken. Choose another with --public-port N, or leave it out for a free one.`
        : `The public port ${port} cannot be listened on (${code ?? String(error)}). Choose another with --public-port N.`,
      code === 'EADDRINUSE' ? EXIT.portTaken : EXIT.failed,
    );
  }
}

/** Cloudflare sets this header itself, whatever the caller sent; of the others none is known to. */
function clientAddressOf(name: TunnelName | 'none') {
  return name === 'cloudflare'
    ? (request: Request) => request.headers.get('cf-connecting-ip') ?? undefined
    : undefined;
}

async function showCard(
  { settings, gatekeeper, log }: PublicSideOptions,
  address: TunnelAddress,
  auth: 'oauth' | 'url' | 'none',
  streams: boolean,
): Promise<void> {
  try {
    const secretPath = auth === 'url' ? await gatekeeper.secretUrl.path() : undefined;
    const card = { address, folder: settings.workspace[0], auth, secretPath, streams };
    process.stdout.write(await connectorCard(card, process.stdout));
  } catch (error) {
    log.error(`the connector card cannot be shown: ${error instanceof Error ? error.message : error}`);
  }
}

const EXIT_CODES: Readonly<Record<TunnelErrorReason, ExitCode>> = {
  'missing-program': EXIT.failed,
  'not-configured': EXIT.usage,
  refused: EXIT.refused,
  failed: EXIT.failed,
};

function asUsageError(error: unknown): UsageError {
  if (!(error instanceof TunnelError))
    return new UsageError(`The tunnel cannot be started: ${String(error)}`, EXIT.failed);
  return new UsageError(withTail(`${error.message} ${error.hint}`, error.logTail), EXIT_CODES[error.reason]);
}

/** The last lines of the program's log under the message; a terminal shows each as one line. */
function withTail(message: string, tail: string | undefined): string {
  if (tail === undefined) return message;
  const lines = tail
    .split('\n')
    .slice(-4)
    .map((line) => forTerminal(line.trim()).slice(0, 200));
  return `${message} Its last words: ${lines.join(' | ')}`;
}

function shown(address: TunnelAddress): string {
  return address.kind === 'tunnel-id' ? address.id : address.origin;
}
