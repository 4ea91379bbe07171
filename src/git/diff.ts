import { PATCH_FLAGS } from './command.ts';
import type { GitProgram } from './git-program.ts';
import { checkRevision } from './names.ts';
import { type ChangedFile, countPatchLines, readPatch, withLineCounts } from './patch-output.ts';
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
}

export interface DiffReport {
  readonly diff: string;
  readonly files: readonly ChangedFile[];
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
    ...(program.accessMode === 'read-only' ? ['--ignore-submodules=dirty'] : []),
  ];
  const target = [
    '--end-of-options',
    ...(options.ref === undefined ? [] : [checkRevision(options.ref)]),
    '--',
    ...(options.path === undefined ? [] : [options.path]),
  ];
  const run = { cwd: repository.top, reads: true, signal };
  const patch = await readPatch(
    program,
    ['diff', ...PATCH_FLAGS, '--raw', '--patch', ...flags, ...target],
    run,
    0,
    options.offset ?? 0,
  );
  const { totalBytes, nextOffset, lossy } = patch;
  if (nextOffset !== undefined || (options.offset ?? 0) > 0) {
    const numstat = await program.run(['diff', ...PATCH_FLAGS, '--numstat', '-z', ...flags, ...target], run);
    const files = withLineCounts(patch.files, numstat.stdout);
    return { diff: patch.text, files, ...sum(files), totalBytes, nextOffset, lossy };
  }
  const report = {
    diff: patch.text,
    files: patch.files,
    ...countPatchLines(patch.text),
    totalBytes,
    nextOffset,
    lossy,
  };
  if (patch.files.length > 0 || repository.bare) return report;
  const status = await readStatus(
    program,
    repository,
    { ...(options.path && { paths: [options.path] }), limit: 0 },
    signal,
  );
  return { ...report, elsewhere: status.counts };
}

function sum(files: readonly ChangedFile[]): { added: number; removed: number } {
  const add = (key: 'added' | 'removed') => files.reduce((total, file) => total + (file[key] ?? 0), 0);
  return { added: add('added'), removed: add('removed') };
}
