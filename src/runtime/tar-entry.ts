import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

const BLOCK = 512;
const MAX_UNPACKED_BYTES = 512 * 1024 * 1024;

/**
 * One regular file out of a .tgz in memory (POSIX.1-1988 ustar headers, which is what release archives are).
 * @param name the file's name without its folders
 * @returns its bytes, or undefined when it is not in there
 * @throws when the archive is broken
 */
export async function fileFromTgz(archive: Buffer, name: string): Promise<Buffer | undefined> {
  const tar = await promisify(gunzip)(archive, { maxOutputLength: MAX_UNPACKED_BYTES });
  for (let at = 0; at + BLOCK <= tar.length; ) {
    const header = tar.subarray(at, at + BLOCK);
    if (header[0] === 0) return undefined; // two empty blocks end the archive
    const size = Number.parseInt(text(header, 124, 12).trim() || '0', 8);
    if (!Number.isSafeInteger(size) || at + BLOCK + size > tar.length)
      throw new Error('the archive is broken');
    const type = text(header, 156, 1);
    if ((type === '' || type === '0') && text(header, 0, 100).split('/').pop() === name) {
      return tar.subarray(at + BLOCK, at + BLOCK + size);
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return undefined;
}

function text(header: Buffer, start: number, length: number): string {
  const field = header.toString('latin1', start, start + length);
  const end = field.indexOf('\0');
  return end < 0 ? field : field.slice(0, end);
}
