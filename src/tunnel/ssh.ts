import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from './find-program.ts';
import { type LineMeaning, startProgramTunnel } from './program-tunnel.ts';
import { programVersion } from './program-version.ts';
import { type ProviderContext, programEnvironment, tunnelFolder } from './provider-context.ts';
import { TunnelError, type TunnelProvider } from './types.ts';
import { urlFinder } from './url-pattern.ts';

/** A public forwarding service without an account (https://localhost.run/docs/). */
const DEFAULT_SERVICE = 'nokey@localhost.run';
const INSTALL_HINT = 'Install the OpenSSH client of your system (Debian: apt install openssh-client).';

interface Destination {
  readonly login: string;
  readonly host: string;
  readonly port: string | undefined;
  /** The port on the other side: services that speak HTTP take 80 for "give me an address". */
  readonly remotePort: string;
}

/** The system's own `ssh -R` to a forwarding service: nothing to install. --tunnel-hostname is [USER@]HOST[:PORT][/REMOTE-PORT]. */
export function sshProvider(context: ProviderContext): TunnelProvider {
  return {
    name: 'ssh',

    async inspect() {
      const file = await findProgram('ssh', context);
      if (file === undefined) return { ready: false, summary: 'ssh is not installed', fix: INSTALL_HINT };
      const to = parseDestination(context.hostname);
      const summary = `${file} (${await programVersion(file, ['-V'])}) to ${to?.login ?? context.hostname}`;
      return to === undefined
        ? { ready: false, summary, fix: badDestination().hint }
        : { ready: true, summary };
    },

    async start(options) {
      const to = parseDestination(context.hostname);
      if (to === undefined) throw badDestination();
      const findUrl = urlFinder(context.urlPattern, (url, line) => isServedAddress(url, line, to.host));
      const file = await findProgram('ssh', context);
      if (file === undefined) throw new TunnelError('missing-program', 'ssh is not installed.', INSTALL_HINT);
      await mkdir(tunnelFolder(context), { recursive: true, mode: 0o700 });
      const known = context.publicOrigin;
      let forwarded = known === undefined;
      return startProgramTunnel(
        {
          name: 'ssh',
          file,
          args: [
            // Nothing is asked: there is nobody to answer.
            ...['-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=accept-new'],
            ...['-o', `UserKnownHostsFile=${quoted(join(tunnelFolder(context), 'known_hosts'))}`],
            ...['-o', 'ServerAliveInterval=15', '-o', 'ServerAliveCountMax=3'],
            ...['-o', 'ExitOnForwardFailure=yes', '-o', 'ConnectTimeout=20', '-o', 'ControlPath=none'],
            ...['-T', '-v'],
            ...(known === undefined ? [] : ['-N']),
            ...(to.port === undefined ? [] : ['-p', to.port]),
            ...['-R', `${to.remotePort}:127.0.0.1:${options.port}`, '--', to.login],
          ],
          env: programEnvironment(context.env),
          logFile: join(tunnelFolder(context), 'ssh.log'),
          readLine(line): LineMeaning | undefined {
            const error = refusal(line, to);
            if (error !== undefined) return { error };
            // What -v says is ssh's own; the service speaks without it.
            if (/^debug\d: /.test(line)) {
              if (/remote forward success/.test(line)) forwarded = true;
              return forwarded && known !== undefined ? { origin: known } : undefined;
            }
            const origin = known === undefined ? findUrl(line) : undefined;
            return origin === undefined ? undefined : { origin };
          },
          whyEnded: (lines) => refusal(lines, to) ?? failure(lines, to),
        },
        options,
      );
    },
  };
}

export function parseDestination(text: string = DEFAULT_SERVICE): Destination | undefined {
  const match =
    /^(?:([A-Za-z0-9._+-]+)@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)(?::(\d{1,5}))?(?:\/(\d{1,5}))?$/.exec(
      text,
    );
  if (match === null) return undefined;
  const [, user, hostText = '', port, remotePort = '80'] = match;
  const host = hostText.replace(/^\[|\]$/g, '');
  return { login: user === undefined ? host : `${user}@${host}`, host, port, remotePort };
}

function badDestination(): TunnelError {
  return new TunnelError(
    'not-configured',
    '--tunnel-hostname of an ssh tunnel is [USER@]HOST[:PORT][/REMOTE-PORT].',
    `Such as ${DEFAULT_SERVICE}, or me@example.org:22/8080 with --public-url for a server of your own.`,
  );
}

/**
 * Greetings hold links to the service's own pages: an address stands on a line that speaks of forwarding, or is
 * a bare origin of another host than the service's.
 */
function isServedAddress(url: URL, line: string, serviceHost: string): boolean {
  if (
    /tunneled with tls|forwarding (http|traffic|from)|forwarded (to|from)|-> *(http|127|localhost)/i.test(
      line,
    )
  )
    return true;
  if (url.pathname !== '/' || url.search !== '') return false;
  const host = url.hostname;
  const isService = host === serviceHost || /^(www|admin|docs|dashboard|console)\./.test(host);
  return !isService && host.split('.').length > 2;
}

function refusal(text: string, to: Destination): TunnelError | undefined {
  if (/Permission denied \(|Too many authentication failures|no more authentication methods/i.test(text)) {
    return new TunnelError(
      'refused',
      `${to.host} does not let ${to.login} in.`,
      'Add your public key there and load the private one (ssh-add), or choose another service with --tunnel-hostname.',
    );
  }
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED|Host key verification failed/i.test(text)) {
    return new TunnelError(
      'refused',
      `The host key of ${to.host} is not the one that it had before.`,
      'When you know why, remove its line from tunnel/known_hosts in the state folder; else somebody may be in between.',
    );
  }
  if (/remote port forwarding failed/i.test(text)) {
    return new TunnelError(
      'failed',
      `${to.host} does not forward its port ${to.remotePort}.`,
      'It is taken or not allowed there (AllowTcpForwarding, GatewayPorts); name another with --tunnel-hostname HOST/PORT.',
    );
  }
  return undefined;
}

function failure(lines: string, to: Destination): TunnelError | undefined {
  const why = /ssh: .*|Connection (?:to|closed|reset|timed out).*|kex_exchange_identification: .*/.exec(
    lines,
  )?.[0];
  return why === undefined
    ? undefined
    : new TunnelError(
        'failed',
        `ssh to ${to.host} ended: ${why.trim()}`,
        'Check network and firewall (port 22 outward).',
      );
}

/** ssh reads the value of -o like a line of its configuration: spaces need quotes, % a second one. */
function quoted(path: string): string {
  return `"${path.replaceAll('%', '%%').replaceAll('"', '\\"')}"`;
}
