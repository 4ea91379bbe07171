#!/usr/bin/env node
import { readArguments } from './cli/arguments.ts';
import { cleanEnvironment } from './cli/clean-environment.ts';
import { EXIT, type ExitCode, UsageError } from './config/usage-error.ts';
import { systemCode } from './runtime/errors.ts';
import { isWindows, sea } from './runtime/platform.ts';
import { forTerminal } from './runtime/terminal.ts';

/** Reads the command line and calls one command; each command's code is loaded only when it is called. */
async function main(args: readonly string[]): Promise<ExitCode> {
  const given = readArguments(args);
  onOutputErrors(given);
  const exitCode = await run(given);
  // A server ends when it is told to, whether or not somebody still reads.
  if (!isServer(given)) await written();
  return exitCode;
}

async function run({ command, flags, words, switches, values, topic }: Given): Promise<ExitCode> {
  switch (command) {
    case 'help':
      process.stdout.write((await import('./cli/help.ts')).helpText(topic));
      return EXIT.ok;
    case 'version':
      process.stdout.write(`${(await import('./runtime/version.ts')).VERSION}\n`);
      return EXIT.ok;
    case 'status':
      return (await import('./cli/status.ts')).status(flags);
    case 'page':
      return (await import('./cli/page.ts')).page(flags);
    case 'stop':
      return (await import('./cli/stop.ts')).stop(flags);
    case 'log':
      return (await import('./cli/log.ts')).showLog(flags, {
        follow: switches.has('follow'),
        json: switches.has('json'),
      });
    case 'token':
      return (await import('./cli/token.ts')).token(words, flags);
    case 'tunnel':
      return (await import('./cli/tunnel.ts')).tunnel(words, flags);
    case 'doctor':
      return (await import('./cli/doctor.ts')).doctor(flags);
    case 'relay':
      return (await import('./cli/relay.ts')).relay(words, flags);
    case 'licenses':
      return (await import('./cli/licenses.ts')).licenses();
    case 'history':
      return (await import('./cli/history.ts')).history(flags, words[0]);
    case 'undo':
      return (await import('./cli/undo.ts')).undo(flags, words[0]);
    case 'pair':
      return (await import('./cli/pair.ts')).pair(flags, words[0], values.get('relay')?.at(-1));
    case 'unpair':
      return (await import('./cli/unpair.ts')).unpair(flags, switches.has('force'));
    case 'workspace':
      return (await import('./cli/workspace.ts')).workspace(flags, words, {
        name: values.get('name')?.at(-1),
        path: values.get('path')?.at(-1),
        ignore: values.get('ignore') ?? [],
      });
    case 'client':
      return (await import('./cli/client.ts')).client(words, flags, {
        http: values.get('http')?.at(-1),
        name: values.get('name')?.at(-1),
        scope: values.get('scope')?.at(-1),
        yes: switches.has('yes'),
      });
    case 'service':
      return (await import('./cli/service.ts')).service(words, flags, {
        name: values.get('name')?.at(-1),
        yes: switches.has('yes'),
      });
    case 'upgrade':
      return (await import('./cli/upgrade.ts')).upgrade(flags, {
        check: switches.has('check'),
        to: values.get('to')?.at(-1),
      });
    case 'completion':
      return (await import('./cli/completion.ts')).completion(words);
    case 'agent':
    case 'run': {
      const servesTools = switches.has('serve-tools');
      if (servesTools) cleanEnvironment((message) => process.stderr.write(`local-coder: ${message}\n`));
      return (await import('./cli/agent.ts')).agent(flags, servesTools);
    }
    case 'serve': {
      // Windows lets an upgrade only rename the executable that runs; by now it may run no longer.
      if (isWindows && sea !== null)
        void import('./cli/upgrade/replace.ts').then((module) =>
          module.removeOldExecutables(process.execPath),
        );
      cleanEnvironment((message) => process.stderr.write(`local-coder: ${message}\n`));
      const overStdio = flags.get('stdio') ?? process.env['LOCAL_CODER_STDIO'];
      if (overStdio === true || overStdio === 'true') return (await import('./cli/stdio.ts')).stdio(flags);
      return (await import('./cli/serve.ts')).serve(flags);
    }
  }
}

type Given = ReturnType<typeof readArguments>;

/** Whether it runs until it is told to end. */
function isServer({ command, words }: Given): boolean {
  if (command === 'relay') return words.length === 0;
  if (command === 'service') return words[0] === 'run';
  return command === 'serve' || command === 'agent' || command === 'run';
}

/**
 * Whoever reads a command's output may close it early (`| head`): the command ends quietly. A server goes on without a
 * reader, and when the disk is full that its messages go to.
 */
function onOutputErrors(given: Given): void {
  process.stdout.on('error', (error) => {
    if (isServer(given)) return;
    if (systemCode(error) === 'EPIPE') process.exit(EXIT.ok);
    process.stderr.write(`local-coder: the output could not be written: ${error.message}\n`);
    process.exit(EXIT.failed);
  });
  process.stderr.on('error', () => {}); // there is nobody left to tell
}

/** What a pipe still holds back where writing to it is not synchronous (macOS, Windows) would be cut by the exit. */
function written(): Promise<void> {
  return new Promise((resolve) => process.stdout.write('', () => resolve()));
}

main(process.argv.slice(2)).then(
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    const expected = error instanceof UsageError;
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`local-coder: ${forTerminal(message)}\n`);
    if (!expected && process.env['LOCAL_CODER_LOG_LEVEL'] === 'debug' && error instanceof Error) {
      process.stderr.write(`${error.stack}\n`);
    }
    process.exit(expected ? error.exitCode : EXIT.failed);
  },
);
