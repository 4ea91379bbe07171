import type { SettingName } from '../config/definitions.ts';
import { EXIT, type ExitCode } from '../config/usage-error.ts';
import { fileSteps, type RestoreResult } from '../history/index.ts';
import { CodedError } from '../runtime/errors.ts';
import { forTerminal } from '../runtime/terminal.ts';
import type { Workspace } from '../workspace/index.ts';
import { asUsageError } from './history.ts';
import { openHistory } from './open-history.ts';

const LISTED = 20;

/** `local-coder undo [ID]`: brings the files of a change to what they were before it; without an id the last one. */
export async function undo(
  flags: ReadonlyMap<SettingName, unknown>,
  id: string | undefined,
): Promise<ExitCode> {
  const { history, workspace } = await openHistory(flags);
  try {
    const checkpoint = id ?? (await history.newest());
    if (checkpoint === undefined) {
      process.stdout.write(`There is no recorded change to undo in ${forTerminal(workspace.defaultRoot)}.\n`);
      return EXIT.failed;
    }
    const result = await history.restore(checkpoint, { tool: 'undo', conversation: undefined });
    process.stdout.write(report(result, workspace));
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CodedError && error.code === 'CONFLICT') {
      process.stderr.write(conflicts(error));
      return EXIT.failed;
    }
    throw asUsageError(error);
  } finally {
    await history.close();
  }
}

function report({ checkpoint, checkpointId, steps }: RestoreResult, workspace: Workspace): string {
  const changed = fileSteps(steps.filter(({ action }) => action === 'restore'));
  if (changed.length === 0) return `Nothing to do: everything is as it was before ${checkpoint}.\n`;
  const lines = changed.slice(0, LISTED).map(({ path, target }) => {
    const what = target.type === 'none' ? 'removed ' : 'restored';
    return `  ${what}  ${forTerminal(workspace.display(path))}`;
  });
  if (changed.length > LISTED) lines.push(`  and ${changed.length - LISTED} more`);
  const back = checkpointId === undefined ? '' : `To take this back: local-coder undo ${checkpointId}\n`;
  return `Took ${checkpoint} back:\n${lines.join('\n')}\n${back}`;
}

function conflicts(error: CodedError): string {
  const names = error.details?.['conflicts'];
  const lines = Array.isArray(names) ? names.map((name) => `  ${forTerminal(String(name))}\n`) : [];
  return `Nothing was changed. Since then something else changed:\n${lines.join('')}`;
}
