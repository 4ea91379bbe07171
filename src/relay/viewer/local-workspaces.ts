import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import type { ViewedWorkspace } from './workspace-view.ts';

/** The id of a folder that is served without having been registered: the same in every run. */
export function workspaceIdOf(root: string): string {
  return `ws_${createHash('sha256').update(root).digest('hex').slice(0, 16)}`;
}

/** The roots of `--workspace`, named by their folders; of those with the same name the folder above is named, too. */
export function localWorkspaces(roots: readonly string[]): ViewedWorkspace[] {
  const names = roots.map((root) => basename(root) || root);
  return roots.map((root, index) => {
    const name = names[index]!;
    const isShared = names.indexOf(name) !== names.lastIndexOf(name);
    const displayName = isShared ? `${name} (in ${basename(dirname(root)) || root})` : name;
    return { workspaceId: workspaceIdOf(root), displayName, root };
  });
}
