import { readdir } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { which } from '../../runtime/which.ts';
import { isWithin, realPathOf } from './paths.ts';

/** Folders below the home folder that hold a tool chain and no credentials. */
const HOMES_OF_TOOLS = [
  '.asdf',
  '.bun',
  '.deno',
  '.fnm',
  '.ghcup',
  '.goenv',
  '.jenv',
  '.juliaup',
  '.local/share/fnm',
  '.local/share/mise',
  '.local/share/pnpm',
  '.local/share/uv',
  '.nodenv',
  '.nvm',
  '.pyenv',
  '.rbenv',
  '.rustup',
  '.rvm',
  '.sdkman',
  '.swiftly',
  '.volta',
  'anaconda3',
  'go/bin',
  'mambaforge',
  'miniconda3',
  'miniforge3',
];

/** What belongs to a `bin` folder; its other neighbours (share, etc) may be anybody's. */
const BESIDE_BIN = new Set(['bin', 'lib', 'lib64', 'libexec', 'include', 'pkg', 'src', 'jre', 'share/nvm']);

/** Programs that are often links to somewhere else. */
const USUAL = [
  'node',
  'npm',
  'python3',
  'git',
  'go',
  'cargo',
  'java',
  'ruby',
  'php',
  'deno',
  'bun',
  'make',
  'cc',
];

/**
 * The folders of the user's tool chains, read from PATH: a version manager's folder as a whole, of any other `bin`
 * itself and what belongs to it. Never the home folder itself.
 * @param visible folders that confined programs see anyway
 */
export async function toolChains(env: NodeJS.ProcessEnv, visible: readonly string[]): Promise<string[]> {
  const home = env['HOME'];
  const found = new Set<string>();
  const isVisible = (path: string) => [...visible, ...found].some((folder) => isWithin(path, folder));
  const folders = (env['PATH'] ?? '').split(delimiter).filter(isAbsolute);
  for (const name of USUAL) {
    const program = await which(name, env);
    const real = program === undefined ? undefined : await realPathOf(program);
    if (real !== undefined) folders.push(dirname(real));
  }
  for (const folder of new Set(folders)) {
    const real = await realPathOf(folder);
    for (const path of real === undefined || real === folder ? [folder] : [folder, real]) {
      if (isVisible(path)) continue;
      for (const part of await partsOf(path, home)) if (!isVisible(part)) found.add(part);
    }
  }
  // rustup's programs are proxies of what lies in its own folder.
  if (home !== undefined && [...found].some((path) => path.endsWith(`${sep}.cargo${sep}bin`))) {
    const rustup = env['RUSTUP_HOME'] ?? join(home, '.rustup');
    if ((await realPathOf(rustup)) !== undefined) found.add(rustup);
  }
  return [...found];
}

async function partsOf(folder: string, home: string | undefined): Promise<string[]> {
  if (home !== undefined && home !== '/') {
    const known = HOMES_OF_TOOLS.map((name) => join(home, name)).find((each) => isWithin(folder, each));
    if (known !== undefined) return [known];
    // PATH may name the home folder itself, or one above it.
    if (isWithin(home, folder)) return [];
  }
  const top = /^\/(opt\/[^/]+|nix\/store|snap|home\/linuxbrew\/\.linuxbrew)(?:\/|$)/.exec(`${folder}/`)?.[1];
  if (top !== undefined) return [`/${top}`];
  const parent = dirname(folder);
  const isBin = folder.endsWith(`${sep}bin`);
  if (!isBin || parent === home || parent === '/' || relative(parent, folder) !== 'bin')
    return existing([folder]);
  const names = await readdir(parent).catch(() => []);
  // ~/.cargo keeps credentials beside bin, ~/.local the keyrings below share.
  if (home !== undefined && dirname(parent) === home) return existing([folder, join(parent, 'lib')]);
  return names.filter((name) => BESIDE_BIN.has(name)).map((name) => join(parent, name));
}

async function existing(paths: readonly string[]): Promise<string[]> {
  const there: string[] = [];
  for (const path of paths) if ((await realPathOf(path)) !== undefined) there.push(path);
  return there;
}
