import type { SettingName } from '../config/definitions.ts';
import { EXIT, type ExitCode } from '../config/usage-error.ts';
import { findInstance } from './find-instance.ts';
import { stopInstance } from './stop-instance.ts';

/** `local-coder stop`: ends the instance that serves the current folder. */
export async function stop(flags: ReadonlyMap<SettingName, unknown>): Promise<ExitCode> {
  const { found, message } = await findInstance(flags);
  if (found === undefined) {
    process.stdout.write(`${message}\n`);
    return EXIT.failed;
  }
  const stopped = await stopInstance(found);
  process.stdout.write(
    stopped
      ? `Stopped the instance on port ${found.port} (pid ${found.pid}).\n`
      : `The instance on port ${found.port} (pid ${found.pid}) could not be stopped; is it another user's?\n`,
  );
  return stopped ? EXIT.ok : EXIT.failed;
}
