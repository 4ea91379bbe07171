/** The public face of the read-only viewer. Its contracts alone (contracts.ts) run without a file system. */

export { localWorkspaces, workspaceIdOf } from './local-workspaces.ts';
export type { ViewerAnswer } from './types.ts';
export { createViewer, type Viewer, type ViewerOptions } from './viewer.ts';
export type { ViewedWorkspace } from './workspace-view.ts';
