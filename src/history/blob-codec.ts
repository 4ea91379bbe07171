import type { Duplex } from 'node:stream';
import { promisify } from 'node:util';
import {
  constants,
  createZstdCompress,
  createZstdDecompress,
  zstdCompress,
  zstdCompressSync,
  zstdDecompress,
} from 'node:zlib';

/** `raw` is a second link to the very file, or content that does not get smaller. */
export type Codec = 'zst' | 'raw';
export const CODECS: readonly Codec[] = ['zst', 'raw'];

export const CHUNK_BYTES = 1024 * 1024;
/** Up to this size compressing takes less time than handing it to another thread. */
export const SYNC_BYTES = 32 * 1024;
const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** The smaller one of the content itself and its compressed form. */
export async function pack(bytes: Uint8Array): Promise<{ codec: Codec; stored: Uint8Array }> {
  const packed =
    bytes.length <= SYNC_BYTES ? zstdCompressSync(bytes, LEVEL) : await promisify(zstdCompress)(bytes, LEVEL);
  return packed.length < bytes.length ? { codec: 'zst', stored: packed } : { codec: 'raw', stored: bytes };
}

export async function unpack(stored: Buffer, codec: Codec): Promise<Buffer> {
  return codec === 'raw' ? stored : promisify(zstdDecompress)(stored);
}

export function packer(): Duplex {
  return createZstdCompress({ ...LEVEL, chunkSize: CHUNK_BYTES });
}

export function unpacker(): Duplex {
  return createZstdDecompress({ chunkSize: CHUNK_BYTES });
}
