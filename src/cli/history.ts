import type { SettingName } from '../config/definitions.ts';
import { EXIT, type ExitCode, UsageError } from '../config/usage-error.ts';
import type { ListedCheckpoint } from '../history/index.ts';
import { CodedError, type ErrorCode } from '../runtime/errors.ts';
import { forTerminal } from '../runtime/terminal.ts';
import type { Workspace } from '../workspace/index.ts';
import { ago, openHistory } from './open-history.ts';

const ROWS = 40;

/** `local-coder history [ID]`: the changes that tools made here, newest first; with an id those before it. */
export async function history(
  flags: ReadonlyMap<SettingName, unknown>,
  before: string | undefined,
): Promise<ExitCode> {
  const { history, workspace } = await openHistory(flags);
  try {
    const { checkpoints, hasMore } = await history.list({ limit: ROWS, before });
    process.stdout.write(table(checkpoints, workspace));
    const last = checkpoints.at(-1)?.id;
    if (hasMore && last !== undefined) process.stdout.write(`Older ones: local-coder history ${last}\n`);
    return EXIT.ok;
  } catch (error) {
    throw asUsageError(error);
  } finally {
    await history.close();
  }
}

const LISTS = 'local-coder history lists the changes by their ids, such as c12.';

/** What a person can do next, by code: the domain's own hints speak of tools. */
const NEXT_STEPS: Partial<Record<ErrorCode, string>> = {
  INVALID_PARAMS: `${LISTS} local-coder undo takes the last one back, local-coder undo ID another.`,
  NOT_AVAILABLE: LISTS,
  BUSY: 'Try again in a moment.',
  TOO_LARGE: 'A larger --history-size (in MiB) makes room.',
  DISK_FULL: 'A larger --history-size (in MiB) makes room.',
};

/** What the domain says to a model, said on the terminal. */
export function asUsageError(error: unknown): unknown {
  if (!(error instanceof CodedError)) return error;
  const next = NEXT_STEPS[error.code];
  const message = next === undefined ? error.message : `${error.message} ${next}`;
  return new UsageError(message, error.code === 'INVALID_PARAMS' ? EXIT.usage : EXIT.failed);
}

function table(checkpoints: readonly ListedCheckpoint[], workspace: Workspace): string {
  if (checkpoints.length === 0) {
    return `No recorded changes in ${forTerminal(workspace.defaultRoot)}. What commands change is not recorded.\n`;
  }
  const rows = checkpoints.map((checkpoint) => [
    checkpoint.id,
    ago(checkpoint.atMs),
    checkpoint.restores === undefined
      ? checkpoint.tool
      : `${checkpoint.tool} (took back ${checkpoint.restores})`,
    filesText(checkpoint, workspace),
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.map(forTerminal).join('\n')}\n`;
}

function filesText({ files, fileCount }: ListedCheckpoint, workspace: Workspace): string {
  const names = files.map(({ path, change }) =>
    change === 'changed' ? workspace.display(path) : `${workspace.display(path)} (${change})`,
  );
  const more = fileCount - files.length;
  return names.join(', ') + (more > 0 ? ` and ${more} more` : '');
}
