import { COMPRESS_FROM_BYTES, MAX_COMPRESSED_BYTES, MAX_PLAIN_BYTES } from './protocol.ts';

/**
 * A compressed result is a binary frame: one byte with the length of the id, the id in ASCII, then gzip of the JSON
 * message. The id stands outside so that a frame that cannot be inflated fails its own call and no other.
 */
export interface CompressedFrame {
  readonly id: string;
  readonly gzip: Uint8Array<ArrayBuffer>;
}

/** Why a result cannot be sent or taken. */
export type FrameProblem = 'RESULT_TOO_LARGE' | 'COMPRESSED_RESULT_TOO_LARGE' | 'AGENT_PROTOCOL_ERROR';

/** Input is fed in slices of this size, so that no slice can inflate to more than about a mebibyte (1032 : 1). */
const INFLATE_SLICE_BYTES = 1024;

/**
 * A result message as it goes over the wire.
 * @param id the id in the message
 * @param json the message
 * @returns a text frame, a binary frame, or why neither is possible
 */
export async function encodeResult(
  id: string,
  json: string,
): Promise<string | Uint8Array<ArrayBuffer> | FrameProblem> {
  if (json.length < COMPRESS_FROM_BYTES / 3) return json; // UTF-8 has at most three bytes per UTF-16 unit
  const plain = new TextEncoder().encode(json);
  if (plain.length < COMPRESS_FROM_BYTES) return json;
  if (plain.length > MAX_PLAIN_BYTES) return 'RESULT_TOO_LARGE';
  const gzip = await collect(new Blob([plain]).stream().pipeThrough(new CompressionStream('gzip')));
  if (gzip.length > MAX_COMPRESSED_BYTES) return 'COMPRESSED_RESULT_TOO_LARGE';
  const frame = new Uint8Array(1 + id.length + gzip.length);
  frame[0] = id.length;
  for (let index = 0; index < id.length; index++) frame[1 + index] = id.charCodeAt(index);
  frame.set(gzip, 1 + id.length);
  return frame;
}

/** Takes a binary frame apart without inflating it. @returns undefined for what is none */
export function splitFrame(frame: Uint8Array<ArrayBuffer>): CompressedFrame | undefined {
  const length = frame[0] ?? 0;
  const id = String.fromCharCode(...frame.subarray(1, 1 + length));
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(id) || id.length !== length) return undefined;
  return { id, gzip: frame.subarray(1 + length) };
}

/**
 * Inflates with a running cap: a bomb costs no more memory than the cap and one slice.
 * @returns the JSON text, or why there is none
 */
export async function inflateResult(
  gzip: Uint8Array<ArrayBuffer>,
  maxBytes: number = MAX_PLAIN_BYTES,
): Promise<{ readonly json: string } | FrameProblem> {
  if (gzip.length > MAX_COMPRESSED_BYTES) return 'COMPRESSED_RESULT_TOO_LARGE';
  const { readable, writable } = new DecompressionStream('gzip');
  const writer = writable.getWriter();
  const reader = readable.getReader();
  let over = false;
  const feed = async () => {
    for (let at = 0; at < gzip.length && !over; at += INFLATE_SLICE_BYTES) {
      await writer.write(gzip.subarray(at, at + INFLATE_SLICE_BYTES));
    }
    if (!over) await writer.close();
  };
  const fed = feed().catch(() => {}); // the reader is told of the same error
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.length;
      if (bytes > maxBytes) {
        over = true;
        return 'RESULT_TOO_LARGE';
      }
      chunks.push(value);
    }
    await fed;
    return { json: new TextDecoder('utf-8', { fatal: true }).decode(joined(chunks, bytes)) };
  } catch {
    return 'AGENT_PROTOCOL_ERROR'; // no gzip, cut off, or no UTF-8
  } finally {
    if (over) {
      void reader.cancel().catch(() => {});
      void writer.abort().catch(() => {});
    }
  }
}

async function collect(stream: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    bytes += chunk.length;
  }
  return joined(chunks, bytes);
}

function joined(chunks: readonly Uint8Array[], bytes: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
