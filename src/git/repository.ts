import type { Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { CodedError, systemCode } from '../runtime/errors.ts';
import { isOutside } from '../runtime/paths.ts';
import { isWithin, readTextInside } from '../workspace/index.ts';
import { gitFailure, notARepository } from './failures.ts';
import { quotedNonUtf8, type RepoPath } from './file-names.ts';
import type { GitProgram } from './git-program.ts';
import { assertSelfContained, leadsOut } from './self-contained.ts';

/** Where a repository is; found by looking at files, without a process. */
export interface Repository {
  /** Real path of the working tree's top folder; of the repository itself when it is bare. */
  readonly top: string;
  /** Real path of this working tree's own git folder (`.git`, or `.git/worktrees/<name>`). */
  readonly gitDir: string;
  /** Of the folder that all working trees share; the same as `gitDir` in the main one. */
  readonly commonDir: string;
  readonly bare: boolean;
  /** Where the paths that messages show start: the first root. Unset: at the top. */
  readonly shownFrom?: string;
}

/** A path as messages show it and as a call takes it back: relative to the first root where it is under it. */
export function shownPath({ top, shownFrom = top }: Repository, path: RepoPath): string {
  if (quotedNonUtf8(path) !== undefined) return path;
  const absolute = join(top, path);
  const inside = relative(shownFrom, absolute);
  return (isOutside(inside) ? absolute : inside).replaceAll(sep, '/');
}

/** A repository, and what of it the caller's path named. */
export interface Place {
  readonly repository: Repository;
  /** Real path of the folder that was given, or that holds the file that was given. */
  readonly folder: string;
  /** Real folder plus name of the file that was given; undefined for a folder. */
  readonly file: string | undefined;
}

/**
 * Finds the repository that a path is in, as git does: the nearest folder upwards with a `.git`.
 * @param path absolute; a file stands for its folder
 * @throws {CodedError} FILE_NOT_FOUND, NOT_A_REPOSITORY
 */
export async function findRepository(
  program: GitProgram,
  path: string,
  signal?: AbortSignal,
): Promise<Place> {
  const info = await statOf(path);
  const isFolder = info.isDirectory();
  // A symlink to a file is a tracked thing of its own: only its folder is made real.
  const folder = await realpath(isFolder ? path : dirname(path));
  const file = isFolder ? undefined : join(folder, path.slice(dirname(path).length).replace(/^[\\/]/, ''));
  for (let current = folder; ; ) {
    const gitDir = await gitDirIn(current);
    if (gitDir !== undefined) {
      const repository = await describe(current, gitDir);
      await assertAllowed(repository, program);
      return { repository, folder, file };
    }
    const parent = dirname(current);
    if (parent === current) break;
    current = parent;
  }
  const repository = await bareRepository(program, folder, signal);
  await assertAllowed(repository, program);
  return { repository, folder, file };
}

/** In a confined mode neither the working tree nor anything that git keeps may lie outside of the roots. */
async function assertAllowed(repository: Repository, program: GitProgram): Promise<void> {
  const { roots } = program;
  if (roots === undefined) return;
  // In the sandbox nothing else is there.
  if (await program.startsNothing()) return assertSelfContained(repository, roots);
  const common = await realpath(repository.commonDir).catch(() => repository.commonDir);
  const places = [repository.top, repository.gitDir, common];
  if (!places.every((path) => roots.some((root) => isWithin(path, root)))) throw leadsOut();
}

async function statOf(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EACCES' || code === 'EPERM') {
      throw new CodedError('PERMISSION_DENIED', `"${path}" may not be read.`, 'Give another path.');
    }
    throw new CodedError(
      'FILE_NOT_FOUND',
      `There is no "${path}".`,
      'Give "path" a folder or file that exists.',
    );
  }
}

/** The git folder that `folder/.git` is or names, or undefined when git would look further up. */
async function gitDirIn(folder: string): Promise<string | undefined> {
  const dotGit = join(folder, '.git');
  const info = await stat(dotGit).catch(() => undefined);
  if (info === undefined) return undefined;
  if (info.isDirectory()) {
    // A `.git` without HEAD is no repository for git either.
    return (await stat(join(dotGit, 'HEAD')).catch(() => undefined)) ? realpath(dotGit) : undefined;
  }
  if (!info.isFile() || info.size > 64 * 1024) return undefined;
  const match = (await readTextInside(dotGit, 'utf8')).match(/^gitdir: (.+?)[\r\n]*$/s);
  if (match === null) return undefined;
  return realpath(resolve(folder, match[1]!)).catch(() => {
    throw new CodedError(
      'NOT_A_REPOSITORY',
      `${dotGit} points to ${match[1]}, which is not there.`,
      'The main repository was moved or deleted: run_command "git worktree repair" there, or clone again.',
    );
  });
}

async function describe(top: string, gitDir: string): Promise<Repository> {
  const common = (await readTextInside(join(gitDir, 'commondir'), 'utf8').catch(() => '')).trim();
  const commonDir = common === '' ? gitDir : isAbsolute(common) ? common : resolve(gitDir, common);
  return { top, gitDir, commonDir, bare: false };
}

/** The rare rest: a bare repository, or none. Only git itself can say. */
async function bareRepository(
  program: GitProgram,
  folder: string,
  signal?: AbortSignal,
): Promise<Repository> {
  const result = await program.run(['rev-parse', '--absolute-git-dir'], {
    cwd: folder,
    reads: true,
    signal,
    accept: [0, 128],
  });
  const gitDir = result.stdout.toString('utf8').replace(/\r?\n$/, '');
  if (result.exitCode !== 0 || gitDir === '') {
    if (!/not a git repository/i.test(result.stderr)) {
      throw gitFailure({
        args: ['rev-parse'],
        cwd: folder,
        exitCode: result.exitCode,
        stdout: '',
        stderr: result.stderr,
      });
    }
    const { message, hint } = notARepository(folder);
    throw new CodedError('NOT_A_REPOSITORY', message, hint);
  }
  return { top: gitDir, gitDir, commonDir: gitDir, bare: true };
}
