import { readFile, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { concurrently } from '../runtime/concurrently.ts';
import { excludesFile, findRepository, userExcludesFile } from './git-ignore-files.ts';
import { IgnoredByGit } from './ignored-by-git.ts';

/** What other programs do to ignore files and repositories is noticed after this time; what we do, at once. */
const KNOWN_MS = 1_000;
const MAX_CACHED = 5_000;
/** Changing one of these changes what is ignored. */
const RULE_FILE = /[\\/](\.gitignore|exclude|\.gitconfig)$/;
const PARALLEL = 16;

interface CachedRules {
  readonly stamp: string;
  readonly rules: Ignore | undefined;
}

/** What was found out a moment ago, for all paths that are asked about until it is forgotten. */
interface Question {
  readonly atMs: number;
  readonly rules: Map<string, Promise<Ignore | undefined>>;
  readonly ignoredFolders: Map<string, Promise<boolean>>;
}

/**
 * Tells which files git ignores. The ignore files on the way to them are looked at (read again only when they changed),
 * and only when they say yes, git itself is asked, once for all, because a tracked file is never ignored.
 */
export class GitIgnored {
  readonly #files = new Map<string, CachedRules>();
  readonly #git = new IgnoredByGit();
  #question: Question | undefined;
  readonly #repositories = new Map<string, { repository: string | undefined; atMs: number }>();
  readonly #excludesFiles = new Map<string, Promise<string>>();

  /**
   * Why files are not recorded, undefined for those that are.
   * @param paths absolute; a path above another one of them is taken for a folder
   */
  async reasons(paths: readonly string[]): Promise<(string | undefined)[]> {
    const question = this.#present();
    const folders = new Set(paths.length > 1 ? paths.map((path) => dirname(path)) : []);
    const suspects = new Map<string, Set<string>>();
    const ofGit = new Set<string>();
    await concurrently(paths, PARALLEL, async (path) => {
      const repository = await this.#repository(dirname(path));
      if (repository === undefined) return;
      if (relative(repository, path).split(sep)[0] === '.git') ofGit.add(path);
      else if (await this.#isIgnored(repository, path, folders.has(path), question)) {
        suspects.set(repository, (suspects.get(repository) ?? new Set()).add(path));
      }
    });
    if (paths.some((path) => RULE_FILE.test(path))) this.#question = undefined;
    const ignored = new Set<string>();
    for (const [repository, some] of suspects) {
      for (const path of await this.#git.among(repository, some)) ignored.add(path);
    }
    return paths.map((path) =>
      ofGit.has(path) ? 'it belongs to git itself' : ignored.has(path) ? 'git ignores it' : undefined,
    );
  }

  #present(): Question {
    const atMs = Date.now();
    if (!this.#question || atMs - this.#question.atMs > KNOWN_MS || this.#question.rules.size > MAX_CACHED) {
      this.#question = { atMs, rules: new Map(), ignoredFolders: new Map() };
    }
    return this.#question;
  }

  async #isIgnored(
    repository: string,
    path: string,
    isFolder: boolean,
    question: Question,
  ): Promise<boolean> {
    // Nothing inside of an ignored folder can be taken out of it again.
    if (await this.#isInIgnoredFolder(repository, dirname(path), question)) return true;
    const parts = relative(repository, path).split(sep);
    // By falling precedence: the nearest .gitignore first, then the repository's own excludes, then the user's.
    const levels = await Promise.all([
      ...parts
        .map((_, depth) => this.#asked(join(repository, ...parts.slice(0, depth), '.gitignore'), question))
        .reverse(),
      this.#asked(await this.#excludes(repository), question),
      this.#asked(await userExcludesFile(), question),
    ]);
    for (const [index, rules] of levels.entries()) {
      if (!rules) continue;
      const depth = Math.max(0, parts.length - 1 - index);
      const below = parts.slice(depth).join('/');
      const { ignored, unignored } = rules.test(isFolder ? `${below}/` : below);
      if (ignored || unignored) return ignored;
    }
    return false;
  }

  #isInIgnoredFolder(repository: string, folder: string, question: Question): Promise<boolean> {
    if (folder === repository) return Promise.resolve(false);
    const known = question.ignoredFolders.get(folder) ?? this.#isIgnored(repository, folder, true, question);
    question.ignoredFolders.set(folder, known);
    return known;
  }

  #asked(file: string, { rules }: Question): Promise<Ignore | undefined> {
    const known = rules.get(file) ?? this.#rules(file);
    rules.set(file, known);
    return known;
  }

  async #repository(folder: string): Promise<string | undefined> {
    const cached = this.#repositories.get(folder);
    if (cached && Date.now() - cached.atMs < KNOWN_MS) return cached.repository;
    const repository = await findRepository(folder);
    if (this.#repositories.size > MAX_CACHED) this.#repositories.clear();
    this.#repositories.set(folder, { repository, atMs: Date.now() });
    return repository;
  }

  #excludes(repository: string): Promise<string> {
    const known = this.#excludesFiles.get(repository) ?? excludesFile(repository);
    this.#excludesFiles.set(repository, known);
    return known;
  }

  async #rules(file: string): Promise<Ignore | undefined> {
    const stamp = await stat(file).then(
      ({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`,
      () => undefined,
    );
    if (stamp === undefined) {
      this.#files.delete(file);
      return undefined;
    }
    const cached = this.#files.get(file);
    if (cached?.stamp === stamp) return cached.rules;
    const text = await readFile(file, 'utf8').catch(() => '');
    const rules = text.trim() === '' ? undefined : ignore({ allowRelativePaths: true }).add(text);
    if (this.#files.size > MAX_CACHED) this.#files.clear();
    this.#files.set(file, { stamp, rules });
    return rules;
  }
}
