/**
 * The archives of a release. Each holds exactly one file at its top, `local-coder` or `local-coder.exe`: installers and
 * `upgrade` take it out by that name.
 */
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { tar } from './archives-tar.mjs';
import { zip } from './archives-zip.mjs';

/**
 * Level 6 (8 MiB of dictionary, which is what unpacking takes of memory), one thread, whose result does not depend on
 * the machine's cores. The filters for machine code would save 3 % and some unpackers do not know them.
 */
const XZ_OPTIONS = [
  '--compress',
  '--stdout',
  '--format=xz',
  '--check=crc64',
  '--threads=1',
  '--lzma2=preset=6',
];
const EXECUTABLE_MODE = 0o755;

/**
 * Writes the archives of one executable into a folder.
 *
 * @param {{ executable: string, target: string, version: string, outDir: string }} options
 * @returns {Promise<string[]>} names of the files written
 */
export async function writeArchives({ executable, target, version, outDir }) {
  const content = await readFile(executable);
  const base = `local-coder-${version}-${target}`;
  if (target.startsWith('win-')) {
    const name = `${base}.zip`;
    await writeFile(join(outDir, name), await zip([entry('local-coder.exe', content)]));
    return [name];
  }
  const packed = tar([entry('local-coder', content)]);
  await Promise.all([
    gzipped(packed).then((bytes) => writeFile(join(outDir, `${base}.tar.gz`), bytes)),
    xzipped(packed).then((bytes) => writeFile(join(outDir, `${base}.tar.xz`), bytes)),
  ]);
  return [`${base}.tar.gz`, `${base}.tar.xz`];
}

function entry(name, content) {
  return { name, content, mode: EXECUTABLE_MODE };
}

/** @param {Buffer} content */
export async function gzipped(content) {
  const bytes = await promisify(gzip)(content, { level: constants.Z_BEST_COMPRESSION });
  // zlib names the system that it runs on here; 255 is "unknown" (RFC 1952).
  bytes[9] = 255;
  return bytes;
}

/**
 * Through the system's xz, because Node has no encoder.
 * @param {Buffer} content
 * @returns {Promise<Buffer>}
 */
export function xzipped(content) {
  return new Promise((resolve, reject) => {
    // Without the caller's XZ_OPT and XZ_DEFAULTS.
    const child = spawn('xz', XZ_OPTIONS, { env: { PATH: process.env['PATH'] } });
    const chunks = [];
    const complaints = [];
    child.on('error', (error) => {
      const missing = 'xz is missing: install it (Debian: xz-utils, macOS: brew install xz).';
      reject(error.code === 'ENOENT' ? new Error(missing) : error);
    });
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => complaints.push(chunk));
    // A child that ended early says why by its exit code; the broken pipe says nothing.
    child.stdin.on('error', () => {});
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(chunks));
      else reject(new Error(`xz failed (exit code ${code}): ${Buffer.concat(complaints).toString().trim()}`));
    });
    child.stdin.end(content);
  });
}
