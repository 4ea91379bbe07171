import { stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { runProgram } from '../runtime/run-program.ts';
import { which } from '../runtime/which.ts';
import { gitFolderOf } from './git-ignore-files.ts';

const GIT_TIMEOUT_MS = 20_000;
const MAX_REMEMBERED = 5_000;

interface Answers {
  /** Of the repository's index: what is tracked changes with it alone. */
  readonly stamp: string;
  readonly ignored: Map<string, boolean>;
}

/**
 * Asks git about paths that the ignore files say are ignored: a tracked file never is. The answer for a path is
 * remembered as long as the index stays as it was, because starting git takes longer than writing a small file.
 */
export class IgnoredByGit {
  readonly #answers = new Map<string, Answers>();
  readonly #indexFiles = new Map<string, Promise<string>>();

  /** @returns those of the paths that are not tracked; without git on this machine nothing is tracked */
  async among(repository: string, paths: ReadonlySet<string>): Promise<string[]> {
    const stamp = await stampOf(await this.#indexFile(repository));
    let answers = this.#answers.get(repository);
    if (answers?.stamp !== stamp || answers.ignored.size > MAX_REMEMBERED) {
      answers = { stamp, ignored: new Map() };
      this.#answers.set(repository, answers);
    }
    const { ignored } = answers;
    const unknown = [...paths].filter((path) => !ignored.has(path));
    if (unknown.length > 0) {
      const found = new Set(await askGit(repository, unknown));
      for (const path of unknown) ignored.set(path, found.has(path));
    }
    return [...paths].filter((path) => ignored.get(path));
  }

  #indexFile(repository: string): Promise<string> {
    const known =
      this.#indexFiles.get(repository) ?? gitFolderOf(repository).then((folder) => join(folder, 'index'));
    this.#indexFiles.set(repository, known);
    return known;
  }
}

async function stampOf(indexFile: string): Promise<string> {
  const index = await stat(indexFile, { bigint: true }).catch(() => undefined);
  return index === undefined ? 'none' : `${index.mtimeNs} ${index.size} ${index.ino}`;
}

async function askGit(repository: string, paths: readonly string[]): Promise<readonly string[]> {
  const git = await which('git');
  if (git === undefined) return paths;
  // With "./" before them names are never taken for patterns.
  const byName = new Map(paths.map((path) => [`./${relative(repository, path).split(sep).join('/')}`, path]));
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')));
  const { exitCode, stdout } = await runProgram(
    git,
    ['-c', 'core.fsmonitor=false', 'check-ignore', '-z', '--stdin'],
    { cwd: repository, env, input: [...byName.keys()].join('\0'), timeoutMs: GIT_TIMEOUT_MS },
  );
  // 1: none of them. Anything else is git's refusal to look at one; the rules alone count then.
  if (exitCode !== 0 && exitCode !== 1) return paths;
  return stdout
    .toString('utf8')
    .split('\0')
    .flatMap((name) => byName.get(name) ?? []);
}
