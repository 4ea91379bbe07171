import { CodedError } from '../runtime/errors.ts';
import { assertWritable } from './assert-writable.ts';
import { writeAtomically } from './atomic-write.ts';
import { type FileChangeRecorder, recorded } from './change-recorder.ts';
import { type FileRef, fileError, MAX_EDIT_BYTES } from './file-errors.ts';
import { type FileSnapshot, takeSnapshot } from './file-snapshot.ts';
import { withFileLocks } from './locks.ts';
import { realTarget } from './real-target.ts';
import { sha256Hex } from './sha256.ts';
import { commitFiles } from './transaction.ts';

export interface ChangeOptions {
  /** Refuse unless the file has this SHA-256. */
  readonly expectedSha256?: string | undefined;
  /** Answer what would happen and write nothing. */
  readonly dryRun?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly recorder?: FileChangeRecorder | undefined;
  /** Where a journal is kept of what is not atomic by itself: overwriting a file that has several hard links. */
  readonly stateDir?: string | undefined;
}

export interface ChangedFile<T> {
  /** What the change function said about its work. */
  readonly outcome: T;
  readonly created: boolean;
  /** False when the new bytes are the old ones; nothing was written then. */
  readonly changed: boolean;
  readonly sha256Before: string | undefined;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly checkpointId: string | undefined;
}

/**
 * The one way in which a file's content changes: lock, read, let `change` make the new bytes, check that nobody else
 * wrote meanwhile, record, replace atomically.
 *
 * @param change gets what is there (undefined: nothing) and gives the whole new content; under the file's lock
 * @throws {CodedError} what `change` throws; CHANGED_ON_DISK, PERMISSION_DENIED, DISK_FULL, …; nothing has changed then
 */
export async function changeFile<T>(
  file: FileRef,
  options: ChangeOptions,
  change: (before: FileSnapshot | undefined) => Promise<{ bytes: Buffer; outcome: T }>,
): Promise<ChangedFile<T>> {
  try {
    const target = await realTarget(file);
    return await withFileLocks([target.path], options.signal, async () => {
      const before = await takeSnapshot(target, MAX_EDIT_BYTES);
      const old = before?.bytes;
      const sha256Before = old && sha256Hex(old);
      if (options.expectedSha256 !== undefined) assertExpected(target, options.expectedSha256, sha256Before);
      const { bytes, outcome } = await change(before);
      options.signal?.throwIfAborted();
      const changed = !old?.equals(bytes);
      let checkpointId: string | undefined;
      if (changed && !options.dryRun) {
        if (before) await assertWritable(target, before.stats);
        checkpointId = await replaceContent(target, bytes, before, options);
      }
      return {
        outcome,
        created: before === undefined,
        changed,
        sha256Before,
        sha256: sha256Hex(bytes),
        sizeBytes: bytes.length,
        checkpointId,
      };
    });
  } catch (error) {
    throw await fileError(error, file, 'written');
  }
}

async function replaceContent(
  file: FileRef,
  bytes: Buffer,
  before: FileSnapshot | undefined,
  { stateDir, recorder, signal }: ChangeOptions,
): Promise<string | undefined> {
  // It is overwritten in place; killed in the middle of that, the next start must be able to bring it in order.
  if (stateDir !== undefined && before?.bytes && before.stats.nlink > 1n) {
    const commit = { file, before, after: { type: 'file', content: bytes } } as const;
    return (await commitFiles([commit], { stateDir, recorder, signal, locked: true })).checkpointId;
  }
  const kind = before ? 'replace' : 'create';
  const changes = () => [{ path: file.path, before: before?.bytes, after: bytes, kind } as const];
  const write = () => writeAtomically(file, bytes, before);
  return (await recorded(recorder, changes, signal, write)).checkpointId;
}

function assertExpected(file: FileRef, expected: string, actual: string | undefined): void {
  if (actual === expected.trim().toLowerCase()) return;
  throw new CodedError(
    'CHANGED_ON_DISK',
    actual === undefined
      ? `"${file.shown}" is not there (or too large to compare), although a file with a given SHA-256 was expected. Nothing was written.`
      : `"${file.shown}" is not the file that was expected: its SHA-256 differs. Nothing was written.`,
    'Read the file again and repeat the change on its present text.',
    actual === undefined ? undefined : { sha256: actual },
  );
}
