import { createHash } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CodedError } from '../runtime/errors.ts';
import {
  type FileChangeRecorder,
  type FileRef,
  fileError,
  makeFolders,
  realTarget,
  recorded,
  replaceBy,
  takeSnapshot,
  temporaryBeside,
  withEntry,
  withFileLocks,
} from '../workspace/index.ts';
import { type DownloadOptions, failed, MAX_DOWNLOAD_BYTES, openDownload, tooLarge } from './download.ts';

export interface ReceivedFile {
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly replaced: boolean;
  readonly checkpointId: string | undefined;
}

/**
 * Streams a download to a file: first beside it, then in its place, so that a broken transfer leaves what was there.
 * @throws {CodedError} ALREADY_EXISTS unless `overwrite`; DENIED, DOWNLOAD_FAILED, TOO_LARGE, DISK_FULL, …
 */
export async function receiveFile(
  url: string,
  file: FileRef,
  options: DownloadOptions & {
    readonly overwrite: boolean;
    readonly recorder?: FileChangeRecorder | undefined;
  },
): Promise<ReceivedFile> {
  const target = await realTarget(file);
  if ((await takeSnapshot(target, 0)) !== undefined && !options.overwrite) throw exists(file);
  const response = await openDownload(url, options);
  const temporary = temporaryBeside(target.path);
  try {
    await makeFolders(dirname(target.path));
    const written = await stream(response, temporary, options.signal);
    return await withFileLocks([target.path], options.signal, async () => {
      const before = await takeSnapshot(target, 0);
      if (before !== undefined && !options.overwrite) throw exists(file);
      const kind = before === undefined ? 'create' : 'replace';
      const change = { path: target.path, before: undefined, after: undefined, kind } as const;
      const { checkpointId } = await recorded(
        options.recorder,
        () => [change],
        options.signal,
        () => withEntry(temporary, (own) => withEntry(target.path, (path) => replaceBy(own, path))),
      );
      return { ...written, replaced: before !== undefined, checkpointId };
    });
  } catch (error) {
    await withEntry(temporary, unlink).catch(() => {});
    throw await fileError(error, file, 'written');
  } finally {
    response.destroy();
  }
}

async function stream(
  response: AsyncIterable<Buffer>,
  temporary: string,
  signal: AbortSignal,
): Promise<{ sizeBytes: number; sha256: string }> {
  const hash = createHash('sha256');
  const handle = await withEntry(temporary, (path) => open(path, 'wx', 0o666));
  let sizeBytes = 0;
  try {
    for await (const chunk of whole(response, signal)) {
      sizeBytes += chunk.length;
      if (sizeBytes > MAX_DOWNLOAD_BYTES) throw tooLarge();
      hash.update(chunk);
      await handle.writeFile(chunk);
    }
  } finally {
    await handle.close();
  }
  return { sizeBytes, sha256: hash.digest('hex') };
}

/** The chunks of a response; one that breaks off is an error, not a short file. */
async function* whole(response: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    yield* response;
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof CodedError ? error : failed('the connection broke off');
  }
}

function exists(file: FileRef): CodedError {
  return new CodedError(
    'ALREADY_EXISTS',
    `"${file.shown}" exists already; nothing was downloaded.`,
    'Choose another path, or set overwrite to true.',
  );
}
