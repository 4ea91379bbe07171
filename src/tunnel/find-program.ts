import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { isWindows } from '../runtime/platform.ts';
import { which } from '../runtime/which.ts';
import type { ProviderContext } from './provider-context.ts';
import { TunnelError } from './types.ts';

/**
 * Looks for a tunnel program: --tunnel-bin, PATH, the state folder's `bin`, beside the executable (a USB stick).
 * @throws {TunnelError} when --tunnel-bin names what is no program
 */
export async function findProgram(name: string, context: ProviderContext): Promise<string | undefined> {
  if (context.bin !== undefined) {
    const file = resolve(context.bin);
    if (await isProgram(file)) return file;
    // A bare name is meant to be found on PATH.
    const onPath = /[\\/]/.test(context.bin) ? undefined : await which(context.bin, context.env);
    if (onPath !== undefined) return onPath;
    throw new TunnelError(
      'missing-program',
      `--tunnel-bin names ${file}, which is no program.`,
      'Give --tunnel-bin the path of a file that may be executed, or leave it out to search PATH.',
    );
  }
  const onPath = await which(name, context.env);
  if (onPath !== undefined) return onPath;
  const fileName = isWindows ? `${name}.exe` : name;
  for (const folder of [join(context.stateDir, 'bin'), dirname(process.execPath)]) {
    const file = join(folder, fileName);
    if (await isProgram(file)) return file;
  }
  return undefined;
}

async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
