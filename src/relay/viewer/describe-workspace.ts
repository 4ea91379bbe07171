import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { LIMITS } from './limits.ts';
import { shownEntries } from './list-tree.ts';
import { projectMarkers } from './project-markers.ts';
import { callText, counted, type ViewHandler } from './types.ts';

export const describeWorkspace: ViewHandler<'describeWorkspace'> = async (_input, { view }) => {
  const { workspaceId, displayName, languages } = view.workspace;
  const entries = await shownEntries(
    view,
    { path: view.root, shown: '.' },
    await view.hidden.rulesIn(view.root),
  );
  const isRepository = await lstat(join(view.root, '.git')).then(
    () => true,
    () => false,
  );
  const names = entries.map(({ name }) => name);
  const found = projectMarkers(isRepository ? [...names, '.git'] : names);
  const known = languages ?? (found.languages.length > 0 ? found.languages : undefined);
  const rootEntries = entries.slice(0, LIMITS.rootEntries);
  const kinds = found.markers.length === 0 ? '' : ` (${found.markers.join(', ')})`;
  return {
    summary:
      `"${displayName}"${kinds}: ` +
      (rootEntries.length < entries.length
        ? `the first ${rootEntries.length} of ${entries.length} entries of its top folder; searchFile with mode path finds the others.`
        : `${counted(entries.length, 'entry', 'entries')} in its top folder; ${callText('listTree', { workspaceId, depth: 2 })} shows more.`),
    data: {
      workspaceId,
      displayName,
      ...(known && { languages: [...known] }),
      rootEntries,
      ...(found.markers.length > 0 && { markers: found.markers }),
    },
  };
};
