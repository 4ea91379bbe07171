import { resolve } from 'node:path';
import { CodedError } from '../runtime/errors.ts';
import { type BlameReport, readBlame } from './blame.ts';
import { type BranchList, createBranch, deleteBranch, listBranches } from './branch.ts';
import { checkout, createAndSwitch, type SwitchReport, switchBranch } from './checkout.ts';
import { type CommitReport, createCommit } from './commit.ts';
import { type DiffOptions, type DiffReport, readDiff } from './diff.ts';
import { pathAsArgument, type RepoPath } from './file-names.ts';
import { GitProgram, type GitProgramOptions } from './git-program.ts';
import { type LogOptions, type LogReport, readLog } from './log.ts';
import type { LongRunner } from './long-run.ts';
import {
  type FetchReport,
  fetchRemote,
  type PullReport,
  type PushReport,
  pullRemote,
  pushRemote,
  type StillRunning,
} from './network.ts';
import { findRepository, type Place } from './repository.ts';
import { type FileNaming, resolveFile, resolveFiles } from './resolve-files.ts';
import { type ResetMode, type ResetReport, reset, restoreFiles } from './restore.ts';
import { splitRevisionPath } from './revision.ts';
import { type ShownCommit, type ShownFile, showCommit, showFile } from './show.ts';
import { type StageReport, stageAll, stageFiles } from './stage.ts';
import { applyStash, dropStash, listStashes, pushStash, type StashEntry, stashCommit } from './stash.ts';
import { type Head, readHead } from './state.ts';
import { readStatus, type StatusReport } from './status.ts';
import { filesTouchedBy, type TouchedFile, type TouchingOperation } from './touched-files.ts';
import { inTurn } from './turns.ts';

/** @returns the git domain; nothing is looked up or started before the first call */
export function createGit(options: GitProgramOptions): Git {
  return new Git(new GitProgram(options));
}

/** Finds repositories and opens them for calls. */
export class Git {
  readonly #program: GitProgram;

  constructor(program: GitProgram) {
    this.#program = program;
  }

