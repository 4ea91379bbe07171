import type { Git } from '../../git/index.ts';
import type { Search } from '../../search/index.ts';
import type { ViewerInput, ViewerOutput, ViewerToolName } from './contracts.ts';
import type { WorkspaceView } from './workspace-view.ts';

export interface ViewerAnswer<Name extends ViewerToolName> {
  /** One sentence, with the call that continues where something is cut. */
  readonly summary: string;
  readonly data: ViewerOutput<Name>;
}

/** What a handler works with: one workspace, for one call. */
export interface ViewContext {
  readonly view: WorkspaceView;
  readonly search: Search;
  readonly git: Git;
  /** Aborted when the call is cancelled or its time is up. */
  readonly signal: AbortSignal;
}

export type ViewHandler<Name extends ViewerToolName> = (
  input: ViewerInput<Name>,
  context: ViewContext,
) => Promise<ViewerAnswer<Name>>;

/** A call as text that can be made as it stands. */
export function callText(tool: ViewerToolName, input: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(input).filter(([, value]) => value !== undefined);
  return `${tool} ${JSON.stringify(Object.fromEntries(given))}`;
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Bytes that a value takes in JSON. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
