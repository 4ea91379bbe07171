import type { SettingName } from '../config/definitions.ts';
import { loadSettings } from '../config/load.ts';
import { openStateDir } from '../config/state-dir.ts';
import { EXIT, type ExitCode, UsageError } from '../config/usage-error.ts';
import { openLinkTable } from '../dashboard/link-table.ts';
import { COMMAND_LINK_MS, hashOf, newSecret, pageLink } from '../dashboard/login-links.ts';
import { MARKER_VARIABLE } from '../runtime/process-tree.ts';
import { findInstance } from './find-instance.ts';
import { addressOf, isLoopback } from './host-address.ts';

interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** `local-coder page`: a fresh link to the local page of the instance that serves the current folder. */
export async function page(
  flags: ReadonlyMap<SettingName, unknown>,
  output: Output = process.stdout,
): Promise<ExitCode> {
  if (!output.isTTY) {
    throw new UsageError(
      'The link lets in whoever has it, so it is shown on a terminal only; run local-coder page there.',
      EXIT.failed,
    );
  }
  // A model could otherwise take a terminal of its own and approve itself. It is a hurdle, not a wall: with full access
  // its commands are the user's.
  if (process.env[MARKER_VARIABLE] !== undefined) {
    throw new UsageError(
      'A command that was started by a tool gets no link; run local-coder page in a terminal of your own.',
      EXIT.failed,
    );
  }
  const { found, message } = await findInstance(flags);
  if (found === undefined) {
    output.write(`${message}\n`);
    return EXIT.failed;
  }
  if (!isLoopback(found.host)) {
    throw new UsageError(
      `This instance listens on ${found.host}, which others reach: there is no page on it. Start it without --host.`,
      EXIT.failed,
    );
  }
  const settings = await loadSettings(flags, process.env, process.cwd());
  const { stateDir } = await openStateDir(settings['state-dir'], {
    portable: settings.portable,
    mustKeep: true,
  });
  const token = newSecret();
  const table = await openLinkTable(stateDir);
  try {
    table.add(found, hashOf(token), Date.now() + COMMAND_LINK_MS);
  } finally {
    table.close();
  }
  const origin = `http://${addressOf(found.host)}:${found.port}`;
  output.write(
    `${pageLink(origin, token)}\nIt works once, within ten minutes, and lets in whoever has it.\n`,
  );
  return EXIT.ok;
}
