import { isAbsolute, join, relative, resolve } from 'node:path';
import { CodedError } from '../runtime/errors.ts';
import { isOutside, isSameOrInside, realPathOfExistingPart } from '../runtime/paths.ts';
import { homeFolder, isWindows } from '../runtime/platform.ts';

export type AccessMode = 'full' | 'workspace' | 'read-only';

export interface WorkspaceOptions {
  /** Real, absolute folders; the first is the default folder that relative paths start from. */
  readonly roots: readonly [string, ...string[]];
  readonly accessMode: AccessMode;
  /** Real, absolute folders and files that no tool may touch in any mode: the state folder, the audit log. */
  readonly protectedPaths: readonly string[];
}

/** Process files that would hand out secrets or a way around every check (access.md, "Access modes"). */
const PROC_SECRETS = /^\/proc\/[^/]+\/(task\/[^/]+\/)?(environ|mem|fd|root|cwd|map_files)(\/|$)/;

/**
 * Which folders are served and what a path given by a caller means. Every tool gets its paths through
 * `forReading` or `forWriting`, so that a tool is confined without having to think of it.
 */
export class Workspace {
  readonly roots: readonly [string, ...string[]];
  readonly accessMode: AccessMode;
  readonly #protectedPaths: readonly string[];

  constructor(options: WorkspaceOptions) {
    this.roots = options.roots;
    this.accessMode = options.accessMode;
    this.#protectedPaths = options.protectedPaths;
  }

  get defaultRoot(): string {
    return this.roots[0];
  }

  /**
   * The absolute form of a caller's path: `~` is the home folder, anything relative starts at the first root.
   * Purely textual, symlinks are not followed.
   * @throws {CodedError} INVALID_PARAMS for an empty path or one with a NUL character
   */
  resolve(path: string): string {
    if (path === '')
      throw new CodedError('INVALID_PARAMS', 'The path is empty.', 'Give a path, or "." for the first root.');
    if (path.includes('\0')) {
      throw new CodedError('INVALID_PARAMS', 'The path contains a NUL character.', 'Remove it.');
    }
    const expanded = path === '~' || /^~[/\\]/.test(path) ? join(homeFolder(), path.slice(1)) : path;
    return isAbsolute(expanded) ? resolve(expanded) : resolve(this.defaultRoot, expanded);
  }

  /**
   * How a path is shown in results: relative to the first root where it lies under it, else absolute, so that
   * every shown path can be given back as a parameter; `/` on every platform.
   */
  display(absolutePath: string): string {
    const inside = relative(this.defaultRoot, absolutePath);
    const shown = inside === '' ? '.' : isOutside(inside) ? absolutePath : inside;
    return isWindows ? shown.replaceAll('\\', '/') : shown;
  }

  /**
   * Checks a caller's path for a reading tool.
   * @returns the absolute path, symlinks not resolved
   * @throws {CodedError} DENIED for the product's own state and for process secrets
   */
  async forReading(path: string): Promise<string> {
    return this.#check(path);
  }

  /**
   * Checks a caller's path for a tool that creates, changes or removes it.
   * @returns the absolute path, symlinks not resolved
   */
  async forWriting(path: string): Promise<string> {
    return this.#check(path);
  }

  /** True for a root itself and for every folder above one: these are never deleted, moved or replaced. */
  holdsRoot(absolutePath: string): boolean {
    return this.roots.some((root) => isSameOrInside(root, absolutePath));
  }

  async #check(path: string): Promise<string> {
    const absolute = this.resolve(path);
    const real = await realPathOfExistingPart(absolute);
    for (const candidate of new Set([absolute, real])) {
      if (PROC_SECRETS.test(candidate)) {
        throw new CodedError(
          'DENIED',
          `"${path}" would expose the secrets of a process.`,
          'Read another file.',
        );
      }
      if (this.#protectedPaths.some((own) => isSameOrInside(candidate, own))) {
        throw new CodedError(
          'DENIED',
          `"${path}" belongs to local-coder's own state, which no tool may read or change.`,
          'Use agent_status, recent_calls or rewind to see what it holds.',
        );
      }
    }
    return absolute;
  }
}
