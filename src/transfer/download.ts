import type { IncomingMessage } from 'node:http';
import { CodedError, systemCode } from '../runtime/errors.ts';
import { guardedGet, PrivateAddressError } from '../runtime/guarded-https.ts';

/** Bytes that one received file may have. */
export const MAX_DOWNLOAD_BYTES = 512 * 1024 * 1024;
const MAX_REDIRECTS = 5;
/** Without a byte for this long the download is given up. */
const IDLE_TIMEOUT_MS = 20_000;

export interface DownloadOptions {
  readonly signal: AbortSignal;
  /** Which addresses may be connected to. Tests allow loopback; the product keeps the default. */
  readonly allowAddress?: (address: string) => boolean;
  /** Certificates to trust instead of the system's; for tests. */
  readonly ca?: string;
}

/**
 * Opens an HTTPS URL for reading. Every address that its name resolves to is judged when the connection is made, and
 * so is every redirect: a name that resolves to a public address now and a private one a moment later gains nothing.
 * @throws {CodedError} DENIED for anything but a public HTTPS address, DOWNLOAD_FAILED, TOO_LARGE
 */
export async function openDownload(url: string, options: DownloadOptions): Promise<IncomingMessage> {
  let target = parse(url);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await get(target, options);
    const status = response.statusCode ?? 0;
    const location = response.headers.location;
    if (status >= 300 && status < 400 && location !== undefined) {
      response.destroy();
      target = parse(new URL(location, target).href);
      continue;
    }
    if (status !== 200) {
      response.destroy();
      throw failed(`the server answered ${status}`);
    }
    const length = Number(response.headers['content-length']);
    if (length > MAX_DOWNLOAD_BYTES) {
      response.destroy();
      throw tooLarge();
    }
    return response;
  }
  throw failed(`more than ${MAX_REDIRECTS} redirects`);
}

export function tooLarge(): CodedError {
  return new CodedError(
    'TOO_LARGE',
    `The file has more than ${MAX_DOWNLOAD_BYTES} bytes; nothing was written.`,
    'Fetch it with run_command (curl) if it is wanted all the same.',
  );
}

export function failed(why: string): CodedError {
  return new CodedError(
    'DOWNLOAD_FAILED',
    `The file could not be downloaded: ${why}. Nothing was written.`,
    'Ask for the file again: download addresses expire after a few minutes.',
  );
}

function parse(url: string): URL {
  const parsed = URL.parse(url);
  if (parsed === null || parsed.protocol !== 'https:') {
    throw new CodedError(
      'DENIED',
      'Only https addresses are downloaded from.',
      'Give the download_url that the chat made for the file.',
    );
  }
  return parsed;
}

async function get(url: URL, options: DownloadOptions): Promise<IncomingMessage> {
  try {
    return await guardedGet(url, { ...options, idleTimeoutMs: IDLE_TIMEOUT_MS });
  } catch (error) {
    if (options.signal.aborted) throw error;
    if (error instanceof PrivateAddressError) throw privateAddress(error);
    throw failed(systemCode(error) ?? (error instanceof Error ? error.message : String(error)));
  }
}

function privateAddress(error: PrivateAddressError): CodedError {
  return new CodedError(
    'DENIED',
    `${error.message}.`,
    'Files of this machine or its network are read with the file tools or run_command.',
  );
}