  /**
   * Opens the repository that a path is in, for one call.
   * @param path absolute folder or file
   * @throws {CodedError} FILE_NOT_FOUND, NOT_A_REPOSITORY, PERMISSION_DENIED, GIT_NOT_FOUND
   */
  async open(path: string, naming: FileNaming, signal?: AbortSignal): Promise<OpenRepository> {
    const found = await findRepository(this.#program, path, signal);
    const place = { ...found, repository: { ...found.repository, shownFrom: naming.defaultFolder } };
    return new OpenRepository(this.#program, place, naming, signal);
  }

  /**
   * The repository's top folder and what HEAD is, read from files alone: costs no process.
   * Undefined outside of a repository.
   */
  async head(path: string): Promise<{ top: string; head: Head | undefined } | undefined> {
    try {
      const { repository } = await findRepository(this.#program, path);
      return { top: repository.top, head: await readHead(repository) };
    } catch (error) {
      if (error instanceof CodedError) return undefined;
      throw error;
    }
  }
}

/**
 * One repository, as one call sees it: knows what the call's file names mean and stops with its signal. Methods that
 * change the index or the working tree wait for each other.
 */
export class OpenRepository {
  readonly #program: GitProgram;
  readonly #place: Place;
  readonly #naming: FileNaming;
  readonly #signal: AbortSignal | undefined;

  constructor(program: GitProgram, place: Place, naming: FileNaming, signal: AbortSignal | undefined) {
    this.#program = program;
    this.#place = place;
    this.#naming = naming;
    this.#signal = signal;
  }

  /** Real path of the top folder; results name files relative to it. */
  get top(): string {
    return this.#place.repository.top;
  }

  /** The file that was opened instead of a folder, to which reading calls limit themselves. */
  get openedFile(): string | undefined {
    return this.#place.file;
  }

  /** The path inside the repository of a file that the call names. */
  resolveFile(file: string): Promise<RepoPath> {
    return resolveFile(this.#program, this.#place, file, this.#naming, this.#signal);
  }

  resolveFiles(files: readonly string[]): Promise<RepoPath[]> {
    return resolveFiles(this.#program, this.#place, files, this.#naming, this.#signal);
  }

  status(options: {
    path?: RepoPath;
    offset?: number;
    limit?: number;
    untracked?: 'no' | 'normal' | 'all';
  }): Promise<StatusReport> {
    const { path, ...window } = options;
    const paths = path === undefined ? {} : { paths: [pathAsArgument(path)] };
    return readStatus(this.#program, this.#place.repository, { ...window, ...paths }, this.#signal);
  }

  diff(options: Omit<DiffOptions, 'path'> & { path?: RepoPath | undefined }): Promise<DiffReport> {
    const { path, ...rest } = options;
    const limited = path === undefined ? rest : { ...rest, path: pathAsArgument(path) };
    return readDiff(this.#program, this.#place.repository, limited, this.#signal);
  }

  log(options: Omit<LogOptions, 'path'> & { path?: RepoPath | undefined }): Promise<LogReport> {
    const { path, ...rest } = options;
    const limited = path === undefined ? rest : { ...rest, path: pathAsArgument(path) };
    return readLog(this.#program, this.#place.repository, limited, this.#signal);
  }

  /** A commit, or with `rev:path` in the revision or a file of its own, what that file was. */
  async show(ref: string, file: RepoPath | undefined, offset: number): Promise<ShownCommit | ShownFile> {
    const named =
      file === undefined ? splitRevisionPath(ref) : { revision: ref.replace(/:$/, ''), path: file };
    const { repository } = this.#place;
    if (named === undefined) return showCommit(this.#program, repository, ref, offset, this.#signal);
    if (this.#program.accessMode === 'read-only') {
      // The content may be an old one; the rules are those of the path.
      await this.#naming.checkPath(resolve(this.top, named.path));
    }
    const path = named.path === '.' ? '' : named.path;
    return showFile(this.#program, repository, named.revision, path, offset, this.#signal);
  }

  blame(path: RepoPath, startLine?: number, endLine?: number): Promise<BlameReport> {
    const range = {
      ...(startLine !== undefined && { startLine }),
      ...(endLine !== undefined && { endLine }),
    };
    return readBlame(
      this.#program,
      this.#place.repository,
      { path: pathAsArgument(path), ...range },
      this.#signal,
    );
  }

  /** Stages files, or everything when `paths` is undefined. */
  stage(paths: readonly RepoPath[] | undefined): Promise<StageReport> {
    const { repository } = this.#place;
    return this.#inTurn(() =>
      paths === undefined
        ? stageAll(this.#program, repository, this.#signal)
        : stageFiles(this.#program, repository, paths, this.#signal),
    );
  }

  commit(options: {
    message: string;
    paths?: readonly RepoPath[] | undefined;
    stageAll?: boolean;
  }): Promise<CommitReport> {
    const { paths, ...rest } = options;
    const complete = paths === undefined ? rest : { ...rest, paths };
    return this.#inTurn(() => createCommit(this.#program, this.#place.repository, complete, this.#signal));
  }

  branches(): Promise<BranchList> {
    return listBranches(this.#program, this.#place.repository, this.#signal);
  }

  createBranch(name: string, start?: string): Promise<string> {
    return createBranch(this.#program, this.#place.repository, name, start, this.#signal);
  }

  deleteBranch(name: string): Promise<string> {
    return deleteBranch(this.#program, this.#place.repository, name, this.#signal);
  }

  switchBranch(name: string): Promise<SwitchReport> {
    return this.#inTurn(() => switchBranch(this.#program, this.#place.repository, name, this.#signal));
  }

  createAndSwitch(name: string, start?: string): Promise<SwitchReport> {
    return this.#inTurn(() =>
      createAndSwitch(this.#program, this.#place.repository, name, start, this.#signal),
    );
  }

  checkout(ref: string): Promise<SwitchReport> {
    return this.#inTurn(() => checkout(this.#program, this.#place.repository, ref, this.#signal));
  }

  restore(paths: readonly RepoPath[], source: string): Promise<void> {
    return this.#inTurn(() =>
      restoreFiles(this.#program, this.#place.repository, paths, source, this.#signal),
    );
  }

  reset(mode: ResetMode, ref: string): Promise<ResetReport> {
    return this.#inTurn(() => reset(this.#program, this.#place.repository, mode, ref, this.#signal));
  }

  stashes(): Promise<StashEntry[]> {
    return listStashes(this.#program, this.#place.repository, this.#signal);
  }

  pushStash(options: { message?: string; includeUntracked?: boolean }): Promise<StashEntry | undefined> {
    return this.#inTurn(() => pushStash(this.#program, this.#place.repository, options, this.#signal));
  }

  /** @throws {CodedError} REF_NOT_FOUND when there is no such entry */
  stashCommit(index: number): Promise<string> {
    return stashCommit(this.#program, this.#place.repository, index, this.#signal);
  }

  applyStash(action: 'pop' | 'apply', index: number): Promise<void> {
    return this.#inTurn(() => applyStash(this.#program, this.#place.repository, action, index, this.#signal));
  }

  dropStash(index: number): Promise<string> {
    return this.#inTurn(() => dropStash(this.#program, this.#place.repository, index, this.#signal));
  }

  fetch(remote: string | undefined, runner?: LongRunner): Promise<FetchReport | StillRunning> {
    return fetchRemote(this.#networkCall(runner), remote);
  }

  push(
    options: { remote?: string | undefined; branch?: string | undefined; setUpstream?: boolean | undefined },
    runner?: LongRunner,
  ): Promise<PushReport | StillRunning> {
    return pushRemote(this.#networkCall(runner), options);
  }

  pull(
    options: { remote?: string | undefined; branch?: string | undefined; rebase?: boolean | undefined },
    runner?: LongRunner,
  ): Promise<PullReport | StillRunning> {
    return this.#inTurn(() => pullRemote(this.#networkCall(runner), options));
  }

  /** What must be recorded before an operation, see touched-files.ts. */
  filesTouchedBy(operation: TouchingOperation): Promise<TouchedFile[]> {
    return filesTouchedBy(this.#program, this.#place.repository, operation, this.#signal);
  }

  #networkCall(runner: LongRunner | undefined) {
    return { program: this.#program, repository: this.#place.repository, runner, signal: this.#signal };
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    return inTurn(this.#place.repository.gitDir, this.#signal, work);
  }
}
