import { diffHunks } from '../../edit/index.ts';
import { type EntryState, type History, sameContent, stateText } from '../../history/index.ts';
import { sha256Hex } from '../../workspace/index.ts';
import type { FileDiffModel, FileStateModel } from '../models.ts';

/** Larger files are named without a diff. */
export const MAX_COMPARED_BYTES = 8 * 1024 * 1024;
/** Lines that one answer shows of all its files. */
const MAX_LINES = 4_000;
const MAX_LINES_PER_FILE = 2_000;
/** Files that one answer shows with their diffs; of more the rest is named. */
const MAX_FILES = 100;

export interface StatePair {
  readonly path: string;
  readonly before: EntryState | undefined;
  readonly after: EntryState | undefined;
  readonly readBefore: () => Promise<Buffer | undefined>;
  readonly readAfter: () => Promise<Buffer | undefined>;
}

/** The diffs of several files, bounded as a whole. */
export async function fileDiffs(pairs: readonly StatePair[]): Promise<FileDiffModel[]> {
  const diffs: FileDiffModel[] = [];
  let room = MAX_LINES;
  for (const pair of pairs.slice(0, MAX_FILES)) {
    const diff = await fileDiff(pair, Math.min(room, MAX_LINES_PER_FILE));
    for (const { lines } of diff.hunks) room -= lines.length;
    diffs.push(diff);
  }
  return diffs;
}

async function fileDiff(pair: StatePair, maxLines: number): Promise<FileDiffModel> {
  const { path, before, after } = pair;
  const both = [stateModel(before), stateModel(after)] as const;
  const bare = (kind: FileDiffModel['kind']): FileDiffModel => ({
    path,
    kind,
    states: kind === 'same' ? undefined : both,
    hunks: [],
    hiddenLines: 0,
  });
  if (before === undefined || after === undefined) return bare('unknown');
  if (sameContent(before, after)) return bare('same');
  if (
    before.type === 'link' ||
    after.type === 'link' ||
    before.type === 'folder' ||
    after.type === 'folder'
  ) {
    return bare('link');
  }
  if (sizeOf(before) > MAX_COMPARED_BYTES || sizeOf(after) > MAX_COMPARED_BYTES) return bare('large');
  const contents = await Promise.all([
    before.type === 'file' ? pair.readBefore() : Buffer.alloc(0),
    after.type === 'file' ? pair.readAfter() : Buffer.alloc(0),
  ]);
  if (contents.includes(undefined)) return bare('unknown');
  const [oldText, newText] = await Promise.all([
    stateText(before, async () => contents[0]),
    stateText(after, async () => contents[1]),
  ]);
  if (oldText === undefined || newText === undefined) return bare('binary');
  const { hunks, hiddenLines } = await diffHunks(oldText, newText, { maxLines });
  const states = before.type === 'none' || after.type === 'none' ? both : undefined;
  return { path, kind: 'diff', states, hunks, hiddenLines };
}

/** The bytes of a recorded state: from the record, or from the file while that still has them. */
export async function recordedBytes(
  history: History,
  path: string,
  state: EntryState | undefined,
): Promise<Buffer | undefined> {
  if (state?.type !== 'file') return undefined;
  const kept = await history.content(state, MAX_COMPARED_BYTES);
  if (kept !== undefined) return kept;
  const present = await history.present(path, MAX_COMPARED_BYTES);
  return present !== undefined && sha256Hex(present) === state.sha256 ? present : undefined;
}

function stateModel(state: EntryState | undefined): FileStateModel {
  if (state === undefined) return { type: 'special' };
  if (state.type === 'file') return { type: 'file', sizeBytes: state.sizeBytes };
  return state.type === 'link' ? { type: 'link', target: state.target } : { type: state.type };
}

function sizeOf(state: EntryState): number {
  return state.type === 'file' ? state.sizeBytes : 0;
}
