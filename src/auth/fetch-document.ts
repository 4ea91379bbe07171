import { guardedGet } from '../runtime/guarded-https.ts';
import { type FetchDocument, MAX_DOCUMENT_BYTES } from './client-document.ts';
import { readText } from './request-body.ts';

/** Fetches client documents over guarded https: no address of this machine or its network, no redirect. */
export const fetchDocument: FetchDocument = async (url, signal) => {
  const response = await guardedGet(url, { signal, idleTimeoutMs: 5_000, accept: 'application/json' });
  try {
    const text = await readText(response, MAX_DOCUMENT_BYTES);
    if (text === undefined) throw new Error(`more than ${MAX_DOCUMENT_BYTES} bytes`);
    return {
      status: response.statusCode ?? 0,
      contentType: response.headers['content-type'] ?? '',
      cacheControl: response.headers['cache-control'] ?? '',
      text,
    };
  } finally {
    response.destroy();
  }
};
