import { type OpenRepository, quotedNonUtf8, type RepoPath, type StatusEntry } from '../../git/index.ts';
import { CodedError } from '../../runtime/errors.ts';
import { viewerError } from './errors.ts';
import { LIMITS } from './limits.ts';
import { callText, counted, jsonBytes, type ViewContext, type ViewHandler } from './types.ts';
import type { WorkspaceView } from './workspace-view.ts';

/** The repository whose top is the workspace; undefined where there is none. */
export async function openRepository(
  { view, git, signal }: Pick<ViewContext, 'view' | 'git' | 'signal'>,
  tool: string,
): Promise<OpenRepository | undefined> {
  const naming = {
    defaultFolder: view.root,
    checkPath: (path: string) => view.pathOfChange(path),
  };
  try {
    const repository = await git.open(view.root, naming, signal);
    if (repository.top === view.root) return repository;
    throw new CodedError('PATH_OUTSIDE_WORKSPACE', '', '');
  } catch (error) {
    if (error instanceof CodedError && error.code === 'NOT_A_REPOSITORY') return undefined;
    throw viewerError(error, { tool, root: view.root });
  }
}

/** Hidden folders and files among paths of a repository, in the form in which they are to be left out. */
export function hiddenAmong(view: WorkspaceView, paths: readonly RepoPath[]): Promise<string[]> {
  return view.hidden.among(paths.map(asText));
}

function asText(path: RepoPath): string {
  return quotedNonUtf8(path)?.toString('utf8') ?? path;
}

type File = {
  path: string;
  status: string;
  staged: boolean;
  unstaged: boolean;
  oldPath?: string;
};

export const describeWorkspaceChanges: ViewHandler<'describeWorkspaceChanges'> = async (input, context) => {
  const { view } = context;
  const repository = await openRepository(context, 'describeWorkspaceChanges');
  if (repository === undefined) {
    return {
      summary: `"${view.workspace.displayName}" is not a git repository.`,
      data: { isGitRepository: false, files: [], truncated: false },
    };
  }
  const report = await repository
    .status({ untracked: input.includeUntracked ? 'normal' : 'no' })
    .catch((error: unknown) => {
      throw viewerError(error, { tool: 'describeWorkspaceChanges', root: view.root });
    });
  const all = await shownFiles(view, report.entries);
  const files: File[] = [];
  let bytes = 512;
  for (const file of all) {
    bytes += jsonBytes(file) + 1;
    if (files.length >= input.maxFiles || bytes > LIMITS.changes.maxBytes) break;
    files.push(file);
  }
  const truncated = files.length < all.length;
  const { branch, head, upstream, ahead, behind } = report;
  const where = branch === undefined ? `Detached at ${head?.slice(0, 7)}` : `On ${branch}`;
  const { workspaceId } = input;
  return {
    summary: truncated
      ? `${where}: the first ${files.length} of ${all.length} changed files${files.length < LIMITS.changes.maxFiles && input.maxFiles < all.length ? `; ${callText('describeWorkspaceChanges', { workspaceId, maxFiles: Math.min(all.length, LIMITS.changes.maxFiles) })} shows more` : ''}.`
      : `${where}: ${all.length === 0 ? 'nothing is changed' : counted(all.length, 'changed file')}.`,
    data: {
      isGitRepository: true,
      ...(branch !== undefined && { branch }),
      ...(head !== undefined && { head }),
      ...(upstream !== undefined && { upstream }),
      ...(ahead !== undefined && { ahead }),
      ...(behind !== undefined && { behind }),
      files,
      truncated,
    },
  };
};

/** Without hidden paths; of a renaming with one hidden side the other side is shown as what it is by itself. */
async function shownFiles(view: WorkspaceView, entries: readonly StatusEntry[]): Promise<File[]> {
  const paths = entries.flatMap((entry) => [
    entry.path,
    ...(entry.old_path === undefined ? [] : [entry.old_path]),
  ]);
  const hidden = await hiddenAmong(view, paths);
  const isHidden = (path: RepoPath) => {
    const text = asText(path).replace(/\/$/, '');
    return hidden.some((part) => text === part || text.startsWith(`${part}/`));
  };
  const files: File[] = [];
  for (const entry of entries) {
    const staged = entry.staged !== undefined;
    const unstaged = entry.unstaged !== undefined || !staged;
    const { path, old_path: oldPath, status } = entry;
    if (isHidden(path)) {
      if (oldPath !== undefined && status === 'renamed' && !isHidden(oldPath)) {
        files.push({ path: oldPath, status: 'deleted', staged, unstaged });
      }
      continue;
    }
    if (oldPath === undefined) files.push({ path, status, staged, unstaged });
    else if (isHidden(oldPath)) files.push({ path, status: 'added', staged, unstaged });
    else files.push({ path, status, staged, unstaged, oldPath });
  }
  return files;
}
