import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { isWindows } from '../runtime/platform.ts';
import { portableFolder } from '../runtime/portable.ts';
import { runnable } from '../runtime/run-folder.ts';
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
  const data = portableFolder();
  const folders = [
    join(context.stateDir, 'bin'),
    // Where a portable run cannot write, its state is not where its programs are.
    ...(data === undefined ? [] : [join(data, 'bin'), dirname(data)]),
    dirname(process.execPath),
  ];
  for (const folder of folders) {
    const file = await runnable(join(folder, fileName));
    if (file !== undefined) return file;
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
