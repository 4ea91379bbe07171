import type { CheckpointHead, EntryState, RecordedEntry } from './types.ts';

type Row = Readonly<Record<string, unknown>>;
type Column = string | number | null;

/** The four columns of a state: type, value (SHA-256 or link target), size, mode. */
export function stateColumns(state: EntryState | undefined): [Column, Column, Column, Column] {
  switch (state?.type) {
    case undefined:
      return [null, null, null, null];
    case 'none':
      return ['none', null, null, null];
    case 'file':
      return ['file', state.sha256, state.sizeBytes, state.mode];
    case 'link':
      return ['link', state.target, null, null];
    case 'folder':
      return ['folder', null, null, state.mode];
  }
}

export function entryOf(row: Row): RecordedEntry {
  return {
    path: String(row['path']),
    before: stateOf(row, 'before') ?? { type: 'none' },
    after: stateOf(row, 'after'),
    afterStored: Number(row['after_stored']) === 1,
  };
}

export function headOf(row: Row): CheckpointHead {
  const { conversation, restores } = row;
  return {
    id: Number(row['id']),
    tool: String(row['tool']),
    conversation: conversation === null ? undefined : String(conversation),
    atMs: Number(row['at_ms']),
    root: String(row['root']),
    restores: restores === null ? undefined : Number(restores),
  };
}

function stateOf(row: Row, side: 'before' | 'after'): EntryState | undefined {
  const value = String(row[`${side}_value`]);
  const mode = Number(row[`${side}_mode`]);
  switch (row[`${side}_type`]) {
    case 'none':
      return { type: 'none' };
    case 'file':
      return { type: 'file', sha256: value, sizeBytes: Number(row[`${side}_size`]), mode };
    case 'link':
      return { type: 'link', target: value };
    case 'folder':
      return { type: 'folder', mode };
    default:
      return undefined;
  }
}

/** First and last bound of the paths below a folder: below /a all begin with "/a/", and "0" comes after "/". */
export function prefixRange(root: string): [string, string] {
  const separator = root.includes('\\') ? '\\' : '/';
  const prefix = root.endsWith(separator) ? root : root + separator;
  return [prefix, prefix.slice(0, -1) + String.fromCharCode(separator.charCodeAt(0) + 1)];
}
