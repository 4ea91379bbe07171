import { join } from 'node:path';
import { isWindows } from '../runtime/platform.ts';
import { which } from '../runtime/which.ts';
import { startProgramTunnel } from './program-tunnel.ts';
import { type ProviderContext, programEnvironment, tunnelFolder } from './provider-context.ts';
import { TunnelError, type TunnelProvider } from './types.ts';
import { urlFinder } from './url-pattern.ts';

/** A program of the user's own choice: --tunnel-command, in which {port} is the port to forward to. */
export function customProvider(context: ProviderContext): TunnelProvider {
  return {
    name: 'custom',

    async inspect() {
      const problem = problemOf(context);
      return problem === undefined
        ? { ready: true, summary: `command ${firstWord(context.command ?? '')}` }
        : { ready: false, summary: problem.message, fix: problem.hint };
    },

    async start(options) {
      const problem = problemOf(context);
      if (problem !== undefined) throw problem;
      const findUrl = urlFinder(context.urlPattern);
      const line = (context.command ?? '').replaceAll('{port}', String(options.port));
      const known = context.publicOrigin;
      return startProgramTunnel(
        {
          name: 'custom',
          ...(await shellCommand(line, context.env)),
          // Its credentials are the user's own matter: a command cannot be handed a file that it does not ask for.
          env: programEnvironment(context.env, { keepCredentials: true }),
          secrets: secretsOf(context.env),
          logFile: join(tunnelFolder(context), 'custom.log'),
          readLine(text) {
            const origin = known ?? findUrl(text);
            return origin === undefined ? undefined : { origin };
          },
          // With an address that is known nothing has to be printed.
          ...(known === undefined ? {} : { askOrigin: async () => known }),
          whyEnded: (lines, code) => whyEnded(line, lines, code),
        },
        options,
      );
    },
  };
}

async function shellCommand(line: string, env: NodeJS.ProcessEnv) {
  if (!isWindows) return { file: '/bin/sh', args: ['-c', line] };
  const file = (await which('cmd', env)) ?? 'C:\\Windows\\System32\\cmd.exe';
  // /s: cmd takes off the outer quotes and nothing else.
  return { file, args: ['/d', '/s', '/c', `"${line}"`], verbatimArguments: true };
}

/** What a shell says of a command that it does not find (POSIX: 127; 126 for one that may not be executed). */
function whyEnded(line: string, lines: string, code: number | null): TunnelError | undefined {
  const missing = code === 127 || code === 126 || /is not recognized as an internal or external/.test(lines);
  if (!missing) return undefined;
  return new TunnelError(
    'missing-program',
    `The program of --tunnel-command cannot be started: ${firstWord(line)}.`,
    'Install it, or give its full path in --tunnel-command.',
  );
}

function problemOf({ command }: ProviderContext): TunnelError | undefined {
  if (command === undefined) {
    return new TunnelError(
      'not-configured',
      '--tunnel custom needs a command.',
      "Give it with --tunnel-command, such as --tunnel-command 'my-tunnel --port {port}'.",
    );
  }
  if (command.includes('{port}')) return undefined;
  return new TunnelError(
    'not-configured',
    '--tunnel-command does not say where the port goes.',
    'Write {port} in it: the local port that it has to forward to.',
  );
}

/** Of a command line only its first word is shown: the rest may hold a password. */
function firstWord(line: string): string {
  return line.trim().split(/\s+/, 1)[0] ?? '';
}

function secretsOf(env: NodeJS.ProcessEnv): string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && /(TOKEN|SECRET|PASSWORD|AUTHKEY|API_KEY)$/i.test(name) ? [value] : [],
  );
}
