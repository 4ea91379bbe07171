import { type ViewerToolName, viewerContracts } from '../relay/viewer/contracts.ts';
import type { Viewer } from '../relay/viewer/index.ts';
import type { ToolDefinition } from './define.ts';
import type { Services } from './services.ts';

/**
 * The read-only viewer's tools (`--tools viewer`, and what an agent serves to a relay).
 * @param viewerOf the viewer of a process; by default one over the roots of the workspace
 */
export function viewerTools(
  viewerOf: (services: Services) => Promise<Viewer> = localViewer,
): readonly ToolDefinition[] {
  return (Object.keys(viewerContracts()) as ViewerToolName[]).map((name) => {
    const { description, input, output, annotations, ...rest } = viewerContracts()[name];
    return {
      name,
      description,
      input,
      output,
      annotations,
      ...('bulk' in rest && { bulk: rest.bulk }),
      handler: async (args, { services, signal }) => (await viewerOf(services)).call(name, args, signal),
    } satisfies ToolDefinition;
  });
}

const viewers = new WeakMap<Services, Promise<Viewer>>();

/** Looks into the folders that this process serves; made at the first call. */
function localViewer(services: Services): Promise<Viewer> {
  let viewer = viewers.get(services);
  if (viewer === undefined) {
    viewer = makeLocalViewer(services);
    viewers.set(services, viewer);
  }
  return viewer;
}

async function makeLocalViewer({ workspace, stateDir }: Services): Promise<Viewer> {
  const { createViewer, localWorkspaces } = await import('../relay/viewer/index.ts');
  const workspaces = localWorkspaces(workspace.roots);
  return createViewer({
    workspaces: () => workspaces,
    agent: { agentId: 'local' },
    stateDir,
    env: process.env,
  });
}
