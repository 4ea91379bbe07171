/** What is still read of a body that is too large, so that its sender gets to read the answer. */
const DISCARDED_FACTOR = 8;

/**
 * A request whose body has at most so many bytes.
 * @returns undefined for a larger one
 */
export async function limitedRequest(request: Request, maxBytes: number): Promise<Request | undefined> {
  const declared = request.headers.get('content-length');
  // The HTTP parser reads no more than the declared length.
  if (declared !== null) return Number(declared) <= maxBytes ? request : undefined;
  if (request.body === null) return request;
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const chunk of request.body as AsyncIterable<Uint8Array<ArrayBuffer>>) {
    bytes += chunk.length;
    if (bytes > maxBytes * DISCARDED_FACTOR) break;
    if (bytes <= maxBytes) chunks.push(chunk);
  }
  if (bytes > maxBytes) return undefined;
  const { url, method, headers, signal } = request;
  return new Request(url, { method, headers, signal, body: new Blob(chunks) });
}
