import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UsageError } from '../config/usage-error.ts';
import { isDeno, sea } from '../runtime/platform.ts';

/** How somebody else (a client, the system) starts this very program. */
export interface OwnCommand {
  /** Absolute path of the program to start: this executable, or the Node or Deno that runs it. */
  readonly command: string;
  /** What comes before the options of local-coder. */
  readonly args: readonly string[];
  /** Sentences for the user: why this command may stop working. */
  readonly warnings: readonly string[];
}

/**
 * The command of this process as it can be written down: the single executable by its path; the bundle and the
 * sources by the runtime's path and theirs.
 * @param portable the settings say so: the place may change between runs
 * @throws {UsageError} when this process was started in a way that cannot be repeated
 */
export async function ownCommand(portable: boolean): Promise<OwnCommand> {
  if (sea !== null) return withWarnings(await realpath(process.execPath), [], portable);
  const script = process.argv[1];
  if (script === undefined) {
    throw new UsageError('This process does not know its own file; start it as local-coder or node FILE.', 1);
  }
  const main = await realpath(script);
  if (isDeno) return withWarnings(process.execPath, ['run', '-A', '--no-remote', main], portable);
  // From the sources the guard tells an old Node apart, as `npm start` does.
  const guard = join(dirname(main), 'runtime', 'node-version-guard.cjs');
  return withWarnings(process.execPath, [...(existsSync(guard) ? ['--require', guard] : []), main], portable);
}

function withWarnings(command: string, args: readonly string[], portable: boolean): OwnCommand {
  const file = args.at(-1) ?? command;
  const warnings: string[] = [];
  if (/[\\/]_npx[\\/]/.test(file)) {
    warnings.push(
      `${file} lies in a cache of npx, which npm may empty: install local-coder for good and run this again.`,
    );
  }
  if (portable) {
    warnings.push(
      `this is a portable copy: the command holds while ${command} stays where it is (same drive letter or mount point).`,
    );
  }
  return { command, args, warnings };
}
