import { type GuardedGetOptions, guardedGet } from '../runtime/guarded-https.ts';
import { type FetchDocument, MAX_DOCUMENT_BYTES } from './client-document.ts';
import { readText } from './request-body.ts';

/** Fetches client documents over guarded https: no address of this machine or its network, no redirect. */
export function guardedFetchDocument(
  options: Pick<GuardedGetOptions, 'ca' | 'allowAddress'> = {},
): FetchDocument {
  return async (url, signal) => {
    const accept = 'application/json';
    const response = await guardedGet(url, { ...options, signal, idleTimeoutMs: 5_000, accept });
    try {
      const text = await readText(response, MAX_DOCUMENT_BYTES);
      if (text === undefined) throw new Error(`more than ${MAX_DOCUMENT_BYTES} bytes`);
      return {
        status: response.statusCode ?? 0,
        contentType: response.headers['content-type'] ?? '',
        cacheControl: response.headers['cache-control'] ?? '',
        text,
      };
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      response.destroy();
    }
  };
}

export const fetchDocument: FetchDocument = guardedFetchDocument();
