import { createRequire } from 'node:module';
import { homedir } from 'node:os';

export const isWindows = process.platform === 'win32';
export const isLinux = process.platform === 'linux';
export const isMac = process.platform === 'darwin';
export const isDeno = 'Deno' in globalThis;

/** The user's home folder; HOME is honoured on every platform so that tests and portable use can move it. */
export function homeFolder(): string {
  return process.env['HOME'] || homedir();
}

type Sea = typeof import('node:sea');

/** `node:sea` when this process is the single executable, else null. Deno has no such module. */
export const sea: Sea | null = (() => {
  try {
    const module = createRequire(process.execPath)('node:sea') as Sea;
    return module.isSea() ? module : null;
  } catch {
    return null;
  }
})();
