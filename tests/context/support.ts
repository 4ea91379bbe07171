import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { type AccessMode, Workspace } from '../../src/workspace/index.ts';

/** A real, temporary folder with these files; removed after the test. */
export async function folderWith(
  test: TestContext,
  files: Readonly<Record<string, string | Buffer>>,
): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'local-coder-context-')));
  test.after(() => rm(folder, { recursive: true, force: true }));
  await addFiles(folder, files);
  return folder;
}

export async function addFiles(
  folder: string,
  files: Readonly<Record<string, string | Buffer>>,
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

export function workspaceOf(root: string, accessMode: AccessMode = 'full', ...others: string[]): Workspace {
  return new Workspace({ roots: [root, ...others], accessMode, protectedPaths: [] });
}

/** Every file below a folder except those in .git: what the search domain gives in the program. */
export async function allFiles(folder: string): Promise<{ paths: string[]; complete: boolean }> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !path.startsWith('.git/'));
  return { paths, complete: true };
}

/** Runs git in a folder, with an identity and without the user's configuration. */
export async function git(folder: string, ...args: string[]): Promise<string> {
  const identity = [
    '-c',
    'user.name=Test',
    '-c',
    'user.email=test@localhost',
    '-c',
    'init.defaultBranch=main',
  ];
  const { stdout } = await promisify(execFile)('git', [...identity, ...args], {
    cwd: folder,
    env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
  });
  return stdout.trim();
}
