import type { FileHandle } from 'node:fs/promises';
import type { FileRef } from './file-errors.ts';
import type { FileSnapshot } from './file-snapshot.ts';

/** Content that is not in memory and is written into the staged file when it is needed. */
export interface ContentSource {
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Writes exactly the promised bytes from the beginning of the file, or throws. */
  writeTo(handle: FileHandle): Promise<void>;
}

export interface NewFile {
  readonly type: 'file';
  readonly content: Uint8Array | ContentSource;
  /** Permission bits; without it those of the old file, of `like`, or what the umask leaves. */
  readonly mode?: number | undefined;
  /** The file whose owner and mode a new one gets: the source of a rename or copy. */
  readonly like?: FileSnapshot | undefined;
}

export interface NewLink {
  readonly type: 'link';
  readonly target: string;
}

export type NewEntry = NewFile | NewLink;

/** A symbolic link that was read; the entry itself changes, not what it points to. */
export interface LinkSnapshot {
  readonly type: 'link';
  readonly target: string;
}

/** What happens to one path. A rename is a deletion and a creation. */
export interface FileCommit {
  /** Symlinks resolved (realTarget), or the entry itself (realEntry) where a link is created or deleted. */
  readonly file: FileRef;
  /** What was read; anything else found there is CHANGED_ON_DISK. Undefined: nothing was there. */
  readonly before: FileSnapshot | LinkSnapshot | undefined;
  /** Undefined: nothing will be there. */
  readonly after: NewEntry | undefined;
}
