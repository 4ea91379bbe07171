import { CodedError } from '../../runtime/errors.ts';
import { decodeText, readFully, splitLines } from '../../workspace/index.ts';
import { invalid } from './errors.ts';
import { LIMITS } from './limits.ts';
import { languageOf } from './project-markers.ts';
import { callText, counted, type ViewHandler } from './types.ts';
import type { ViewedPath, WorkspaceView } from './workspace-view.ts';

export const inspectFile: ViewHandler<'inspectFile'> = async (input, { view, signal }) => {
  const { workspaceId, endLine: wantedEnd } = input;
  const wantedStart = input.startLine ?? 1;
  if (wantedEnd !== undefined && wantedEnd < wantedStart) {
    throw invalid(`endLine ${wantedEnd} lies before startLine ${wantedStart}.`, 'Give them in order.');
  }
  const path = await view.path(input.path);
  const { text, sizeBytes } = await readWholeText(view, path);
  signal.throwIfAborted();
  const lines = splitLines(text);
  const totalLines = lines.length;
  if (wantedStart > Math.max(totalLines, 1)) {
    throw invalid(
      `startLine ${wantedStart} is behind the end of "${path.shown}", which has ${counted(totalLines, 'line')}.`,
      'Give a line of the file.',
    );
  }
  const lastWanted = Math.min(wantedEnd ?? totalLines, totalLines);
  const last = Math.min(lastWanted, wantedStart + LIMITS.file.maxLines - 1);
  const { content, taken, isLineCut } = fitting(lines.slice(wantedStart - 1, last));
  const endLine = wantedStart + taken - 1;
  const truncated = isLineCut || endLine < lastWanted;
  const language = languageOf(path.shown);
  return {
    summary: summaryOf(),
    data: {
      path: path.shown,
      ...(language !== undefined && { language }),
      sizeBytes,
      totalLines,
      startLine: wantedStart,
      endLine,
      content,
      truncated,
    },
  };

  function summaryOf(): string {
    if (totalLines === 0) return `"${path.shown}" is empty.`;
    const range = `Lines ${wantedStart} to ${endLine} of ${totalLines} of "${path.shown}"`;
    if (isLineCut) return `${range}; the line is longer than is shown.`;
    if (!truncated) return `${range}.`;
    const rest = { workspaceId, path: path.shown, startLine: endLine + 1, endLine: wantedEnd };
    return `${range}; ${callText('inspectFile', rest)} continues.`;
  }
};

/** @throws {CodedError} FILE_TOO_LARGE, INVALID_PARAMS for what is no text */
async function readWholeText(
  view: WorkspaceView,
  path: ViewedPath,
): Promise<{ text: string; sizeBytes: number }> {
  const { handle, sizeBytes } = await view.openFile(path);
  try {
    // A size of 0 may be that of a generated file: one byte more than allowed shows that it is too large.
    const bytes =
      sizeBytes > LIMITS.file.maxSizeBytes
        ? undefined
        : await readFully(handle, 0, sizeBytes > 0 ? sizeBytes : LIMITS.file.maxSizeBytes + 1);
    if (bytes === undefined || bytes.length > LIMITS.file.maxSizeBytes) {
      throw new CodedError(
        'FILE_TOO_LARGE',
        `"${path.shown}" has ${bytes === undefined ? sizeBytes : `more than ${LIMITS.file.maxSizeBytes}`} bytes; files up to ${LIMITS.file.maxSizeBytes} are shown.`,
        'searchFile with mode content and pathPrefix set to this file finds lines in it.',
      );
    }
    const decoded = decodeText(bytes);
    if (decoded === undefined)
      throw invalid(`"${path.shown}" is not a text file.`, 'Only text can be shown.');
    return { text: decoded.text, sizeBytes: bytes.length };
  } finally {
    await handle.close();
  }
}

/** As many of the lines as fit; a single one that does not is cut between characters. */
function fitting(lines: readonly string[]): { content: string; taken: number; isLineCut: boolean } {
  let bytes = 0;
  let taken = 0;
  while (taken < lines.length) {
    const cost = Buffer.byteLength(lines[taken]!);
    if (bytes + cost > LIMITS.file.maxBytes) break;
    bytes += cost;
    taken++;
  }
  if (taken > 0 || lines.length === 0) {
    return { content: lines.slice(0, taken).join(''), taken, isLineCut: false };
  }
  const line = Buffer.from(lines[0]!);
  const mark = `… [cut: the line has ${line.length} bytes]`;
  let end = LIMITS.file.maxBytes - Buffer.byteLength(mark);
  while (end > 0 && (line[end]! & 0xc0) === 0x80) end--;
  return { content: line.toString('utf8', 0, end) + mark, taken: 1, isLineCut: true };
}
