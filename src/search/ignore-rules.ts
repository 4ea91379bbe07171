import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  foldersUpwards,
  isInsideRepository,
  readGlobalExcludes,
  readRepositoryExcludes,
  readText,
} from './git-excludes.ts';
import { IgnoreFile, type Verdict } from './ignore-file.ts';

/** The sources of rules in one folder, by falling precedence; a nearer folder wins within one source only. */
const SOURCES = ['rgignore', 'ignore', 'gitignore', 'exclude'] as const;
type Source = (typeof SOURCES)[number];
const FILE_NAMES: ReadonlyMap<string, Source> = new Map([
  ['.rgignore', 'rgignore'],
  ['.ignore', 'ignore'],
  ['.gitignore', 'gitignore'],
]);

interface Level {
  readonly files: Partial<Record<Source, IgnoreFile>>;
  /** Ends the reach of the .gitignore files above it. */
  readonly isRepository: boolean;
  /** Turns a path relative to the search folder into one relative to this level's. */
  relative(path: string): string;
}

/**
 * The ignore rules that hold in one folder: its own files, those of the folders above it, the repository's
 * info/exclude and the user's global excludes, with the precedence that ripgrep gives them.
 */
export class IgnoreRules {
  /** Nearest first. */
  readonly #levels: readonly Level[];
  readonly #global: IgnoreFile | undefined;
  readonly #insideRepository: boolean;

  private constructor(levels: readonly Level[], global: IgnoreFile | undefined, insideRepository: boolean) {
    this.#levels = levels;
    this.#global = global;
    this.#insideRepository = insideRepository;
  }

  /** Reads what holds in the folder where a search starts, its parents included. */
  static async forFolder(folder: string): Promise<IgnoreRules> {
    const folders = foldersUpwards(folder);
    const [global, insideRepository, ...levels] = await Promise.all([
      readGlobalExcludes(),
      isInsideRepository(folder),
      ...folders.map((each) => readLevel(each, (path) => aboveToBelow(folder, each) + path)),
    ]);
    return new IgnoreRules(
      levels,
      global === undefined ? undefined : new IgnoreFile(global),
      insideRepository,
    );
  }

  /**
   * The rules one folder further down.
   * @param below relative to the search folder
   * @param names the folder's entries where they are known: spares looking for files that are not there
   */
  async descend(folder: string, below: string, names?: ReadonlySet<string>): Promise<IgnoreRules> {
    const level = await readLevel(folder, (path) => path.slice(below.length + 1), names);
    if (!level.isRepository && Object.keys(level.files).length === 0) return this;
    return new IgnoreRules([level, ...this.#levels], this.#global, this.#insideRepository);
  }

  /** @param path relative to the search folder */
  verdict(path: string, isFolder: boolean): Verdict {
    const found: Partial<Record<Source, Verdict>> = {};
    let pastRepository = false;
    for (const level of this.#levels) {
      for (const source of SOURCES) {
        const ofGit = source === 'gitignore' || source === 'exclude';
        if (found[source] || (ofGit && pastRepository)) continue;
        found[source] = level.files[source]?.verdict(level.relative(path), isFolder);
      }
      // Outside of any repository ripgrep (--no-require-git) does not look for the borders of nested ones.
      pastRepository ||= this.#insideRepository && level.isRepository;
    }
    for (const source of SOURCES) if (found[source]) return found[source];
    return this.#global?.verdict(path, isFolder);
  }
}

/**
 * Whether ripgrep, started in `folder`, would walk into `below`: every step on the way is a real folder that is
 * neither ignored nor, unless asked for, hidden.
 */
export async function isReachable(
  folder: string,
  below: string,
  options: { ignoreRules: boolean },
): Promise<boolean> {
  let rules = options.ignoreRules ? await IgnoreRules.forFolder(folder) : undefined;
  let path = '';
  for (const name of below.split('/')) {
    path = path === '' ? name : `${path}/${name}`;
    if (rules?.verdict(path, true) === 'ignore') return false;
    try {
      if (!(await lstat(join(folder, path))).isDirectory()) return false;
    } catch {
      return false;
    }
    rules = await rules?.descend(join(folder, path), path);
  }
  return true;
}

/** `src/lib/` for the search folder /a/src/lib seen from /a. */
function aboveToBelow(folder: string, above: string): string {
  const rest = folder.slice(above.length).replaceAll('\\', '/').replace(/^\//, '');
  return rest === '' ? '' : `${rest}/`;
}

async function readLevel(
  folder: string,
  relative: (path: string) => string,
  names?: ReadonlySet<string>,
): Promise<Level> {
  const files: Partial<Record<Source, IgnoreFile>> = {};
  const keep = (source: Source, text: string | undefined) => {
    const file = text === undefined ? undefined : new IgnoreFile(text);
    if (file && !file.isEmpty) files[source] = file;
  };
  const [isRepository] = await Promise.all([
    readRepository(folder, names, (text) => keep('exclude', text)),
    ...[...FILE_NAMES]
      .filter(([name]) => names?.has(name) ?? true)
      .map(async ([name, source]) => keep(source, await readText(join(folder, name)))),
  ]);
  return { files, isRepository, relative };
}

async function readRepository(
  folder: string,
  names: ReadonlySet<string> | undefined,
  keep: (text: string | undefined) => void,
): Promise<boolean> {
  if (names && !names.has('.git')) return false;
  keep(await readRepositoryExcludes(folder));
  if (names) return true;
  try {
    await lstat(join(folder, '.git'));
    return true;
  } catch {
    return false;
  }
}
