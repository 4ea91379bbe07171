import { PATCH_FLAGS } from './command.ts';
import type { GitProgram } from './git-program.ts';
import { ignoredFilesOf, refused, withoutFiles } from './ignored-files.ts';
import { checkRevision } from './names.ts';
import { type ChangedFile, countPatch, parseRawLines, readPatch, withLineCounts } from './patch-output.ts';
import type { Repository } from './repository.ts';
import { readStatus, type StatusCounts } from './status.ts';

export interface DiffOptions {
  /** Compare the index with HEAD instead of the working tree with the index. */
  readonly staged?: boolean;
  /** Compare with this commit; `a..b` and `a...b` compare two commits. */
  readonly ref?: string;
  /** Only this file or folder, as a program argument. */
  readonly path?: string;
  /** Bytes of the patch to leave out, to go on after a cut. */
  readonly offset?: number;
  /**
   * Of the changed files (relative to the top), what is left out besides: files, or folders that hold them.
   * In read-only mode only, where the ignore rules hold as well.
   */
  readonly leaveOut?: (paths: readonly string[]) => Promise<readonly string[]>;
}

export interface DiffReport {
  readonly diff: string;
  readonly fileCount: number;
  /** Each file with its own counts; only when the diff is cut. */
  readonly files?: readonly ChangedFile[];
  readonly added: number;
  readonly removed: number;
  /** Bytes of the whole diff; null when there is more than is counted. */
  readonly totalBytes: number | null;
  readonly nextOffset: number | undefined;
  readonly lossy: boolean;
  /** When the diff is empty: what else there is. */
  readonly elsewhere?: StatusCounts;
}

/**
 * The changes as a unified diff. One git process; a second one only when the diff is cut (to list what each file has)
 * or empty (to say where the changes are instead).
 */
export async function readDiff(
  program: GitProgram,
  repository: Repository,
  options: DiffOptions,
  signal?: AbortSignal,
): Promise<DiffReport> {
  const flags = [
    ...(options.staged ? ['--cached'] : []),
    ...((await program.startsNothing()) ? ['--ignore-submodules=dirty'] : []),
  ];
  const revision = options.ref === undefined ? [] : [checkRevision(options.ref)];
  // Two contents by name (commit:file) pass by every rule about files.
  if (program.accessMode === 'read-only' && options.ref?.includes(':'))
    throw refused('contents by their names');
  const limits = options.path === undefined ? [] : [options.path];
  const ignored = await ignoredFilesOf(
    program,
    ['diff', '--name-only', '--no-renames', '-z', ...flags, '--end-of-options', ...revision, '--', ...limits],
    { cwd: repository.top, signal },
    options.leaveOut,
  );
  const isFiltered = ignored.length > 0;
  const paths = isFiltered ? withoutFiles(ignored, options.path) : limits;
  const target = ['--end-of-options', ...revision, '--', ...paths];
  const run = { cwd: repository.top, reads: true, signal, plainPathspecs: isFiltered };
  const offset = options.offset ?? 0;
  const base = ['diff', ...PATCH_FLAGS, ...flags];
  const patch = await readPatch(
    program,
    [...base, '--patch', ...target],
    run,
    { fieldCount: 0, list: false },
    offset,
  );
  const { text: diff, totalBytes, nextOffset, lossy } = patch;
  if (nextOffset !== undefined || offset > 0) {
    const [raw, numstat] = await Promise.all([
      program.run([...base, '--raw', ...target], run),
      program.run([...base, '--numstat', '-z', ...target], run),
    ]);
    const files = withLineCounts(parseRawLines(raw.stdout), numstat.stdout);
    return { diff, files, ...sum(files), totalBytes, nextOffset, lossy };
  }
  const { files: fileCount, ...counts } = countPatch(diff);
  const report = { diff, fileCount, ...counts, totalBytes, nextOffset, lossy };
  if (diff !== '' || repository.bare) return report;
  const only = options.path === undefined ? {} : { paths: [options.path] };
  const status = await readStatus(program, repository, { ...only, limit: 0 }, signal);
  if (status.counts.total === 0) await checkKnown(program, repository, options, signal);
  return { ...report, elsewhere: status.counts };
}

/**
 * A name that was mistyped differs in nothing either.
 * @throws {CodedError} FILE_NOT_FOUND when git knows no file of that name
 */
async function checkKnown(
  program: GitProgram,
  repository: Repository,
  { path, ref }: DiffOptions,
  signal?: AbortSignal,
): Promise<void> {
  // Between two commits the present files say nothing.
  if (path === undefined || path === '.' || ref?.includes('..')) return;
  const args = ['ls-files', '-z', '--error-unmatch', '--', path];
  const onStdout = () => undefined;
  await program.run(args, { cwd: repository.top, reads: true, signal, onStdout });
}

function sum(files: readonly ChangedFile[]): { fileCount: number; added: number; removed: number } {
  const add = (key: 'added' | 'removed') => files.reduce((total, file) => total + (file[key] ?? 0), 0);
  return { fileCount: files.length, added: add('added'), removed: add('removed') };
}
