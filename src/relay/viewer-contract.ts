import type { z } from 'zod';
import type { Annotations } from '../tools/define.ts';

/**
 * A viewer tool without its handler: what the relay lists and routes by. The contracts live in viewer/contracts.ts,
 * which imports zod and types and nothing else, so that they run where there is no file system; the tools of viewer/
 * are made of the same contracts and their handlers.
 */
export interface ViewerToolContract<
  Input extends z.ZodObject = z.ZodObject,
  Output extends z.ZodObject = z.ZodObject,
> {
  readonly name: string;
  readonly description: string;
  /** Every tool but listWorkspaces takes `workspaceId`, by which the relay finds the agent. */
  readonly input: Input;
  /** Makes the shape of `data` of a successful call. */
  readonly output: () => Output;
  readonly annotations: Annotations;
  /** As in tools/define.ts: an empty list, too, means text alone. */
  readonly bulk?: readonly string[];
  /** What the agent may take for it. */
  readonly timeoutMs: number;
}
