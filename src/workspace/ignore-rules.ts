import { lstat, readFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { Ignore } from 'ignore';

/** The rules of one ignore file, which count for paths below its folder. */
interface RuleFile {
  readonly folder: string;
  readonly rules: Ignore;
}

/**
 * git's ignore rules on the way down a tree: each folder's rules are its own `.gitignore` before those of the folders
 * above it, up to the repository's root, and then `.git/info/exclude`. The folder `.git` is always ignored.
 */
export class IgnoreRules {
  /** Deepest first. */
  readonly #files: readonly RuleFile[];

  private constructor(files: readonly RuleFile[]) {
    this.#files = files;
  }

  /** The rules that count in a folder, wherever in a repository (or outside of one) it lies. */
  static async forFolder(folder: string): Promise<IgnoreRules> {
    const files: RuleFile[] = [];
    for (let current = folder; ; current = dirname(current)) {
      files.push(...(await ruleFile(current, join(current, '.gitignore'))));
      if (await exists(join(current, '.git'))) {
        files.push(...(await ruleFile(current, join(current, '.git', 'info', 'exclude'))));
        break;
      }
      // Outside of a repository only the folder's own file counts.
      if (dirname(current) === current)
        return new IgnoreRules(files.filter((file) => file.folder === folder));
    }
    return new IgnoreRules(files);
  }

  /** The rules inside a folder below one that these rules are for. */
  async enter(folder: string): Promise<IgnoreRules> {
    const own = await ruleFile(folder, join(folder, '.gitignore'));
    return own.length === 0 ? this : new IgnoreRules([...own, ...this.#files]);
  }

  ignores(path: string, isDirectory: boolean): boolean {
    if (path.endsWith(`${sep}.git`)) return true;
    for (const { folder, rules } of this.#files) {
      const inside = relative(folder, path).replaceAll(sep, '/');
      const result = rules.test(isDirectory ? `${inside}/` : inside);
      if (result.ignored) return true;
      if (result.unignored) return false;
    }
    return false;
  }
}

async function ruleFile(folder: string, file: string): Promise<RuleFile[]> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return [];
  // Loaded when a rule is there to be read: most calls need none.
  const { default: ignore } = await import('ignore');
  return [{ folder, rules: ignore().add(text) }];
}

function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
