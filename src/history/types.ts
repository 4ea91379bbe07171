/** What stood, stands or is to stand at a path. */
export type EntryState =
  | { readonly type: 'none' }
  | { readonly type: 'file'; readonly sha256: string; readonly sizeBytes: number; readonly mode: number }
  | { readonly type: 'link'; readonly target: string }
  | { readonly type: 'folder'; readonly mode: number };

/** One path of a checkpoint. */
export interface RecordedEntry {
  /** Absolute, symlinks resolved. */
  readonly path: string;
  readonly before: EntryState;
  /** Undefined while the change is under way and its outcome is not known beforehand. */
  readonly after: EntryState | undefined;
  /** The content after the change is kept, too. */
  readonly afterStored: boolean;
}

export interface CheckpointHead {
  readonly id: number;
  readonly tool: string;
  /** Hashed conversation key. */
  readonly conversation: string | undefined;
  readonly atMs: number;
  /** Default root of the instance that made the change. */
  readonly root: string;
  /** The checkpoint that this one took back. */
  readonly restores: number | undefined;
}

export const NONE: EntryState = { type: 'none' };

/** Same kind of entry with the same content; modes are compared only by who asks for them. */
export function sameContent(a: EntryState, b: EntryState): boolean {
  switch (a.type) {
    case 'file':
      return b.type === 'file' && a.sha256 === b.sha256;
    case 'link':
      return b.type === 'link' && a.target === b.target;
    default:
      return a.type === b.type;
  }
}

export function sameState(a: EntryState, b: EntryState): boolean {
  return sameContent(a, b) && modeOf(a) === modeOf(b);
}

export function modeOf(state: EntryState): number | undefined {
  return 'mode' in state ? state.mode : undefined;
}

/** The form in which checkpoints are named outside: `c12`. */
export function checkpointName(id: number): string {
  return `c${id}`;
}

/** @returns undefined for a text that names no checkpoint */
export function checkpointNumber(name: string): number | undefined {
  const digits = /^c?([1-9]\d{0,14})$/i.exec(name.trim())?.[1];
  return digits === undefined ? undefined : Number(digits);
}
