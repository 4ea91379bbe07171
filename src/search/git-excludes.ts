import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { homeFolder } from '../runtime/platform.ts';

/** True when the folder or one above it holds a `.git`: only then does ripgrep by itself heed .gitignore. */
export async function isInsideRepository(folder: string): Promise<boolean> {
  const found = await Promise.all(foldersUpwards(folder).map((each) => exists(join(each, '.git'))));
  return found.includes(true);
}

/** The folder itself and all above it, nearest first. */
export function foldersUpwards(folder: string): string[] {
  const folders = [folder];
  for (let current = folder; dirname(current) !== current; ) {
    current = dirname(current);
    folders.push(current);
  }
  return folders;
}

/** The text of `info/exclude` of the repository whose `.git` (a folder, or a worktree's file) lies in `folder`. */
export async function readRepositoryExcludes(folder: string): Promise<string | undefined> {
  const dotGit = join(folder, '.git');
  const direct = await readText(join(dotGit, 'info/exclude'));
  if (direct !== undefined) return direct;
  const link = /^gitdir:\s*(.+?)\s*$/m.exec((await readText(dotGit)) ?? '')?.[1];
  if (!link) return undefined;
  const gitFolder = resolve(folder, link);
  const common = (await readText(join(gitFolder, 'commondir')))?.trim();
  return readText(join(common ? resolve(gitFolder, common) : gitFolder, 'info/exclude'));
}

/** The text of the user's own excludes file: `core.excludesFile`, else git's default place. */
export async function readGlobalExcludes(): Promise<string | undefined> {
  const home = homeFolder();
  const configFolder = join(process.env['XDG_CONFIG_HOME'] || join(home, '.config'), 'git');
  for (const config of [join(home, '.gitconfig'), join(configFolder, 'config')]) {
    const named = /^\s*excludesfile\s*=\s*"?\s*(\S+?)\s*"?\s*$/im.exec((await readText(config)) ?? '')?.[1];
    if (named) return readText(named.replace(/^~(?=[/\\])/, home));
  }
  return readText(join(configFolder, 'ignore'));
}

/** The file's text, or undefined when there is none that can be read. */
export async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}
