import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../runtime/errors.ts';
import { readTextInside } from '../workspace/index.ts';
import { shortList } from './failures.ts';
import { pathsForStdin, quotedNonUtf8, type RepoPath } from './file-names.ts';
import type { GitProgram } from './git-program.ts';
import { type Repository, shownPath } from './repository.ts';
import { readStatus, type StatusEntry, type StatusReport } from './status.ts';

export interface StageReport {
  readonly status: StatusReport;
  /** What a commit would take now. */
  readonly staged: readonly StatusEntry[];
  /** Files that were staged although conflict markers stand in them. */
  readonly withMarkers: readonly RepoPath[];
  /** What git warned about (line endings, embedded repositories). */
  readonly warnings: readonly string[];
}

/** Stages files and folders as they are now: new, changed and deleted. */
export async function stageFiles(
  program: GitProgram,
  repository: Repository,
  paths: readonly RepoPath[],
  signal?: AbortSignal,
): Promise<StageReport> {
  const before = await readStatus(program, repository, { untracked: 'no' }, signal);
  const conflicted = before.entries.filter(
    ({ path, status }) => status === 'conflicted' && paths.some((given) => covers(given, path)),
  );
  const withMarkers = await stillConflicted(repository, conflicted);
  const warnings = await runAdd(program, repository, paths, signal);
  return { ...(await afterStaging(program, repository, signal)), withMarkers, warnings };
}

/**
 * Stages everything that is not ignored.
 * @throws {CodedError} CONFLICT when files still have conflict markers: staging them would declare them resolved
 */
export async function stageAll(
  program: GitProgram,
  repository: Repository,
  signal?: AbortSignal,
): Promise<StageReport> {
  await refuseUnresolved(program, repository, signal);
  const result = await program.run(['add', '--all', '--', '.'], {
    cwd: repository.top,
    reads: false,
    signal,
  });
  return {
    ...(await afterStaging(program, repository, signal)),
    withMarkers: [],
    warnings: warningsIn(result.stderr),
  };
}

/** Runs `git add` for given paths; the names go in by stdin, so that their number and bytes do not matter. */
export async function runAdd(
  program: GitProgram,
  repository: Repository,
  paths: readonly RepoPath[],
  signal?: AbortSignal,
): Promise<string[]> {
  const result = await program.run(['add', '--all', '--pathspec-from-file=-', '--pathspec-file-nul'], {
    cwd: repository.top,
    reads: false,
    signal,
    input: pathsForStdin(paths),
  });
  return warningsIn(result.stderr);
}

/** @throws {CodedError} CONFLICT naming the conflicted files that still have markers */
export async function refuseUnresolved(
  program: GitProgram,
  repository: Repository,
  signal?: AbortSignal,
): Promise<void> {
  const before = await readStatus(program, repository, { untracked: 'no' }, signal);
  const unresolved = await stillConflicted(
    repository,
    before.entries.filter(({ status }) => status === 'conflicted'),
  );
  if (unresolved.length === 0) return;
  const files = unresolved.map((path) => shownPath(repository, path));
  throw new CodedError(
    'CONFLICT',
    `Conflict markers are still in ${shortList(files)}. Nothing was staged.`,
    'Resolve them (git_status names the versions of each), then call again; git_add with "files" stages a file as it is.',
    { files },
  );
}

async function afterStaging(program: GitProgram, repository: Repository, signal?: AbortSignal) {
  const status = await readStatus(program, repository, {}, signal);
  return { status, staged: status.entries.filter((entry) => entry.staged !== undefined) };
}

const MAX_SCANNED_BYTES = 8 * 1024 * 1024;

/** Which of these files have conflict markers. */
async function stillConflicted(repository: Repository, entries: readonly StatusEntry[]): Promise<RepoPath[]> {
  const unresolved: RepoPath[] = [];
  for (const { path } of entries) {
    if (quotedNonUtf8(path) !== undefined) continue;
    const file = join(repository.top, path);
    const info = await stat(file).catch(() => undefined);
    if (!info?.isFile() || info.size > MAX_SCANNED_BYTES) continue;
    const text = await readTextInside(file, 'latin1').catch(() => '');
    if (/^<{7}( |\r?$)/m.test(text) && /^>{7}( |\r?$)/m.test(text)) unresolved.push(path);
  }
  return unresolved;
}

/** True when a pathspec (a file or folder, "." for all) takes in a file. */
export function covers(given: RepoPath, path: RepoPath): boolean {
  return given === '.' || given === path || path.startsWith(`${given}/`);
}

function warningsIn(stderr: string): string[] {
  const lines = stderr.split('\n').filter((line) => line.startsWith('warning: '));
  const warnings = lines.slice(0, 20).map((line) => line.slice('warning: '.length));
  if (lines.length > 20) warnings.push(`and ${lines.length - 20} more warnings`);
  return warnings;
}
