/**
 * The seam through which every change of a file is recorded before it happens (the history domain implements it).
 * One recorder belongs to one tool call, so that all its changes become one checkpoint.
 */
export interface FileChangeRecorder {
  /**
   * Called under the locks of all files named, right before they change. What stands there now is still there: content
   * that is not handed over can be read from the path. Throwing refuses the change.
   */
  prepare(changes: readonly FileChange[], signal: AbortSignal | undefined): Promise<PreparedRecord>;
  /** Why some of the changes so far are not recorded, in words for the answer; undefined when all are. */
  notRecorded?(): string | undefined;
}

export interface FileChange {
  /** Absolute, symlinks resolved. */
  readonly path: string;
  /** Undefined when it is not in memory or nothing is there yet. */
  readonly before: Buffer | undefined;
  /** Undefined when the path will be empty (deleted, moved away) or its new content is not in memory. */
  readonly after: Buffer | undefined;
  readonly kind: 'create' | 'replace' | 'delete';
}

export interface PreparedRecord {
  /** Undefined when nothing of it is recorded: git ignores the files, or once committed nothing turned out to be changed. */
  readonly checkpointId: string | undefined;
  /** The change is on disk. */
  committed(): Promise<void>;
  /** The change did not happen. */
  abandoned(): Promise<void>;
}

/** Runs `act` between preparing and finishing a record; without a recorder it only runs it. */
export async function recorded<T>(
  recorder: FileChangeRecorder | undefined,
  changes: () => readonly FileChange[] | Promise<readonly FileChange[]>,
  signal: AbortSignal | undefined,
  act: () => Promise<T>,
): Promise<{ result: T; checkpointId: string | undefined }> {
  if (!recorder) return { result: await act(), checkpointId: undefined };
  const record = await recorder.prepare(await changes(), signal);
  let result: T;
  try {
    result = await act();
  } catch (error) {
    await record.abandoned();
    throw error;
  }
  await record.committed();
  return { result, checkpointId: record.checkpointId };
}
