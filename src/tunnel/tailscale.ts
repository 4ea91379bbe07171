import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isMac } from '../runtime/platform.ts';
import { runProgram } from '../runtime/run-program.ts';
import { findProgram } from './find-program.ts';
import { type LineMeaning, startProgramTunnel } from './program-tunnel.ts';
import { type ProviderContext, programEnvironment, publicOrigin, tunnelFolder } from './provider-context.ts';
import { TunnelError, type TunnelProvider } from './types.ts';

const INSTALL_HINT = 'Install it from https://tailscale.com/download, then: tailscale up.';
const MAC_APP = '/Applications/Tailscale.app/Contents/MacOS/Tailscale';

/** `tailscale funnel` (https://tailscale.com/kb/1223/funnel): the machine's own name in the tailnet, open to the internet. */
export function tailscaleProvider(context: ProviderContext): TunnelProvider {
  return {
    name: 'tailscale',

    async inspect() {
      const file = await tailscaleFile(context);
      if (file === undefined)
        return { ready: false, summary: 'tailscale is not installed', fix: INSTALL_HINT };
      const state = await backendState(file, context);
      const problem = problemOf(state);
      return problem === undefined
        ? { ready: true, summary: `${file}, ${state?.name ?? 'name unknown'}` }
        : { ready: false, summary: `${file}: ${problem.message}`, fix: problem.hint };
    },

    async start(options) {
      const file = await tailscaleFile(context);
      if (file === undefined)
        throw new TunnelError('missing-program', 'tailscale is not installed.', INSTALL_HINT);
      const problem = problemOf(await backendState(file, context));
      if (problem !== undefined) throw problem;
      let announced = false;
      return startProgramTunnel(
        {
          name: 'tailscale',
          file,
          // In the foreground: the funnel ends with the program.
          args: ['funnel', '--yes', `http://127.0.0.1:${options.port}`],
          env: programEnvironment(context.env),
          logFile: join(tunnelFolder(context), 'tailscale.log'),
          readLine(line): LineMeaning | undefined {
            if (/Available on the internet/i.test(line)) announced = true;
            const url = /https:\/\/[^\s/|]+/.exec(line)?.[0];
            // Before the announcement there may be a page to visit, which is no address of ours.
            if (announced && url !== undefined) return { origin: publicOrigin(url) };
            const error = refusal(line);
            return error === undefined ? undefined : { error };
          },
          whyEnded: refusal,
        },
        options,
      );
    },
  };
}

async function tailscaleFile(context: ProviderContext): Promise<string | undefined> {
  const found = await findProgram('tailscale', context);
  // The app of the Mac App Store has the program inside, not on PATH.
  return found ?? (isMac && existsSync(MAC_APP) ? MAC_APP : undefined);
}

interface BackendState {
  readonly state: string;
  readonly name: string | undefined;
}

/** `tailscale status --json`: BackendState and Self.DNSName; undefined when the service does not answer. */
async function backendState(file: string, context: ProviderContext): Promise<BackendState | undefined> {
  try {
    const result = await runProgram(file, ['status', '--json', '--peers=false'], {
      cwd: '/',
      env: programEnvironment(context.env),
      timeoutMs: 10_000,
      maxBytes: 1024 * 1024,
    });
    const status = JSON.parse(result.stdout.toString('utf8')) as {
      BackendState?: unknown;
      Self?: { DNSName?: unknown };
    };
    const name = status.Self?.DNSName;
    return {
      state: String(status.BackendState),
      name: typeof name === 'string' && name !== '' ? name.replace(/\.$/, '') : undefined,
    };
  } catch {
    return undefined;
  }
}

function problemOf(state: BackendState | undefined): TunnelError | undefined {
  if (state === undefined) {
    return new TunnelError(
      'failed',
      'The Tailscale service does not answer.',
      'Start it (sudo systemctl start tailscaled, or the Tailscale app).',
    );
  }
  if (state.state === 'Running' || state.state === 'Starting') return undefined;
  if (state.state === 'Stopped')
    return new TunnelError('failed', 'Tailscale is switched off.', 'Run: tailscale up.');
  return new TunnelError(
    'refused',
    `This machine is not logged in to Tailscale (${state.state}).`,
    'Run: tailscale up, and log in.',
  );
}

function refusal(text: string): TunnelError | undefined {
  if (
    /Funnel is not enabled|Funnel not available|funnel.*node attribute|not allowed by the ACL/i.test(text)
  ) {
    return new TunnelError(
      'refused',
      'Funnel is not allowed for this machine in your tailnet.',
      `Allow it at ${/https:\/\/login\.tailscale\.com\/f\/\S+/.exec(text)?.[0] ?? 'https://login.tailscale.com/admin/acls (nodeAttrs: funnel)'}, with HTTPS certificates switched on under DNS.`,
    );
  }
  if (/Access denied|access denied|--operator=/.test(text)) {
    return new TunnelError(
      'refused',
      'This user may not change the Tailscale service.',
      'Run once: sudo tailscale set --operator=$USER.',
    );
  }
  if (/foreground (listener|config) already exists|port .* already in use/i.test(text)) {
    return new TunnelError(
      'failed',
      'Another funnel of this machine uses port 443.',
      'See tailscale funnel status; tailscale funnel reset ends it.',
    );
  }
  return undefined;
}
