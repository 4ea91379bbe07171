import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from './find-program.ts';
import { writePrivateFile } from './private-file.ts';
import { type LineMeaning, startProgramTunnel } from './program-tunnel.ts';
import { programVersion } from './program-version.ts';
import { type ProviderContext, programEnvironment, publicOrigin, tunnelFolder } from './provider-context.ts';
import { TunnelError, type TunnelProvider } from './types.ts';

const INSTALL_HINT =
  'Install it from https://ngrok.com/download (brew install ngrok, winget install ngrok.ngrok), then: ngrok config add-authtoken TOKEN.';

/** The `ngrok` program (https://ngrok.com/docs/agent); with --tunnel-hostname a reserved domain. */
export function ngrokProvider(context: ProviderContext): TunnelProvider {
  return {
    name: 'ngrok',

    async inspect() {
      const file = await findProgram('ngrok', context);
      if (file === undefined) return { ready: false, summary: 'ngrok is not installed', fix: INSTALL_HINT };
      const token = context.env['NGROK_AUTHTOKEN'] ? 'NGROK_AUTHTOKEN is set' : "ngrok's own configuration";
      const domain = context.hostname === undefined ? '' : `, domain ${context.hostname}`;
      return { ready: true, summary: `${file} (${await programVersion(file)}), ${token}${domain}` };
    },

    async start(options) {
      const file = await findProgram('ngrok', context);
      if (file === undefined)
        throw new TunnelError('missing-program', 'ngrok is not installed.', INSTALL_HINT);
      const token = context.env['NGROK_AUTHTOKEN']?.trim() || undefined;
      const config = join(tunnelFolder(context), `ngrok-${process.pid}.yml`);
      // By file: an environment shows in /proc. JSON's string is YAML's too.
      if (token !== undefined)
        await writePrivateFile(config, `version: "2"\nauthtoken: ${JSON.stringify(token)}\n`);
      let api: string | undefined;
      return startProgramTunnel(
        {
          name: 'ngrok',
          file,
          args: [
            ...['http', `http://127.0.0.1:${options.port}`, '--log', 'stdout', '--log-format', 'json'],
            ...(token === undefined ? [] : ['--config', config]),
            ...(context.hostname === undefined ? [] : ['--url', `https://${bareHost(context.hostname)}`]),
          ],
          env: programEnvironment(context.env),
          logFile: join(tunnelFolder(context), 'ngrok.log'),
          secrets: token === undefined ? [] : [token],
          readLine(line) {
            const entry = parse(line);
            if (entry?.['msg'] === 'starting web service' && typeof entry['addr'] === 'string')
              api = entry['addr'];
            return meaningOf(entry, line);
          },
          async askOrigin(signal) {
            if (api === undefined) return undefined;
            const within = AbortSignal.any([signal, AbortSignal.timeout(2_000)]);
            const answer = await fetch(`http://${api}/api/tunnels`, { signal: within });
            return originOf(await answer.json(), options.port);
          },
          whyEnded: refusal,
          cleanUp: () => rm(config, { force: true }),
        },
        options,
      );
    },
  };
}

type Entry = Readonly<Record<string, unknown>>;

function parse(line: string): Entry | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null ? (entry as Entry) : undefined;
  } catch {
    return undefined; // what goes wrong early is told in plain words
  }
}

function meaningOf(entry: Entry | undefined, line: string): LineMeaning | undefined {
  const error = refusal(line);
  if (error !== undefined) return { error };
  if (entry?.['msg'] === 'started tunnel' && typeof entry['url'] === 'string')
    return { origin: publicOrigin(entry['url']), state: 'connected' };
  if (entry?.['msg'] === 'client session established')
    return { state: 'connected', progress: 'connected to ngrok' };
  if (
    entry?.['msg'] === 'session closed, starting reconnect loop' ||
    entry?.['msg'] === 'failed to reconnect session'
  )
    return { state: 'reconnecting', progress: 'no connection to ngrok yet' };
  return undefined;
}

/** GET /api/tunnels of the agent's own interface. */
function originOf(answer: unknown, port: number): string | undefined {
  const { tunnels } = answer as { tunnels?: { public_url?: unknown; config?: { addr?: unknown } }[] };
  const ours = tunnels?.find(({ config }) => String(config?.addr ?? '').endsWith(`:${port}`));
  return typeof ours?.public_url === 'string' ? publicOrigin(ours.public_url) : undefined;
}

/** Error codes: https://ngrok.com/docs/errors */
function refusal(text: string): TunnelError | undefined {
  if (/ERR_NGROK_(105|106|107|4018|302|303)\b|authentication failed: (The|Usage|Your)/.test(text)) {
    return new TunnelError(
      'refused',
      'ngrok does not accept the authtoken, or there is none.',
      'Copy it from https://dashboard.ngrok.com/get-started/your-authtoken and run: ngrok config add-authtoken TOKEN, or set NGROK_AUTHTOKEN.',
    );
  }
  if (/ERR_NGROK_(314|319|320|326|9009)\b/.test(text)) {
    return new TunnelError(
      'refused',
      'ngrok does not give this account that domain.',
      'Reserve it at https://dashboard.ngrok.com/domains, or leave --tunnel-hostname out.',
    );
  }
  if (/ERR_NGROK_(108|334)\b/.test(text)) {
    return new TunnelError(
      'failed',
      'ngrok is in use elsewhere by this account.',
      'End the other agent, or see https://dashboard.ngrok.com/agents.',
    );
  }
  return undefined;
}

function bareHost(hostname: string): string {
  return hostname.replace(/^https:\/\//i, '').replace(/\/+$/, '');
}
