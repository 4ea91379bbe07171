/** The public face of the workspace layer: roots, path guard, text files, atomic writes, locks. */
export { type AccessMode, Workspace, type WorkspaceOptions } from './workspace.ts';
