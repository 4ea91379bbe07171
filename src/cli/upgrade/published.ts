import { createHash, createPublicKey, verify } from 'node:crypto';
import { UsageError } from '../../config/usage-error.ts';
import { HttpStatusError } from '../../runtime/download.ts';
import { isVersion } from './versions.ts';

const ARCHIVE = /^local-coder-(\d.*)-(?:linux|win|darwin)-(?:x64|arm64)\.(?:tar\.gz|tar\.xz|zip)$/;
const LINE = /^([0-9a-f]{64}) [ *]([A-Za-z0-9][A-Za-z0-9._+-]*)$/;
/** What stands before the 32 bytes of an ed25519 key in a SubjectPublicKeyInfo (RFC 8410). */
const KEY_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** A release whose list of files carries the owner's signature. */
export interface Published {
  readonly version: string;
  /** The folder that its files lie in. */
  readonly folder: string;
  /** SHA-256 of each file, lower-case hex. */
  readonly sums: ReadonlyMap<string, string>;
}

/** Downloads one small file. @throws {HttpStatusError}, or an Error with what went wrong */
export type FetchFile = (url: URL) => Promise<Buffer>;

/**
 * Reads which release there is. One download of a signed list says version, names and digests.
 * @param base the folder of releases
 * @param wanted a version, or undefined for the newest
 * @param publicKey base64 of the owner's raw ed25519 key
 * @throws {UsageError} when there is none, or when its signature is not right
 */
export async function readPublished(
  base: string,
  wanted: string | undefined,
  publicKey: string,
  fetchFile: FetchFile,
): Promise<Published> {
  const folder = wanted === undefined ? `${base}/latest/download` : `${base}/download/v${wanted}`;
  const sums = await fetchFile(new URL(`${folder}/SHA256SUMS`)).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
    throw failure(
      wanted === undefined
        ? `There is no release at ${folder}.`
        : `There is no version ${wanted} at ${base}. Its page names those that there are.`,
    );
  });
  const signature = await fetchFile(new URL(`${folder}/SHA256SUMS.sig`)).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
    throw failure(`The release at ${folder} is not signed, so it is not installed. Nothing was changed.`);
  });
  if (!isSignedBy(publicKey, sums, signature.toString('latin1'))) {
    throw failure(
      `The list of files at ${folder} does not carry the signature of local-coder's owner: it was changed, or it is ` +
        "somebody else's. Nothing was changed here.",
    );
  }
  const published = { folder, ...parse(sums.toString('utf8'), folder) };
  if (wanted !== undefined && published.version !== wanted) {
    throw failure(
      `What ${folder} holds is version ${published.version}, not ${wanted}. Nothing was changed.`,
    );
  }
  return published;
}

/** True when the signature of SHA256SUMS.sig (base64 of 64 bytes) is the key's over these bytes. */
export function isSignedBy(publicKey: string, bytes: Buffer, signatureText: string): boolean {
  const text = signatureText.trim();
  const [key, signature] = [Buffer.from(publicKey, 'base64'), Buffer.from(text, 'base64')];
  if (key.length !== 32) throw new Error('release.publicKey of package.json is no ed25519 key');
  if (signature.length !== 64 || signature.toString('base64') !== text) return false;
  const spki = Buffer.concat([KEY_PREFIX, key]);
  return verify(null, bytes, createPublicKey({ key: spki, format: 'der', type: 'spki' }), signature);
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function parse(text: string, folder: string): { version: string; sums: Map<string, string> } {
  const sums = new Map<string, string>();
  const versions = new Set<string>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, digest, name] = LINE.exec(line) ?? [];
    if (digest === undefined || name === undefined || sums.has(name)) throw brokenList(folder);
    sums.set(name, digest);
    const version = ARCHIVE.exec(name)?.[1];
    if (version !== undefined) versions.add(version);
  }
  const [version] = versions;
  if (version === undefined || versions.size > 1 || !isVersion(version)) throw brokenList(folder);
  return { version, sums };
}

function brokenList(folder: string): UsageError {
  return failure(`${folder}/SHA256SUMS is not the list of files of one release. Nothing was changed.`);
}

function isMissing(error: unknown): boolean {
  return error instanceof HttpStatusError && (error.status === 404 || error.status === 410);
}

function failure(message: string): UsageError {
  return new UsageError(message, 1);
}
