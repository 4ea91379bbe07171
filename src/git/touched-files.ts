import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathFromBytes, quotedNonUtf8, type RepoPath } from './file-names.ts';
import type { GitProgram } from './git-program.ts';
import type { Repository } from './repository.ts';
import { resolveCommit, tryResolveCommit } from './revision.ts';
import { covers } from './stage.ts';
import { readStatus, type StatusEntry } from './status.ts';

/** An operation that can overwrite or remove what no commit holds. */
export type TouchingOperation =
  | { readonly kind: 'restore'; readonly paths: readonly RepoPath[]; readonly source: string }
  | { readonly kind: 'reset-hard'; readonly ref: string }
  | { readonly kind: 'checkout'; readonly ref: string }
  | { readonly kind: 'stash-push'; readonly includeUntracked: boolean }
  | { readonly kind: 'stash-apply'; readonly index: number }
  | { readonly kind: 'pull' };

export interface TouchedFile {
  readonly path: RepoPath;
  /** Absolute path; undefined for a name that is not UTF-8. */
  readonly absolute: string | undefined;
}

/**
 * The files whose present content an operation may replace or remove although no commit has it: what must be recorded
 * beforehand so that it can be brought back. Files that a commit has are left out, except for stash-apply, which
 * changes clean files in a way that git itself cannot take back.
 */
export async function filesTouchedBy(
  program: GitProgram,
  repository: Repository,
  operation: TouchingOperation,
  signal?: AbortSignal,
): Promise<TouchedFile[]> {
  const paths = await touchedPaths(program, repository, operation, signal);
  return [...new Set(paths)].map((path) => ({
    path,
    absolute: quotedNonUtf8(path) === undefined ? join(repository.top, path) : undefined,
  }));
}

async function touchedPaths(
  program: GitProgram,
  repository: Repository,
  operation: TouchingOperation,
  signal?: AbortSignal,
): Promise<RepoPath[]> {
  const dirty = async (untracked: 'no' | 'all' = 'no') =>
    (await readStatus(program, repository, { untracked }, signal)).entries;
  switch (operation.kind) {
    case 'restore': {
      const entries = await dirty();
      return pathsOf(entries).filter((path) => operation.paths.some((given) => covers(given, path)));
    }
    case 'reset-hard': {
      const target = await resolveCommit(program, repository, operation.ref, signal);
      const [entries, added] = await Promise.all([
        dirty(),
        untrackedInTheWay(program, repository, target, signal),
      ]);
      return [...pathsOf(entries), ...added];
    }
    case 'checkout': {
      const entries = await dirty();
      if (entries.length === 0) return [];
      const target = await tryResolveCommit(program, repository, operation.ref, signal);
      // The name of a remote branch that has no local one yet: what it changes is not known, so all of them.
      if (target === undefined) return pathsOf(entries);
      const between = new Set(
        await namesOf(
          program,
          repository,
          ['diff', '--name-only', '-z', '--no-renames', 'HEAD', target, '--'],
          signal,
        ),
      );
      return pathsOf(entries).filter((path) => between.has(path));
    }
    case 'stash-push':
      return pathsOf(await dirty(operation.includeUntracked ? 'all' : 'no'));
    case 'stash-apply':
      return namesOf(
        program,
        repository,
        // With untracked files the stash has a third parent that holds them; "--include-untracked" is newer than 2.30.
        [
          'log',
          '--max-count=1',
          '-m',
          '--first-parent',
          '--format=tformat:',
          '--name-only',
          '-z',
          '--no-renames',
          `stash@{${operation.index}}`,
          '--',
        ],
        signal,
      ).then(async (tracked) => [
        ...tracked,
        ...(await untrackedInStash(program, repository, operation.index, signal)),
      ]);
    case 'pull':
      return pathsOf(await dirty());
  }
}

function pathsOf(entries: readonly StatusEntry[]): RepoPath[] {
  return entries.flatMap(({ path, old_path }) => (old_path === undefined ? [path] : [path, old_path]));
}

/** Files that a commit has, that the index has not, and that are there: `git reset --hard` overwrites them. */
async function untrackedInTheWay(
  program: GitProgram,
  repository: Repository,
  target: string,
  signal?: AbortSignal,
) {
  const added = await namesOf(
    program,
    repository,
    ['diff', '--cached', '--name-only', '-z', '--no-renames', '--diff-filter=D', target, '--'],
    signal,
  );
  const there = await Promise.all(
    added.map((path) =>
      quotedNonUtf8(path) === undefined
        ? lstat(join(repository.top, path)).catch(() => undefined)
        : undefined,
    ),
  );
  return added.filter((_, index) => there[index] !== undefined);
}

async function untrackedInStash(
  program: GitProgram,
  repository: Repository,
  index: number,
  signal?: AbortSignal,
) {
  const result = await program.run(
    ['ls-tree', '-r', '-z', '--name-only', '--full-tree', `stash@{${index}}^3`],
    {
      cwd: repository.top,
      reads: true,
      signal,
      accept: [0, 128],
    },
  );
  return result.exitCode === 0 ? splitNames(result.stdout) : [];
}

async function namesOf(
  program: GitProgram,
  repository: Repository,
  args: string[],
  signal?: AbortSignal,
): Promise<RepoPath[]> {
  const result = await program.run(args, { cwd: repository.top, reads: true, signal });
  return splitNames(result.stdout);
}

function splitNames(output: Buffer): RepoPath[] {
  const names: RepoPath[] = [];
  for (let at = 0; at < output.length; ) {
    const end = output.indexOf(0, at);
    if (end === -1) break;
    if (end > at) names.push(pathFromBytes(output.subarray(at, end)));
    at = end + 1;
  }
  return names;
}
