import { lstat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { Ignore } from 'ignore';
import { IgnoredPaths, IgnoreRules } from '../../workspace/index.ts';

/** Never shown unless the workspace's owner says otherwise in its own patterns (gitignore syntax). */
export const DEFAULT_IGNORE: readonly string[] = [
  '.git',
  '.idea',
  'target',
  'build',
  'dist',
  'node_modules',
  '.gradle',
  '.env*',
  // Private keys, and where they are kept.
  '*.pem',
  '*.key',
  '*.p12',
  '*.pfx',
  '*.ppk',
  '*.jks',
  '*.keystore',
  'id_rsa',
  'id_dsa',
  'id_ecdsa',
  'id_ecdsa_sk',
  'id_ed25519',
  'id_ed25519_sk',
  '.ssh',
  '.gnupg',
];

/**
 * What the viewer does not show of one workspace: the default list with the owner's patterns, whatever their case, and
 * what git ignores. Made for one call: rules are read anew, and the matcher keeps every path that it was asked.
 */
export class HiddenPaths {
  readonly #root: string;
  readonly #own: Ignore;
  readonly #ofGit: IgnoredPaths;

  private constructor(root: string, own: Ignore) {
    this.#root = root;
    this.#own = own;
    this.#ofGit = new IgnoredPaths([root]);
  }

  /**
   * @param root real, absolute
   * @param patterns the owner's, after the default ones; they can take those back with `!`, except for `.git`
   */
  static async of(root: string, patterns: readonly string[]): Promise<HiddenPaths> {
    const { default: ignore } = await import('ignore');
    return new HiddenPaths(root, ignore().add([...DEFAULT_IGNORE, ...patterns, '.git']));
  }

  /** @param path absolute, below the root; need not exist */
  async holds(path: string): Promise<boolean> {
    const below = this.#below(path);
    if (below === '') return false;
    const isFolder = await lstat(path).then(
      (stats) => stats.isDirectory(),
      () => false,
    );
    return this.#own.ignores(isFolder ? `${below}/` : below) || this.#ofGit.holds(path);
  }

  /** git's rules in the folder where a walk starts; `enter` of the result goes further down. */
  async rulesIn(folder: string): Promise<IgnoreRules> {
    let rules = await IgnoreRules.forFolder(this.#root);
    const names = this.#below(folder).split('/');
    for (let end = 1; end <= names.length; end++) {
      const path = join(this.#root, ...names.slice(0, end));
      if (path !== this.#root) rules = await rules.enter(path);
    }
    return rules;
  }

  /** For an entry that a walk came to, its folders having been looked at on the way. */
  holdsEntry(path: string, isFolder: boolean, rules: IgnoreRules): boolean {
    const below = this.#below(path);
    return this.#own.ignores(isFolder ? `${below}/` : below) || rules.ignores(path, isFolder);
  }

  /**
   * Of paths relative to the root, those that are hidden, each given by the topmost hidden folder that it lies in:
   * a thousand changed files in `dist` are one.
   */
  async among(paths: readonly string[]): Promise<string[]> {
    const found = new Set<string>();
    const known = new Map<string, boolean>();
    for (const path of paths) {
      const names = path.replace(/\/$/, '').split('/');
      for (let end = 1; end <= names.length; end++) {
        const part = names.slice(0, end).join('/');
        let isHidden = known.get(part);
        if (isHidden === undefined) {
          // What is deleted meanwhile was a folder when something lies below it.
          const isFolder = end < names.length || path.endsWith('/');
          isHidden =
            this.#own.ignores(isFolder ? `${part}/` : part) ||
            (await this.#ofGit.holds(join(this.#root, ...names.slice(0, end))));
          known.set(part, isHidden);
        }
        if (!isHidden) continue;
        found.add(part);
        break;
      }
    }
    return [...found];
  }

  #below(path: string): string {
    return relative(this.#root, path).replaceAll(sep, '/');
  }
}
