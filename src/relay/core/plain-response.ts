import { Readable } from 'node:stream';
import type { PlainAnswer } from '../../mcp/plain-answer.ts';

/**
 * A PlainAnswer as a Response. Unlike PlainAnswer's own it tells when the reader of a stream goes away, which is how a
 * Worker learns of it, and does without Readable.toWeb, which fails there on a stream that is cancelled.
 */
export function responseOf({ status, headers, body }: PlainAnswer, gone: () => void): Response {
  if (!(body instanceof Readable)) return new Response(body, { status, headers });
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      body.on('data', (chunk: Uint8Array) => controller.enqueue(chunk));
      body.on('end', () => controller.close());
      body.on('error', (error) => controller.error(error));
    },
    cancel() {
      gone();
      body.destroy();
    },
  });
  return new Response(stream, { status, headers });
}
