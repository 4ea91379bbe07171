import { promisify } from 'node:util';
import { crc32, inflateRaw } from 'node:zlib';

const MAX_UNPACKED_BYTES = 512 * 1024 * 1024;
/** Signatures and sizes of APPNOTE.TXT (PKWARE), sections 4.3.7, 4.3.12 and 4.3.16. */
const LOCAL = { signature: 0x04034b50, bytes: 30 };
const ENTRY = { signature: 0x02014b50, bytes: 46 };
const END = { signature: 0x06054b50, bytes: 22 };
const MAX_COMMENT_BYTES = 0xffff;
const STORED = 0;
const DEFLATED = 8;

/**
 * One file out of a .zip in memory: stored or deflated, not encrypted, below 4 GiB, which is what release archives are.
 * @param name the file's whole name in the archive
 * @returns its bytes, or undefined when it is not in there
 * @throws when the archive is broken
 */
export async function fileFromZip(archive: Buffer, name: string): Promise<Buffer | undefined> {
  const end = endOfDirectory(archive);
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    expect(archive, at, ENTRY);
    const nameBytes = archive.readUInt16LE(at + 28);
    if (archive.toString('utf8', at + ENTRY.bytes, at + ENTRY.bytes + nameBytes) === name)
      return content(archive, at);
    at += ENTRY.bytes + nameBytes + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return undefined;
}

async function content(archive: Buffer, entry: number): Promise<Buffer> {
  const method = archive.readUInt16LE(entry + 10);
  const checksum = archive.readUInt32LE(entry + 16);
  const packedBytes = archive.readUInt32LE(entry + 20);
  const bytes = archive.readUInt32LE(entry + 24);
  const local = archive.readUInt32LE(entry + 42);
  expect(archive, local, LOCAL);
  const start = local + LOCAL.bytes + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
  if (start + packedBytes > archive.length || bytes > MAX_UNPACKED_BYTES) throw broken();
  const packed = archive.subarray(start, start + packedBytes);
  if (method !== STORED && method !== DEFLATED) throw broken();
  const unpacked =
    method === STORED ? packed : await promisify(inflateRaw)(packed, { maxOutputLength: Math.max(1, bytes) });
  if (unpacked.length !== bytes || crc32(unpacked) !== checksum) throw broken();
  return unpacked;
}

/** The directory of a zip archive is found from its end, where a comment may follow. */
function endOfDirectory(archive: Buffer): number {
  const lowest = Math.max(0, archive.length - END.bytes - MAX_COMMENT_BYTES);
  for (let at = archive.length - END.bytes; at >= lowest; at--) {
    if (archive.readUInt32LE(at) === END.signature) return at;
  }
  throw broken();
}

function expect(archive: Buffer, at: number, part: { signature: number; bytes: number }): void {
  if (at + part.bytes > archive.length || archive.readUInt32LE(at) !== part.signature) throw broken();
}

function broken(): Error {
  return new Error('the archive is broken');
}
