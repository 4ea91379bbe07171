/** The servers that we compare with: installed when first asked for, from the lock file in bench/peers. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const INSTALL_LIMIT_MS = 300_000;
let installed: Promise<string> | undefined;

/** Absolute path of a file of an installed peer. @throws when they cannot be installed */
export async function peerFile(root: string, path: string): Promise<string> {
  installed ??= install(root);
  return join(await installed, 'node_modules', path);
}

async function install(root: string): Promise<string> {
  const folder = join(root, '.cache/bench-peers');
  const stamp = join(folder, 'installed');
  const lock = await readFile(join(import.meta.dirname, 'peers/package-lock.json'), 'utf8');
  if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === lock) return folder;
  process.stderr.write('installing the peers into .cache/bench-peers\n');
  await mkdir(folder, { recursive: true });
  for (const name of ['package.json', 'package-lock.json']) {
    await copyFile(join(import.meta.dirname, 'peers', name), join(folder, name));
  }
  // Their install scripts only fetch what is not measured: a browser, telemetry, native extras.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  await promisify(execFile)(npm, args, {
    cwd: folder,
    timeout: INSTALL_LIMIT_MS,
    shell: process.platform === 'win32',
    maxBuffer: 64 * 1024 * 1024,
  });
  await writeFile(stamp, lock);
  return folder;
}
