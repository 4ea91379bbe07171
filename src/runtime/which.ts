import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { isWindows } from './platform.ts';

/**
 * The absolute path of a program on PATH, or undefined. Relative entries of PATH and the current folder are never
 * searched: a workspace must not be able to bring its own `git` or `rg` (access.md, "Hostile input").
 */
export async function which(name: string, env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const path = env['PATH'] ?? env['Path'] ?? '';
  const extensions = isWindows ? (env['PATHEXT'] ?? '.EXE;.CMD;.BAT;.COM').split(';') : [''];
  for (const folder of path.split(delimiter)) {
    if (!isAbsolute(folder)) continue;
    for (const extension of extensions) {
      const file = join(folder, name + extension);
      if (await isExecutableFile(file)) return file;
    }
  }
  return undefined;
}

async function isExecutableFile(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
