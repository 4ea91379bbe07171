import { type FileHandle, lstat, readlink, realpath } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { CodedError } from '../../runtime/errors.ts';
import { isWindows } from '../../runtime/platform.ts';
import { type FileRef, isWithin, openedPath, openForReading, Workspace } from '../../workspace/index.ts';
import { invalid, pathIgnored, pathOutside, viewerError } from './errors.ts';
import { HiddenPaths } from './hidden-paths.ts';

/** A folder that may be looked into. */
export interface ViewedWorkspace {
  readonly workspaceId: string;
  readonly displayName: string;
  /** Real, absolute. */
  readonly root: string;
  readonly languages?: readonly string[] | undefined;
  /** The owner's own ignore patterns (gitignore syntax). */
  readonly ignore?: readonly string[] | undefined;
}

/** A path of a call that passed every rule. */
export interface ViewedPath {
  /** Real and absolute; what is opened. */
  readonly real: string;
  /** Relative to the root as the caller named it, `/`-separated, `.` for the root. */
  readonly shown: string;
}

/** One workspace as one call sees it: every path goes through here, and every opened file is looked at once more. */
export class WorkspaceView {
  readonly workspace: ViewedWorkspace;
  readonly hidden: HiddenPaths;
  readonly #guard: Workspace;

  private constructor(workspace: ViewedWorkspace, hidden: HiddenPaths, guard: Workspace) {
    this.workspace = workspace;
    this.hidden = hidden;
    this.#guard = guard;
  }

  /** @throws {CodedError} WORKSPACE_FORBIDDEN when the folder is gone, moved or closed */
  static async open(workspace: ViewedWorkspace, guard: Workspace): Promise<WorkspaceView> {
    const real = await realpath(workspace.root).catch(() => undefined);
    const isFolder = real === workspace.root && (await lstat(real).catch(() => undefined))?.isDirectory();
    if (!isFolder) {
      throw new CodedError(
        'WORKSPACE_FORBIDDEN',
        `The folder of the workspace "${workspace.displayName}" is not there, or may not be entered.`,
        'Ask the user to add it again; listWorkspaces gives the others.',
      );
    }
    return new WorkspaceView(workspace, await HiddenPaths.of(real, workspace.ignore ?? []), guard);
  }

  get root(): string {
    return this.workspace.root;
  }

  /**
   * Checks a path of a call: inside of the root by name and in truth, hidden neither by name nor in truth.
   * @throws {CodedError} INVALID_PARAMS, PATH_OUTSIDE_WORKSPACE, PATH_IGNORED, FILE_NOT_FOUND
   */
  async path(given: string): Promise<ViewedPath> {
    const absolute = this.#absolute(given);
    const shown = this.shown(absolute);
    try {
      await this.#guard.forReading(absolute);
    } catch (error) {
      throw viewerError(error, { tool: 'inspectFile', path: given, root: this.root });
    }
    if (await this.hidden.holds(absolute)) throw pathIgnored(given);
    const real = await realpath(absolute).catch(() => undefined);
    if (real === undefined) throw await this.#missing(absolute, given);
    await this.#assertShown(real, given);
    return { real, shown };
  }

  /**
   * The same for a path that need not exist (a deleted file of a diff).
   * @returns its absolute form, not made real
   */
  async pathOfChange(given: string): Promise<string> {
    const absolute = this.#absolute(given);
    try {
      await this.#guard.forReading(absolute);
    } catch (error) {
      throw viewerError(error, { tool: 'inspectWorkspaceDiff', path: given, root: this.root });
    }
    if (await this.hidden.holds(absolute)) throw pathIgnored(given);
    const real = await realpath(absolute).catch(() => undefined);
    if (real !== undefined) await this.#assertShown(real, given);
    return absolute;
  }

  /** Opens a regular file that passed; what was opened is held against the rules again, whatever its name leads to. */
  async openFile(path: ViewedPath): Promise<{ handle: FileHandle; sizeBytes: number }> {
    const opened = await openForReading(this.file(path));
    try {
      const real = await openedPath(opened.handle, path.real);
      if (real === undefined) throw pathOutside(path.shown);
      await this.#assertShown(real.replace(/ \(deleted\)$/, ''), path.shown);
      return opened;
    } catch (error) {
      await opened.handle.close();
      throw error;
    }
  }

  file({ real, shown }: ViewedPath): FileRef {
    return { path: real, shown };
  }

  shown(absolute: string): string {
    const inside = relative(this.root, absolute);
    return inside === '' ? '.' : isWindows ? inside.replaceAll(sep, '/') : inside;
  }

  #absolute(given: string): string {
    if (given.includes('\0')) throw invalid('The path contains a NUL character.', 'Remove it.');
    const absolute = resolve(this.root, given);
    if (!isWithin(absolute, this.root)) throw pathOutside(given);
    return absolute;
  }

  async #assertShown(real: string, given: string): Promise<void> {
    if (!isWithin(real, this.root)) throw pathOutside(given);
    if (await this.hidden.holds(real)) throw pathIgnored(given);
  }

  /** A dangling link is answered as one that leads out where it would: not even what is missing there is told. */
  async #missing(absolute: string, given: string): Promise<CodedError> {
    for (let path = absolute; path !== this.root && isWithin(path, this.root); path = dirname(path)) {
      const target = await readlink(path).catch(() => undefined);
      const folder = target === undefined ? undefined : await realpath(dirname(path)).catch(() => undefined);
      if (target === undefined || folder === undefined) continue;
      const leads = resolve(folder, target);
      if (!isWithin(leads, this.root)) return pathOutside(given);
      if (await this.hidden.holds(leads)) return pathIgnored(given);
    }
    return viewerError(new CodedError('FILE_NOT_FOUND', '', ''), { tool: 'inspectFile', path: given });
  }
}

/** The path of a child of a shown folder. */
export function below(shownFolder: string, name: string): string {
  return shownFolder === '.' ? name : `${shownFolder}/${name}`;
}

/** The path guard of one workspace. Made once: it raises a fence for the rest of the process. */
export function guardOf(root: string, protectedPaths: readonly string[]): Workspace {
  return new Workspace({ roots: [root], accessMode: 'read-only', protectedPaths });
}

/** Joins a root and a `/`-separated path below it. */
export function absoluteBelow(root: string, path: string): string {
  return path === '.' ? root : join(root, ...path.split('/'));
}
