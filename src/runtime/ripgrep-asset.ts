import { createHash, randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assetFile, type EmbeddedAsset, embeddedAsset } from './assets.ts';
import { systemCode } from './errors.ts';
import { isWindows } from './platform.ts';
import { programFolders } from './run-folder.ts';
import { runProgram } from './run-program.ts';

/**
 * The absolute path of a ripgrep that may be executed here, or undefined: no package for this platform, or no folder
 * from which a program may run (noexec mounts, hardened hosts). Outside of the single executable that is the file in
 * node_modules; inside of it, the embedded one is extracted once, to `<stateDir>/bin` or else a folder for programs.
 */
export async function findRipgrep(stateDir: string): Promise<string | undefined> {
  const asset = embeddedAsset('rg');
  if (!asset) {
    const file = await assetFile('rg');
    return file !== undefined && (await mayRun(file)) ? file : undefined;
  }
  return (
    (await extractProgram(asset, [join(stateDir, 'bin')])) ?? (await extractProgram(asset, programFolders()))
  );
}

/**
 * Extracts a program to the first of the folders that is (or can be made) our own, and from which it works.
 * Several instances may do this at the same time: each writes a file of its own and renames it into place.
 */
export async function extractProgram(
  asset: EmbeddedAsset,
  folders: Iterable<string> | AsyncIterable<string>,
  works: (file: string) => Promise<boolean> = mayRun,
): Promise<string | undefined> {
  for await (const folder of folders) {
    const file = join(folder, `${asset.name}-${asset.sha256.slice(0, 16)}${isWindows ? '.exe' : ''}`);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      if (!(await isPrivate(folder))) continue;
      if (!(await isIntact(file, asset))) await extract(asset, file);
      if (await works(file)) return file;
    } catch {
      // Read-only, full, or somebody else's: the next folder.
    }
  }
  return undefined;
}

/**
 * What lies in a folder that others can write to may be exchanged after the check: /tmp is everybody's, and a folder
 * with our name in it may have been put there by anybody.
 */
async function isPrivate(folder: string): Promise<boolean> {
  const stats = await lstat(folder);
  if (!stats.isDirectory()) return false;
  return isWindows || (stats.uid === process.getuid?.() && (stats.mode & 0o022) === 0);
}

async function isIntact(file: string, asset: EmbeddedAsset): Promise<boolean> {
  try {
    const stats = await lstat(file);
    if (!stats.isFile() || stats.size !== asset.sizeBytes) return false;
    return hash(await readFile(file)) === asset.sha256;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function extract(asset: EmbeddedAsset, file: string): Promise<void> {
  const bytes = await asset.read();
  if (hash(bytes) !== asset.sha256) throw new Error(`The embedded ${asset.name} is damaged.`);
  const draft = `${file}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
  try {
    await writeFile(draft, bytes, { mode: 0o700, flag: 'wx' });
    await chmod(draft, 0o700).catch(() => {}); // FAT refuses; whether it runs shows when it is tried
    await rename(draft, file);
  } catch (error) {
    // Windows replaces no program that runs: then another instance was first, and its file is as good.
    if (!(await isIntact(file, asset))) throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Whether the program starts. A noexec mount shows only when one tries. */
async function mayRun(file: string): Promise<boolean> {
  for (let tries = 0; tries < 5; tries++) {
    try {
      const { exitCode, stdout } = await runProgram(file, ['--version'], { cwd: tmpdir(), timeoutMs: 5000 });
      return exitCode === 0 && stdout.toString('latin1').startsWith('ripgrep ');
    } catch (error) {
      // ETXTBSY: a program that this process started at the same moment still held the file open for writing.
      if (!(error instanceof Error) || !error.message.includes('ETXTBSY')) return false;
    }
  }
  return false;
}
