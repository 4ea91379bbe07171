import { CodedError } from '../../runtime/errors.ts';
import { viewerError } from './errors.ts';
import { callText, type ViewHandler } from './types.ts';
import { hiddenAmong, openRepository } from './workspace-changes.ts';

export const inspectWorkspaceDiff: ViewHandler<'inspectWorkspaceDiff'> = async (input, context) => {
  const { view } = context;
  const { workspaceId, staged, maxBytes } = input;
  const tool = 'inspectWorkspaceDiff';
  const absolute = input.path === undefined ? undefined : await view.pathOfChange(input.path);
  const repository = await openRepository(context, tool);
  if (repository === undefined) {
    throw new CodedError(
      'GIT_COMMAND_FAILED',
      `"${view.workspace.displayName}" is not a git repository, so there is no diff.`,
      'inspectFile and searchFile show the files as they are.',
    );
  }
  try {
    const path = absolute === undefined ? undefined : await repository.resolveFile(absolute);
    const report = await repository.diff({
      staged,
      path,
      leaveOut: (paths) => hiddenAmong(view, paths),
    });
    const { text, isCut } = cut(report.diff, maxBytes);
    const truncated = isCut || report.nextOffset !== undefined;
    const shown = absolute === undefined ? undefined : view.shown(absolute);
    const of = shown === undefined ? '' : ` of "${shown}"`;
    return {
      summary: truncated
        ? `${Buffer.byteLength(text)} of ${report.totalBytes ?? 'very many'} bytes of the diff${of}; ${callText('describeWorkspaceChanges', { workspaceId })} lists the files, ${callText(tool, { workspaceId, path: '<one of them>', staged })} shows one.`
        : summaryOf(report, staged, of, workspaceId),
      data: { ...(shown !== undefined && { path: shown }), staged, diff: text, truncated },
    };
  } catch (error) {
    throw viewerError(error, { tool, path: input.path, root: view.root });
  }
};

function summaryOf(
  report: {
    fileCount: number;
    added: number;
    removed: number;
    elsewhere?: { staged: number; unstaged: number };
  },
  staged: boolean,
  of: string,
  workspaceId: string,
): string {
  if (report.fileCount > 0) {
    return `${report.fileCount === 1 ? '1 file' : `${report.fileCount} files`} changed${of}: ${report.added} lines added, ${report.removed} removed.`;
  }
  const other = staged ? report.elsewhere?.unstaged : report.elsewhere?.staged;
  const hint =
    other === undefined || other === 0
      ? ''
      : ` ${callText('inspectWorkspaceDiff', { workspaceId, staged: !staged })} may show more.`;
  return `No ${staged ? 'staged' : 'unstaged'} changes${of}.${hint}`;
}

/** Cut after a line where that is possible, never within a character. */
function cut(diff: string, maxBytes: number): { text: string; isCut: boolean } {
  const bytes = Buffer.from(diff);
  if (bytes.length <= maxBytes) return { text: diff, isCut: false };
  const line = bytes.lastIndexOf(0x0a, maxBytes - 1);
  let end = line > maxBytes / 2 ? line + 1 : maxBytes;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return { text: bytes.toString('utf8', 0, end), isCut: true };
}
