import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import {
  type AccessMode,
  ignoredFile,
  type ModeRules,
  nothingIsWritten,
  outsideWorkspace,
  ownState,
  rulesOf,
} from '../access/modes.ts';
import {
  isNetworkPath,
  isProcessSecret,
  mayHoldProcessSecrets,
  refuseDeceptiveName,
} from '../access/path-names.ts';
import { CodedError } from '../runtime/errors.ts';
import { isOutside, isSameOrInside, realPathOfExistingPart } from '../runtime/paths.ts';
import { homeFolder, isWindows } from '../runtime/platform.ts';
import { fenced, isWithin, raiseFence, unfenced } from './fence.ts';
import { IgnoredPaths } from './ignored-paths.ts';

export type { AccessMode } from '../access/modes.ts';

export interface WorkspaceOptions {
  /** Real, absolute folders; the first is the default folder that relative paths start from. */
  readonly roots: readonly [string, ...string[]];
  readonly accessMode: AccessMode;
  /** Real, absolute folders and files that no tool may touch in any mode: the state folder, the audit log. */
  readonly protectedPaths: readonly string[];
}

/**
 * Which folders are served and what a path given by a caller means. Every tool gets its paths through
 * `forReading` or `forWriting`, so that a tool is confined without having to think of it.
 */
export class Workspace {
  readonly roots: readonly [string, ...string[]];
  readonly accessMode: AccessMode;
  readonly rules: ModeRules;
  readonly #protectedPaths: readonly string[];

  constructor(options: WorkspaceOptions) {
    this.roots = options.roots;
    this.accessMode = options.accessMode;
    this.rules = rulesOf(options.accessMode);
    this.#protectedPaths = options.protectedPaths;
    if (this.rules.confined) raiseFence({ roots: this.roots, protectedPaths: this.#protectedPaths });
  }

  /** Runs a call of a client of this workspace: the fences of one with less beside it are none of its business. */
  around<T>(call: () => T): T {
    return this.rules.confined ? fenced(call) : unfenced(call);
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
   * @returns the absolute path, the entry itself not resolved; in a confined mode below a root by its name, so that
   *   the fence (fence.ts) holds for whatever is done with it
   * @throws {CodedError} PATH_OUTSIDE_WORKSPACE; DENIED for the product's own state, process secrets and, in read-only
   *   mode, what git ignores
   */
  async forReading(path: string): Promise<string> {
    return this.#check(path);
  }

  /**
   * Checks a caller's path for a tool that creates, changes or removes it.
   * @returns as forReading
   * @throws {CodedError} as forReading; DENIED in read-only mode
   */
  async forWriting(path: string): Promise<string> {
    if (!this.rules.writes) throw nothingIsWritten(path);
    return this.#check(path);
  }

  /**
   * True for a root itself and for every folder above one, and for a folder that holds the product's own state: these
   * are never deleted, moved or replaced.
   */
  holdsRoot(absolutePath: string): boolean {
    return [...this.roots, ...this.#protectedPaths].some((kept) => isSameOrInside(kept, absolutePath));
  }

  /**
   * What a search or listing below a folder must leave out, by its path relative to the folder; undefined when nothing
   * there can be such.
   */
  async hiddenBelow(folder: string): Promise<((relativePath: string) => boolean) | undefined> {
    const real = await realpath(folder).catch(() => folder);
    const own = this.#protectedPaths.filter((path) => isSameOrInside(path, real));
    const secrets = mayHoldProcessSecrets(real);
    if (own.length === 0 && !secrets) return undefined;
    return (relativePath) => {
      const path = join(real, relativePath);
      return own.some((kept) => isSameOrInside(path, kept)) || (secrets && isProcessSecret(path));
    };
  }

  /**
   * In read-only mode the paths of a search result that may be shown: the search's own rules can be walked around by
   * its parameters (a glob that names an ignored file). In other modes all of them.
   * @param paths relative to the folder
   */
  async withoutIgnored(folder: string, paths: readonly string[]): Promise<readonly string[]> {
    if (!this.rules.hidesIgnored) return paths;
    const ignored = new IgnoredPaths(this.roots);
    const kept: string[] = [];
    for (const path of paths) if (!(await ignored.holds(join(folder, path)))) kept.push(path);
    return kept;
  }

  async #check(path: string): Promise<string> {
    refuseDeceptiveName(path);
    const absolute = this.resolve(path);
    // Not even looked at: a network path hands the user's credentials to another machine.
    if (this.rules.confined && isNetworkPath(absolute) && !this.#isInRoot(absolute)) {
      throw outsideWorkspace(path, this.defaultRoot);
    }
    const real = await realPathOfExistingPart(absolute);
    for (const candidate of absolute === real ? [real] : [absolute, real]) {
      if (isProcessSecret(candidate)) {
        throw new CodedError(
          'DENIED',
          `"${path}" would expose the secrets of a process.`,
          'Read another file.',
        );
      }
      if (this.#protectedPaths.some((own) => isSameOrInside(candidate, own))) throw ownState(path);
    }
    if (!this.rules.confined) return absolute;
    if (!this.#isInRoot(real)) throw outsideWorkspace(path, this.defaultRoot);
    const below = await this.#belowRoot(absolute, real);
    if (below === undefined) throw outsideWorkspace(path, this.defaultRoot);
    if (this.rules.hidesIgnored) {
      const ignored = new IgnoredPaths(this.roots);
      if ((await ignored.holds(below)) || (real !== below && (await ignored.holds(real)))) {
        throw ignoredFile(path);
      }
    }
    return below;
  }

  /** A name below a root for a path that may have come in by another way (a link to the workspace from elsewhere). */
  async #belowRoot(absolute: string, real: string): Promise<string | undefined> {
    if (this.#isInRoot(absolute)) return absolute;
    const entry = join(await realPathOfExistingPart(dirname(absolute)), basename(absolute));
    return [entry, real].find((candidate) => this.#isInRoot(candidate));
  }

  #isInRoot(path: string): boolean {
    return this.roots.some((root) => isWithin(path, root));
  }
}
