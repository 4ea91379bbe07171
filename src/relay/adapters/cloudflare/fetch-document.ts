import type { FetchDocument } from '../../../auth/index.ts';

const MAX_DOCUMENT_BYTES = 16 * 1024;

/**
 * Fetches a client's document. `global_fetch_strictly_public` (wrangler.jsonc) keeps a Worker's fetch off everything
 * that is not on the public Internet; redirects are not followed.
 */
export const fetchDocument: FetchDocument = async (url, signal) => {
  const response = await fetch(url, {
    redirect: 'manual',
    signal,
    headers: { accept: 'application/json', 'user-agent': 'local-coder-relay' },
  });
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_DOCUMENT_BYTES) throw new Error(`more than ${MAX_DOCUMENT_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return {
    status: response.status,
    contentType: response.headers.get('content-type') ?? '',
    cacheControl: response.headers.get('cache-control') ?? '',
    text: text + decoder.decode(),
  };
};
