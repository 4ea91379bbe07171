import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runnable } from '../runtime/run-folder.ts';
import { findProgram } from './find-program.ts';
import { freePort } from './free-port.ts';
import { pause } from './pause.ts';
import { writePrivateFile } from './private-file.ts';
import { type LineMeaning, startProgramTunnel, type TunnelProgram } from './program-tunnel.ts';
import { programVersion } from './program-version.ts';
import { type ProviderContext, programEnvironment, publicOrigin, tunnelFolder } from './provider-context.ts';
import { TunnelError, type TunnelProvider, type TunnelStartOptions } from './types.ts';

const INSTALL_HINT =
  'Start once with --tunnel-install to download it, or install it: brew install cloudflared, winget install ' +
  'Cloudflare.cloudflared, or https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/downloads/';
/** A name that was just made is asked for a little later: a resolver that heard "no such name" remembers it. */
const NEW_NAME_MS = 1_500;

/** Cloudflare's tunnels by the `cloudflared` program: quick ones without an account, or a named one with a token. */
export function cloudflareProvider(context: ProviderContext): TunnelProvider {
  return {
    name: 'cloudflare',

    async inspect() {
      const file = await findProgram('cloudflared', context);
      if (file === undefined)
        return { ready: false, summary: 'cloudflared is not installed', fix: INSTALL_HINT };
      const wrong = namedProblem(context);
      const kind = context.hostname === undefined ? 'quick tunnel' : `named tunnel ${context.hostname}`;
      const summary = `${file} (${await programVersion(file)}), ${kind}`;
      return wrong === undefined
        ? { ready: true, summary }
        : { ready: false, summary: `${summary}: ${wrong.message}`, fix: wrong.hint };
    },

    async start(options) {
      const wrong = namedProblem(context);
      if (wrong !== undefined) throw wrong;
      const file = await programFile(context, options);
      const metricsPort = await freePort();
      const plan = { file, metricsPort, port: options.port };
      return startProgramTunnel(
        context.hostname === undefined
          ? await quickTunnel(context, plan)
          : await namedTunnel(context, context.hostname, plan),
        options,
      );
    },
  };
}

async function programFile(context: ProviderContext, options: TunnelStartOptions): Promise<string> {
  const found = await findProgram('cloudflared', context);
  if (found !== undefined) return found;
  if (!context.install) {
    throw new TunnelError('missing-program', 'cloudflared is not installed.', INSTALL_HINT);
  }
  const { installCloudflared } = await import('./cloudflared-install.ts');
  const file = await installCloudflared(context, options);
  return (await runnable(file)) ?? file;
}

interface Plan {
  readonly file: string;
  readonly metricsPort: number;
  readonly port: number;
}

async function quickTunnel(context: ProviderContext, plan: Plan): Promise<TunnelProgram> {
  // With a configuration file of the user's own, cloudflared refuses to make a quick tunnel.
  const config = join(tunnelFolder(context), 'cloudflared-quick.yml');
  await writePrivateFile(config, 'no-autoupdate: true\n');
  const metrics = `127.0.0.1:${plan.metricsPort}`;
  return {
    ...common(context, plan),
    args: [
      'tunnel',
      ...['--config', config],
      '--no-autoupdate',
      ...['--metrics', metrics],
      ...['--url', `http://127.0.0.1:${plan.port}`],
    ],
    async askOrigin(signal) {
      const answer = await fetch(`http://${metrics}/quicktunnel`, { signal: within(signal) });
      const { hostname } = (await answer.json()) as { hostname?: unknown };
      return typeof hostname === 'string' && hostname !== ''
        ? publicOrigin(`https://${hostname}`)
        : undefined;
    },
    async untilReady(signal) {
      await untilConnected(metrics, signal);
      await pause(NEW_NAME_MS, signal);
    },
  };
}

async function namedTunnel(context: ProviderContext, hostname: string, plan: Plan): Promise<TunnelProgram> {
  const token = context.env['TUNNEL_TOKEN'] ?? '';
  // Not by environment: /proc shows it to every program of this user.
  const tokenFile = join(tunnelFolder(context), `cloudflared-${process.pid}.token`);
  await writePrivateFile(tokenFile, `${token.trim()}\n`);
  const metrics = `127.0.0.1:${plan.metricsPort}`;
  const removeToken = () => rm(tokenFile, { force: true });
  return {
    ...common(context, plan),
    secrets: [token],
    args: ['tunnel', '--no-autoupdate', '--metrics', metrics, 'run', '--token-file', tokenFile],
    askOrigin: async () => publicOrigin(`https://${bareHost(hostname)}`),
    async untilReady(signal) {
      await untilConnected(metrics, signal);
      await removeToken(); // it was read at the start
    },
    cleanUp: removeToken,
  };
}

