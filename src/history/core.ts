import type { Log } from '../runtime/log.ts';
import type { Blobs } from './blobs.ts';
import type { GitIgnored } from './git-ignored.ts';
import type { Limits } from './retention.ts';
import type { Store } from './store.ts';

/** What the parts of the history share. */
export interface Core {
  readonly stateDir: string;
  readonly blobs: Blobs;
  readonly ignored: GitIgnored;
  readonly limits: Limits;
  /** Default root of this instance. */
  readonly root: string;
  readonly log: Log | undefined;
  /**
   * The index, opened when it is first needed and after what killed instances left was resolved.
   * @throws {CodedError} NOT_AVAILABLE when the state folder cannot be used
   */
  store(): Promise<Store>;
}

/** What a checkpoint says about where it comes from. */
export interface Origin {
  readonly tool: string;
  /** Hashed conversation key. */
  readonly conversation: string | undefined;
  /** The checkpoint that is being taken back. */
  readonly restores?: number | undefined;
  /** Also record what git ignores: a restore must be able to be taken back as a whole. */
  readonly evenIgnored?: boolean | undefined;
}
