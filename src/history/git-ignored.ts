import { readFile, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { homeFolder } from '../runtime/platform.ts';
import { runProgram } from '../runtime/run-program.ts';
import { which } from '../runtime/which.ts';

const GIT_TIMEOUT_MS = 5_000;
/** A repository that is made around a folder is noticed after this time. */
const REPOSITORY_KNOWN_MS = 2_000;

interface CachedRules {
  readonly stamp: string;
  readonly rules: Ignore | undefined;
}

/**
 * Tells whether git ignores a file. The ignore files on the way to it are looked at (their time stamps: they are read
 * again only when they changed), and only when they say yes, git itself is asked, because a tracked file is never ignored.
 */
export class GitIgnored {
  readonly #files = new Map<string, CachedRules>();
  readonly #repositories = new Map<string, { repository: string | undefined; atMs: number }>();
  readonly #excludesFiles = new Map<string, Promise<string>>();

  /** @returns why the file is not recorded, undefined when it is */
  async reason(path: string): Promise<string | undefined> {
    const repository = await this.#repository(dirname(path));
    if (repository === undefined) return undefined;
    const parts = relative(repository, path).split(sep);
    if (parts[0] === '.git') return 'it belongs to git itself';
    if (!(await this.#matches(repository, parts))) return undefined;
    return (await isTracked(repository, path)) ? undefined : 'git ignores it';
  }

  async #repository(folder: string): Promise<string | undefined> {
    const cached = this.#repositories.get(folder);
    if (cached && Date.now() - cached.atMs < REPOSITORY_KNOWN_MS) return cached.repository;
    const repository = await findRepository(folder);
    if (this.#repositories.size > 1000) this.#repositories.clear();
    this.#repositories.set(folder, { repository, atMs: Date.now() });
    return repository;
  }

  #excludes(repository: string): Promise<string> {
    const known = this.#excludesFiles.get(repository) ?? excludesFile(repository);
    this.#excludesFiles.set(repository, known);
    return known;
  }

  async #matches(repository: string, parts: readonly string[]): Promise<boolean> {
    // By falling precedence: the nearest .gitignore first, then the repository's own excludes, then the user's.
    const levels = await Promise.all([
      ...parts
        .map((_, depth) => this.#rules(join(repository, ...parts.slice(0, depth), '.gitignore')))
        .reverse(),
      this.#rules(await this.#excludes(repository)),
      this.#rules(await userExcludesFile()),
    ]);
    if (levels.every((rules) => rules === undefined)) return false;
    for (let length = 1; length <= parts.length; length++) {
      const isFolder = length < parts.length;
      // An ignore file in a folder speaks of what is below it: those deeper than the entry itself have no say.
      const verdict = levels
        .map((rules, index) => {
          const depth = index < parts.length ? parts.length - 1 - index : 0;
          if (!rules || depth >= length) return undefined;
          const below = parts.slice(depth, length).join('/');
          const { ignored, unignored } = rules.test(isFolder ? `${below}/` : below);
          return ignored ? true : unignored ? false : undefined;
        })
        .find((each) => each !== undefined);
      if (verdict === true) return true;
    }
    return false;
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
    if (this.#files.size > 1000) this.#files.clear();
    this.#files.set(file, { stamp, rules });
    return rules;
  }
}

/** The nearest folder upwards that holds a `.git` (a folder, or the file of a worktree or submodule). */
async function findRepository(folder: string): Promise<string | undefined> {
  const folders = [folder];
  for (let above = dirname(folder); above !== folders.at(-1); above = dirname(above)) folders.push(above);
  const found = await Promise.all(folders.map((each) => exists(join(each, '.git'))));
  const index = found.indexOf(true);
  return index === -1 ? undefined : folders[index];
}

/** `info/exclude` of the repository, also of the one that a worktree belongs to. */
async function excludesFile(repository: string): Promise<string> {
  const dotGit = join(repository, '.git');
  const link = await readFile(dotGit, 'utf8').catch(() => undefined);
  const gitFolder = /^gitdir:\s*(.+?)\s*$/m.exec(link ?? '')?.[1];
  if (gitFolder === undefined) return join(dotGit, 'info', 'exclude');
  const own = resolve(repository, gitFolder);
  const common = await readFile(join(own, 'commondir'), 'utf8').catch(() => '.');
  return join(resolve(own, common.trim()), 'info', 'exclude');
}

let userExcludes: Promise<string> | undefined;

/** The user's own excludes file: `core.excludesFile`, else git's default place. Looked up once per process. */
function userExcludesFile(): Promise<string> {
  userExcludes ??= (async () => {
    const home = homeFolder();
    const folder = join(process.env['XDG_CONFIG_HOME'] || join(home, '.config'), 'git');
    for (const config of [join(home, '.gitconfig'), join(folder, 'config')]) {
      const text = await readFile(config, 'utf8').catch(() => '');
      const named = /^\s*excludesfile\s*=\s*"?\s*(.+?)\s*"?\s*$/im.exec(text)?.[1];
      if (named !== undefined) return resolve(home, named.replace(/^~[/\\]/, ''));
    }
    return join(folder, 'ignore');
  })();
  return userExcludes;
}

/** Without git on this machine nothing is tracked. */
async function isTracked(repository: string, path: string): Promise<boolean> {
  const git = await which('git');
  if (git === undefined) return false;
  const args = [
    '--literal-pathspecs',
    '-c',
    'core.fsmonitor=false',
    'ls-files',
    '--error-unmatch',
    '--',
    path,
  ];
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')));
  const { exitCode } = await runProgram(git, args, { cwd: repository, env, timeoutMs: GIT_TIMEOUT_MS });
  return exitCode === 0;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
