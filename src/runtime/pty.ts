import { write } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { ReadStream } from 'node:tty';
import { assetFile, embeddedAsset } from './assets.ts';
import { CodedError } from './errors.ts';
import { isDeno, isMac, isWindows } from './platform.ts';
import { extractProgram } from './ripgrep-asset.ts';
import { programFolders } from './run-folder.ts';

/** The native part of @lydell/node-pty 1.1.0 (pinned: this is its private interface on Unix). */
interface PtyBinding {
  fork(
    file: string,
    args: readonly string[],
    environment: readonly string[],
    cwd: string,
    columns: number,
    rows: number,
    uid: number,
    gid: number,
    utf8: boolean,
    helperPath: string,
    onExit: (code: number, signal: number) => void,
  ): { readonly fd: number; readonly pid: number };
}

export interface PtyRequest {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly columns: number;
  readonly rows: number;
  /** Private folder for the native file of the single executable. */
  readonly folder: string;
  /** Raw output; the terminal is not read while the promise is pending. */
  readonly onData: (chunk: Buffer) => Promise<void>;
  /** Called once, after the last output. `signal` is a number, 0 for none. */
  readonly onExit: (code: number, signal: number) => void;
}

export interface Pty {
  readonly pid: number;
  write(text: string): Promise<void>;
}

/** Output may lag behind the exit, and a background child may keep the terminal open: silence for this long ends it. */
const DRAIN_MS = 200;

let loading: Promise<{ binding: PtyBinding; helper: string }> | undefined;

/**
 * Starts a program on a pseudo-terminal of its own.
 * @throws {CodedError} NOT_AVAILABLE where there is no native file for the platform, or it cannot be loaded
 */
export async function openPty(request: PtyRequest): Promise<Pty> {
  loading ??= load(request.folder).catch((error) => {
    loading = undefined;
    throw notAvailable(error);
  });
  const { binding, helper } = await loading;
  let ended: { code: number; signal: number } | undefined;
  let closed = false;
  let reported = false;
  let quiet: ReturnType<typeof setTimeout> | undefined;
  const report = () => {
    if (!ended || reported) return;
    reported = true;
    clearTimeout(quiet);
    output.destroy();
    request.onExit(ended.code, ended.signal);
  };
  const { fd, pid } = binding.fork(
    request.file,
    request.args,
    Object.entries(request.env).map(([name, value]) => `${name}=${value}`),
    request.cwd,
    request.columns,
    request.rows,
    -1,
    -1,
    true,
    helper,
    (code, signal) => {
      ended = { code, signal };
      if (closed) report();
      else quiet = setTimeout(report, DRAIN_MS);
    },
  );
  const output = new ReadStream(fd);
  output.on('data', (chunk: Buffer) => {
    output.pause();
    if (quiet) clearTimeout(quiet);
    request.onData(chunk).finally(() => {
      if (ended && !closed) quiet = setTimeout(report, DRAIN_MS);
      if (!reported) output.resume();
    });
  });
  const onClosed = () => {
    closed = true;
    report();
  };
  // A terminal whose last program went away reports EIO: that is its end of file.
  output.on('error', onClosed);
  output.on('close', onClosed);
  return {
    pid,
    // Deno knows the descriptor through the stream alone.
    write: (text) => (isDeno ? writeTo(output, text) : writeAll(fd, Buffer.from(text), () => closed)),
  };
}

function writeTo(stream: ReadStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

/** The descriptor does not block: what the terminal's buffer cannot take is tried again. */
async function writeAll(fd: number, bytes: Buffer, isClosed: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  for (let sent = 0; sent < bytes.length; ) {
    if (isClosed()) return;
    const [code, count] = await new Promise<[string | undefined, number]>((resolve) =>
      write(fd, bytes, sent, bytes.length - sent, null, (error, written) =>
        resolve([error?.code, written ?? 0]),
      ),
    );
    if (code !== undefined && code !== 'EAGAIN') return;
    sent += count;
    if (code === undefined) continue;
    if (performance.now() > deadline) {
      throw new CodedError(
        'BUSY',
        `The process does not read its terminal; ${sent} of ${bytes.length} bytes were written.`,
        'Look at its output with process_output, or end it with stop_process.',
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function load(folder: string): Promise<{ binding: PtyBinding; helper: string }> {
  if (isWindows) throw new Error('Windows has no native file of this kind');
  const module: { exports: unknown } = { exports: {} };
  const opens = async (file: string) => {
    process.dlopen(module, file);
    return true;
  };
  await nativeFile('pty', folder, opens);
  const helper = isMac ? await nativeFile('pty-helper', folder, mayExecute) : '';
  // Its shape is that of the pinned version.
  return { binding: module.exports as PtyBinding, helper };
}

/** @param works whether a file can be used where it lies; throws the reason */
async function nativeFile(
  name: 'pty' | 'pty-helper',
  folder: string,
  works: (file: string) => Promise<boolean>,
): Promise<string> {
  const asset = embeddedAsset(name);
  if (!asset) {
    const installed = await assetFile(name);
    if (installed === undefined)
      throw new Error(`${name} is not there for ${process.platform}-${process.arch}`);
    await works(installed);
    return installed;
  }
  let reason: unknown;
  const tried = (file: string) =>
    works(file).catch((error: unknown) => {
      reason ??= error;
      return false;
    });
  // A folder on a noexec mount gives no code to this process either.
  const file =
    (await extractProgram(asset, [folder], tried)) ?? (await extractProgram(asset, programFolders(), tried));
  if (file === undefined) throw reason ?? new Error(`${name} cannot be written anywhere`);
  return file;
}

async function mayExecute(file: string): Promise<boolean> {
  await access(file, constants.X_OK);
  return true;
}

function notAvailable(error: unknown): CodedError {
  return new CodedError(
    'NOT_AVAILABLE',
    `There is no pseudo-terminal here (${error instanceof Error ? error.message.split('\n')[0] : String(error)}).`,
    isWindows
      ? 'Start it without pty.'
      : 'Start it without pty; a program that insists on a terminal runs under `script -qec "command" /dev/null`.',
  );
}
