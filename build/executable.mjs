/** Puts a blob into a base: what differs between the three formats of executables stands here. */
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { stripElf } from './elf-strip.mjs';
import { inject } from './inject.mjs';
import { signMachO } from './macho-signature.mjs';
import { stripMachO } from './macho-strip.mjs';
import { flipFuse } from './sea-fuse.mjs';
import { addVersionAnswer } from './version-answer.mjs';

const run = promisify(execFile);
const IDENTIFIER = 'local-coder';

/**
 * The base without what no user needs. Before the injection: afterwards the blob would pass for dead weight.
 *
 * @param {import('./targets.mjs').Target} target  not Windows: the symbols of node.exe are a file of their own
 * @param {string} base  file
 * @param {string} result  file
 */
export async function stripBase({ platform }, base, result) {
  const strip = platform === 'darwin' ? stripMachO : stripElf;
  await writeFile(result, strip(await readFile(base)), { mode: 0o755 });
}

/**
 * @param {{ target: import('./targets.mjs').Target, base: string, blob: string, executable: string, folder: string,
 *   packages: import('./packages.mjs').Packages, about: { version: string, description: string, licence: string } }}
 *   options  `base` is stripped; `executable` is replaced in one step, even while it runs; `folder` is for drafts
 */
export async function assemble({ target, base, blob, executable, folder, packages, about }) {
  const draft = join(folder, 'draft');
  if (target.platform === 'win32') {
    const { makeWindowsExecutable } = await import('./windows-executable.mjs');
    const file = await readFile(base);
    flipFuse(file);
    const nodeVersion = target.base.version;
    await writeFile(
      draft,
      makeWindowsExecutable(file, { blob: await readFile(blob), nodeVersion, ...about }),
    );
  } else {
    await copyFile(base, draft);
    await chmod(draft, 0o755);
    await inject({ file: draft, blob, isMac: target.platform === 'darwin', packages });
    if (target.platform === 'darwin') {
      await sign(draft);
    } else {
      const file = await readFile(draft);
      addVersionAnswer(file, target.arch, about.version);
      await writeFile(draft, file);
    }
  }
  await mkdir(dirname(executable), { recursive: true });
  // A copy, because the injection writes the file in one piece: Linux then keeps it in pages so large that a
  // process maps 20 MB more of it than it uses. The rename replaces an executable that is running.
  const copy = `${executable}.${process.pid}.new`;
  await copyFile(draft, copy);
  await chmod(copy, 0o755);
  await rename(copy, executable);
  await rm(draft);
}

async function sign(file) {
  await writeFile(file, signMachO(await readFile(file), IDENTIFIER));
  if (process.platform !== 'darwin') return;
  try {
    await run('codesign', ['--verify', '--strict', file]);
  } catch (error) {
    process.stdout.write(
      `codesign does not accept our signature (${error.stderr?.trim()}), and signs itself\n`,
    );
    await run('codesign', ['--force', '--sign', '-', file]);
  }
}
