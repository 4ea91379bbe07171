import { lstat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { isWithin } from './fence.ts';
import { IgnoreRules } from './ignore-rules.ts';

/**
 * Whether git ignores a path, asked for many paths of one answer: the rules of each folder are read once. As in git,
 * what lies in an ignored folder is ignored, and so is everything of `.git`.
 */
export class IgnoredPaths {
  readonly #roots: readonly string[];
  /** Undefined: the folder itself is ignored. */
  readonly #folders = new Map<string, Promise<IgnoreRules | undefined>>();

  /** @param roots real folders; rules above them count, but they themselves are never ignored */
  constructor(roots: readonly string[]) {
    this.#roots = roots;
  }

  /** @param path absolute; need not exist */
  async holds(path: string): Promise<boolean> {
    const root = this.#roots.find((each) => isWithin(path, each));
    if (root === undefined || path === root) return false;
    const names = relative(root, path).split(sep);
    const name = names.pop() ?? '';
    const rules = await this.#rulesIn(root, names);
    if (rules === undefined) return true;
    const isDirectory = await lstat(path).then(
      (stats) => stats.isDirectory(),
      () => false,
    );
    return rules.ignores(join(root, ...names, name), isDirectory);
  }

  #rulesIn(root: string, names: readonly string[]): Promise<IgnoreRules | undefined> {
    const folder = join(root, ...names);
    let rules = this.#folders.get(folder);
    if (!rules) {
      rules = names.length === 0 ? IgnoreRules.forFolder(root) : this.#enter(root, names, folder);
      this.#folders.set(folder, rules);
    }
    return rules;
  }

  async #enter(root: string, names: readonly string[], folder: string): Promise<IgnoreRules | undefined> {
    const above = await this.#rulesIn(root, names.slice(0, -1));
    return above === undefined || above.ignores(folder, true) ? undefined : above.enter(folder);
  }
}
