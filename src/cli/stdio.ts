import { describeCommands } from '../access/sandbox/index.ts';
import type { SettingName } from '../config/definitions.ts';
import { loadSettings } from '../config/load.ts';
import { openStateDir } from '../config/state-dir.ts';
import { EXIT, type ExitCode, UsageError } from '../config/usage-error.ts';
import { serveOverStdio } from '../mcp/stdio.ts';
import { createLog } from '../runtime/log.ts';
import { startProgram } from './program.ts';
import { wantsPublicSide } from './provider-settings.ts';
import { onTermination } from './termination.ts';

const GRACE_MS = 5_000;

/** `local-coder --stdio`: serves the client that started this process until it closes its end, or a signal. */
export async function stdio(flags: ReadonlyMap<SettingName, unknown>): Promise<ExitCode> {
  const settings = await loadSettings(flags, process.env, process.cwd());
  if (wantsPublicSide(settings)) {
    throw new UsageError(
      '--stdio serves the one client that started it; leave --tunnel and --public-url out, or leave --stdio out.',
    );
  }
  const log = createLog(settings['log-level']);
  for (const warning of settings.warnings) log.warn(warning);
  const { stateDir, warning, portable } = await openStateDir(settings['state-dir'], settings);
  if (warning !== undefined) log.warn(warning);
  if (portable !== undefined) log[portable.isKept ? 'info' : 'warn'](`portable: ${portable.says}`);

  const program = startProgram(settings, stateDir, log);
  if (settings.access === 'workspace') {
    // Nobody waits for it; whoever starts a command is told the same.
    describeCommands(settings.access, program.services.sandbox).then(
      (commands) => log.info(`commands: ${commands}`),
      () => {},
    );
  }
  const clientGone = new Promise<void>((resolve) => {
    process.stdin.once('close', resolve);
    process.stdin.once('end', resolve);
    // A client that stops reading: there is nobody left to answer.
    process.stdout.once('error', () => resolve());
  });
  const connection = serveOverStdio({
    registry: program.registry,
    instructions: program.instructions,
    onError: (error) => log.debug(error.message),
  });
  void program.recover();
  await Promise.race([clientGone, onTermination()]);
  await program.registry.drain(GRACE_MS);
  await connection.close();
  await program.close();
  return EXIT.ok;
}