function common(context: ProviderContext, plan: Plan) {
  return {
    name: 'cloudflare' as const,
    file: plan.file,
    env: programEnvironment(context.env),
    logFile: join(tunnelFolder(context), 'cloudflare.log'),
    readLine,
    whyEnded: (lines: string) => refusal(lines),
  };
}

/** /ready answers 200 once a connection to Cloudflare's edge stands. */
async function untilConnected(metrics: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const answer = await fetch(`http://${metrics}/ready`, { signal: within(signal) }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.status === 200) return;
    await pause(250, signal);
  }
}

function within(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(2_000)]);
}

/** What a line of cloudflared's log means. The address stands alone in a box of `|`, `-` and `+`. */
export function readLine(line: string): LineMeaning | undefined {
  const boxed = /\|\s+(https:\/\/[a-z0-9-]+(?:\.[a-z0-9-]+)*\.trycloudflare\.com)\/?\s+\|/i.exec(line)?.[1];
  if (boxed !== undefined) return { origin: publicOrigin(boxed) };
  const error = refusal(line);
  if (error !== undefined) return { error };
  if (/Registered tunnel connection/.test(line)) return { state: 'connected' };
  if (/Requesting new quick Tunnel/i.test(line)) return { progress: 'asking Cloudflare for a quick tunnel' };
  if (/\bERR\b.*(Failed to dial|Serve tunnel error|Unable to establish connection)/.test(line))
    return {
      state: 'reconnecting',
      progress: 'no connection to Cloudflare yet (port 7844 outward, UDP or TCP)',
    };
  return undefined;
}

function refusal(text: string): TunnelError | undefined {
  if (/Provided Tunnel token is not valid/i.test(text)) {
    return new TunnelError(
      'refused',
      'Cloudflare does not accept the tunnel token.',
      'Copy the whole token again (Zero Trust → Networks → Tunnels → your tunnel) into TUNNEL_TOKEN.',
    );
  }
  if (/Unauthorized: (Invalid tunnel secret|Tunnel not found|Failed to get tunnel)/i.test(text)) {
    return new TunnelError(
      'refused',
      'Cloudflare does not know this tunnel, or its token was replaced.',
      'Look whether the tunnel still exists (Zero Trust → Networks → Tunnels) and copy its present token into TUNNEL_TOKEN.',
    );
  }
  return undefined;
}

/** What is wrong with the settings of a named tunnel. */
function namedProblem(context: ProviderContext): TunnelError | undefined {
  const token = context.env['TUNNEL_TOKEN'];
  if (context.hostname === undefined) {
    if (token === undefined || token === '') return undefined;
    return new TunnelError(
      'not-configured',
      'TUNNEL_TOKEN names a tunnel of yours, but not the address it has.',
      'Give its public host name with --tunnel-hostname, or unset TUNNEL_TOKEN for a quick tunnel.',
    );
  }
  if (publicOrigin(`https://${bareHost(context.hostname)}`) === undefined) {
    return new TunnelError(
      'not-configured',
      '--tunnel-hostname is no host name.',
      'Such as code.example.org.',
    );
  }
  if (token === undefined || token === '') {
    return new TunnelError(
      'not-configured',
      'A named tunnel needs its token.',
      'Set TUNNEL_TOKEN to the token of the tunnel (Zero Trust → Networks → Tunnels), or leave --tunnel-hostname out.',
    );
  }
  if (context.publicPort === undefined) {
    return new TunnelError(
      'not-configured',
      'The configuration of a named tunnel at Cloudflare names a local port, so it must be a fixed one.',
      'Give it with --public-port N, and enter http://127.0.0.1:N as the service of the public host name at Cloudflare.',
    );
  }
  return undefined;
}

function bareHost(hostname: string): string {
  return hostname.replace(/^https:\/\//i, '').replace(/\/+$/, '');
}
