import { z } from 'zod';
import type { ChangeOptions, FileRef, Workspace } from '../workspace/index.ts';
import type { ToolContext } from './define.ts';

/** A caller's path, checked for reading, with the name under which results show it. */
export async function fileToRead(workspace: Workspace, path: string): Promise<FileRef> {
  const absolute = await workspace.forReading(path);
  return { path: absolute, shown: workspace.display(absolute) };
}

/** A caller's path, checked for creating, changing or removing what is there. */
export async function fileToWrite(workspace: Workspace, path: string): Promise<FileRef> {
  const absolute = await workspace.forWriting(path);
  return { path: absolute, shown: workspace.display(absolute) };
}

/** What a change needs to know of the call that makes it. */
export function changeOptions(context: ToolContext, tool: string): ChangeOptions {
  return {
    signal: context.signal,
    recorder: context.services.recordChanges?.(tool, context.conversation),
    stateDir: context.services.stateDir,
  };
}

/** What an answer says about the record of its changes. */
export const recordShape = () => ({
  checkpoint_id: z.string().optional(),
  not_recorded: z.string().optional(),
});

/** The id under which rewind takes the changes of a call back, or why it cannot. */
export function recordFields(
  options: Pick<ChangeOptions, 'recorder'>,
  checkpointId: string | undefined,
): { checkpoint_id: string | undefined; not_recorded: string | undefined } {
  return { checkpoint_id: checkpointId, not_recorded: options.recorder?.notRecorded?.() };
}

/** A shown path inside of a sentence: a lone "." reads like its end. */
export function inSentence(shown: string): string {
  return shown === '.' ? 'the workspace folder' : shown;
}

/** The same at the beginning of a sentence. */
export function startingSentence(shown: string): string {
  return shown === '.' ? 'The workspace folder' : shown;
}

/** `1 line`, `2 lines`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
