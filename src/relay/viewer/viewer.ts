import { commandsRefused } from '../../access/modes.ts';
import { cleanEnvironment, confinementRefusing } from '../../access/sandbox/index.ts';
import { createGit, type Git } from '../../git/index.ts';
import { CodedError } from '../../runtime/errors.ts';
import { portableFolder } from '../../runtime/portable.ts';
import { createSearch, type Search } from '../../search/index.ts';
import type { Workspace } from '../../workspace/index.ts';
import { batchExec } from './batch-exec.ts';
import { type ViewerInput, type ViewerToolName, viewerContracts } from './contracts.ts';
import { describeWorkspace } from './describe-workspace.ts';
import { toolTimeout, viewerError, workspaceNotFound } from './errors.ts';
import { inspectFile } from './inspect-file.ts';
import { listTree } from './list-tree.ts';
import { parseInput } from './parse-input.ts';
import { searchFile } from './search-file.ts';
import type { ViewContext, ViewerAnswer, ViewHandler } from './types.ts';
import { describeWorkspaceChanges } from './workspace-changes.ts';
import { inspectWorkspaceDiff } from './workspace-diff.ts';
import { guardOf, type ViewedWorkspace, WorkspaceView } from './workspace-view.ts';

export interface ViewerOptions {
  /** Asked for every call: the owner may add and remove workspaces meanwhile. */
  readonly workspaces: () => readonly ViewedWorkspace[] | Promise<readonly ViewedWorkspace[]>;
  /** Who serves them, for listWorkspaces. */
  readonly agent: { readonly agentId: string; readonly agentDisplayName?: string | undefined };
  /** Where the embedded ripgrep is extracted to; never shown, also where it lies in a workspace. */
  readonly stateDir: string;
  /** For git: where it is found, and the user's own settings. */
  readonly env: NodeJS.ProcessEnv;
  /** Makes the search of a root; tests give another engine. */
  readonly search?: typeof createSearch | undefined;
  /** Told of defects, with what a caller is not told. */
  readonly onDefect?: ((tool: string, error: unknown) => void) | undefined;
}

/** Looks into workspaces, and can do nothing else: neither change nor run anything. */
export interface Viewer {
  /**
   * Calls one tool.
   * @param input not yet checked
   * @throws {CodedError} with the codes of docs/relay.md; CANCELLED or the signal's reason when aborted
   */
  call<Name extends ViewerToolName>(
    name: Name,
    input: unknown,
    signal: AbortSignal,
  ): Promise<ViewerAnswer<Name>>;
}

type WorkspaceTool = Exclude<ViewerToolName, 'listWorkspaces' | 'batchExec'>;

const HANDLERS: { readonly [Name in WorkspaceTool]: ViewHandler<Name> } = {
  describeWorkspace,
  listTree,
  inspectFile,
  searchFile,
  describeWorkspaceChanges,
  inspectWorkspaceDiff,
};

/** What is made once for a root: a guard, a search and a git that reach nothing else. */
interface Domains {
  readonly guard: Workspace;
  readonly search: Search;
  readonly git: Git;
}

/** Milliseconds by which git is ended before its tool is. */
const GIT_MARGIN_MS = 2_000;

/** Does nothing until the first call. */
export function createViewer(options: ViewerOptions): Viewer {
  const domains = new Map<string, Domains>();
  const domainsOf = (root: string): Domains => {
    let made = domains.get(root);
    if (made === undefined) {
      // Where a portable run cannot write, its data folder is another one than that of its state.
      const guard = guardOf(root, [options.stateDir, portableFolder() ?? options.stateDir]);
      const confinement = confinementRefusing(commandsRefused, [root]);
      made = {
        guard,
        search: (options.search ?? createSearch)({
          stateDir: options.stateDir,
          visibility: guard,
          confinement,
        }),
        git: createGit({
          env: cleanEnvironment(options.env),
          accessMode: 'read-only',
          confinement,
          timeoutMs: viewerContracts().inspectWorkspaceDiff.timeoutMs - GIT_MARGIN_MS,
        }),
      };
      domains.set(root, made);
    }
    return made;
  };

  const contextOf = async (workspaceId: string, signal: AbortSignal): Promise<ViewContext> => {
    const workspace = (await options.workspaces()).find((each) => each.workspaceId === workspaceId);
    if (workspace === undefined) throw workspaceNotFound(workspaceId);
    const { guard, search, git } = domainsOf(workspace.root);
    return { view: await WorkspaceView.open(workspace, guard), search, git, signal };
  };

  const listWorkspaces = async (): Promise<ViewerAnswer<'listWorkspaces'>> => {
    const all = await options.workspaces();
    const { agentId, agentDisplayName } = options.agent;
    const workspaces = all.map(({ workspaceId, displayName, languages }) => ({
      workspaceId,
      displayName,
      agentId,
      ...(agentDisplayName !== undefined && { agentDisplayName }),
      agentOnline: true,
      ...(languages !== undefined && { languages: [...languages] }),
    }));
    return {
      summary: `${all.length === 1 ? '1 workspace' : `${all.length} workspaces`}.`,
      data: { workspaces },
    };
  };

  const run = async (
    name: ViewerToolName,
    given: unknown,
    signal: AbortSignal,
  ): Promise<ViewerAnswer<ViewerToolName>> => {
    const input = parseInput(name, given);
    if (name === 'listWorkspaces') return listWorkspaces();
    const { workspaceId } = input as ViewerInput<WorkspaceTool>; // every other tool has it
    if (name === 'batchExec') {
      await contextOf(workspaceId, signal);
      return batchExec(input as ViewerInput<'batchExec'>, answer, signal);
    }
    const context = await contextOf(workspaceId, signal);
    try {
      // parseInput checked the input against the schema of this very name.
      return await (HANDLERS[name] as ViewHandler<ViewerToolName>)(input, context);
    } catch (error) {
      if (signal.aborted) throw error;
      const { path, pathPrefix } = input as { path?: string; pathPrefix?: string };
      throw translated(name, error, path ?? pathPrefix, context.view.root);
    }
  };

  const translated = (tool: string, error: unknown, path: string | undefined, root: string): CodedError => {
    const known = viewerError(error, { tool, path, root });
    if (known.code === 'INTERNAL_ERROR') options.onDefect?.(tool, error);
    return known;
  };

  /** With the tool's own time limit; what hangs in the file system (a dead network drive) is left behind. */
  const answer = async (
    name: ViewerToolName,
    input: unknown,
    signal: AbortSignal,
  ): Promise<ViewerAnswer<ViewerToolName>> => {
    signal.throwIfAborted();
    const stop = new AbortController();
    const { timeoutMs } = viewerContracts()[name];
    let timer: NodeJS.Timeout | undefined;
    let onAbort = () => {};
    const ended = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(toolTimeout(name)), timeoutMs);
      onAbort = () => reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await Promise.race([run(name, input, stop.signal), ended]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      stop.abort(new CodedError('CANCELLED', 'The call has ended.', 'Call again if it is still wanted.'));
    }
  };

  return {
    call: async (name, input, signal) => (await answer(name, input, signal)) as never, // `name` decides the answer's type
  };
}
