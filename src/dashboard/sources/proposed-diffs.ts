import type { ApprovalRequest } from '../../access/index.ts';
import { diffHunks, replaceInOrder } from '../../edit/index.ts';
import { planPatch } from '../../patch/index.ts';
import { CodedError, systemCode } from '../../runtime/errors.ts';
import { PatchFiles, patchPlace } from '../../tools/apply-patch-files.ts';
import { fileToWrite } from '../../tools/files-call.ts';
import type { Services } from '../../tools/services.ts';
import { decodeText, takeSnapshot } from '../../workspace/index.ts';
import type { FileDiffModel, FileStateModel } from '../models.ts';

/** Of one file; a larger one is asked about by the call's arguments alone. */
const MAX_BYTES = 512 * 1024;
/** Lines of all files of one call. */
const MAX_LINES = 2_000;
const MAX_FILES = 50;
const TIMEOUT_MS = 2_000;

interface Texts {
  readonly path: string;
  /** Undefined: no file. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/**
 * What a call that waits for the owner would change in the files as they are now, told by the very functions that will
 * do it. Nothing for calls that are no edits, and for those that would fail: then the arguments say it all.
 */
export async function proposedDiffs(
  { tool, args }: Pick<ApprovalRequest, 'tool' | 'args'>,
  { workspace }: Pick<Services, 'workspace'>,
  onError: (error: unknown) => void,
): Promise<FileDiffModel[]> {
  try {
    const texts = await workspace.around(() => proposedTexts(tool, fieldsOf(args), workspace));
    const diffs: FileDiffModel[] = [];
    let room = MAX_LINES;
    for (const one of texts.slice(0, MAX_FILES)) {
      const diff = await diffOf(one, room);
      for (const { lines } of diff.hunks) room -= lines.length;
      diffs.push(diff);
    }
    return diffs;
  } catch (error) {
    // Whatever happens, the question itself must stay on the page.
    const isKnown = error instanceof CodedError || systemCode(error) !== undefined || isTimeout(error);
    if (!isKnown) onError(error);
    return [];
  }
}

async function proposedTexts(
  tool: string,
  { path, old_text, new_text, replace_all, edits, content, patch }: Fields,
  workspace: Services['workspace'],
): Promise<Texts[]> {
  if (tool === 'apply_patch' && typeof patch === 'string') {
    return patchedTexts(patch, typeof path === 'string' ? path : undefined, workspace);
  }
  if (typeof path !== 'string') return [];
  const literal = tool === 'edit_file' ? [{ old_text, new_text, replace_all }] : edits;
  const isEdit = (tool === 'edit_file' || tool === 'multi_edit') && Array.isArray(literal);
  const isWrite = tool === 'write_file' && typeof content === 'string';
  if (!isEdit && !isWrite) return [];
  const file = await fileToWrite(workspace, path);
  const snapshot = await takeSnapshot(file, MAX_BYTES);
  const before = snapshot?.bytes && decodeText(snapshot.bytes);
  if (snapshot !== undefined && !before) return []; // no text, or too large
  if (isWrite) return [{ path: file.shown, before: before ? before.text : undefined, after: content }];
  if (!before || !isEdit) return [];
  const replaced = await replaceInOrder(
    before.text,
    literal.map(fieldsOf).map((one) => ({
      oldText: String(one.old_text),
      newText: String(one.new_text),
      replaceAll: one.replace_all === true,
    })),
  );
  return [{ path: file.shown, before: before.text, after: replaced.text }];
}

async function patchedTexts(
  patch: string,
  path: string | undefined,
  workspace: Services['workspace'],
): Promise<Texts[]> {
  const place = await patchPlace(workspace, path);
  const files = new PatchFiles(workspace, place);
  const { defaultPath } = place;
  const plan = await planPatch(patch, (name) => files.read(name), {
    ...(defaultPath !== undefined && { defaultPath }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  return plan.changes.flatMap(({ path: name, before, after }) =>
    before?.kind === 'opaque' || after?.kind === 'opaque'
      ? []
      : [{ path: files.shown(name), before: before?.text, after: after?.text }],
  );
}

async function diffOf({ path, before, after }: Texts, maxLines: number): Promise<FileDiffModel> {
  const { hunks, hiddenLines } = await diffHunks(before ?? '', after ?? '', { maxLines });
  const comesOrGoes = before === undefined || after === undefined;
  return {
    path,
    kind: before === after ? 'same' : 'diff',
    states: comesOrGoes ? [stateOf(before), stateOf(after)] : undefined,
    hunks,
    hiddenLines,
  };
}

function stateOf(text: string | undefined): FileStateModel {
  return text === undefined ? { type: 'none' } : { type: 'file', sizeBytes: Buffer.byteLength(text) };
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}

type Fields = Readonly<
  Partial<Record<'path' | 'old_text' | 'new_text' | 'replace_all' | 'edits' | 'content' | 'patch', unknown>>
>;

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? value : {};
}
