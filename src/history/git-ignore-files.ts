import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { homeFolder } from '../runtime/platform.ts';

/** The nearest folder upwards that holds a `.git` (a folder, or the file of a worktree or submodule). */
export async function findRepository(folder: string): Promise<string | undefined> {
  const folders = [folder];
  for (let above = dirname(folder); above !== folders.at(-1); above = dirname(above)) folders.push(above);
  const found = await Promise.all(folders.map((each) => exists(join(each, '.git'))));
  const index = found.indexOf(true);
  return index === -1 ? undefined : folders[index];
}

/** The folder of the repository's or the worktree's own git files, such as its index. */
export async function gitFolderOf(repository: string): Promise<string> {
  const dotGit = join(repository, '.git');
  const link = await readFile(dotGit, 'utf8').catch(() => undefined);
  const gitFolder = /^gitdir:\s*(.+?)\s*$/m.exec(link ?? '')?.[1];
  return gitFolder === undefined ? dotGit : resolve(repository, gitFolder);
}

/** `info/exclude` of the repository, also of the one that a worktree belongs to. */
export async function excludesFile(repository: string): Promise<string> {
  const own = await gitFolderOf(repository);
  const common = await readFile(join(own, 'commondir'), 'utf8').catch(() => '.');
  return join(resolve(own, common.trim()), 'info', 'exclude');
}

let userExcludes: Promise<string> | undefined;

/** The user's own excludes file: `core.excludesFile`, else git's default place. Looked up once per process. */
export function userExcludesFile(): Promise<string> {
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

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
