import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { download } from '../runtime/download.ts';
import { isWindows } from '../runtime/platform.ts';
import { fileFromTgz } from '../runtime/tar-entry.ts';
import { CLOUDFLARED_VERSION, pinnedDigest, releaseAsset } from './cloudflared-release.ts';
import type { ProviderContext } from './provider-context.ts';
import { TunnelError } from './types.ts';

const RELEASES = 'https://github.com/cloudflare/cloudflared/releases/download';
const RELEASE_METADATA = 'https://api.github.com/repos/cloudflare/cloudflared/releases/tags';
const MAX_BYTES = 256 * 1024 * 1024;
const PROGRESS_EVERY_BYTES = 8 * 1024 * 1024;

interface InstallOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (message: string) => void;
  /** This machine's, such as `linux-x64`; tests name others. */
  readonly platform?: string;
  /** In the place of the pinned one; for tests, which have no release of Cloudflare's. */
  readonly digest?: string;
}

/**
 * Downloads cloudflared into the state folder's `bin`, where it is found from then on. Nothing is kept and nothing was
 * executable before the digest is right.
 * @returns the program's path
 * @throws {TunnelError}, or the signal's reason
 */
export async function installCloudflared(context: ProviderContext, options: InstallOptions): Promise<string> {
  const platform = options.platform ?? `${process.platform}-${process.arch}`;
  const asset = releaseAsset(platform);
  const version = context.version ?? CLOUDFLARED_VERSION;
  if (asset === undefined) {
    throw new TunnelError(
      'missing-program',
      `There is no cloudflared for ${platform} to download.`,
      'Install it in another way and name it with --tunnel-bin, or choose another --tunnel.',
    );
  }
  const expected = options.digest ?? (await digestOf(asset, version, context, options));
  const url = new URL(`${(context.mirror ?? RELEASES).replace(/\/+$/, '')}/${version}/${asset}`);
  options.onProgress(`downloading cloudflared ${version} from ${url.host}`);
  const bytes = await fetchBytes(url, context, options);
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (actual !== expected) {
    throw new TunnelError(
      'not-configured',
      `What ${url.host} sent as ${asset} is not cloudflared ${version}: its SHA-256 is ${actual}, not ${expected}.`,
      'Nothing was installed. Try again, or without --tunnel-mirror; a company proxy may change downloads.',
    );
  }
  const program = asset.endsWith('.tgz') ? await fileFromTgz(bytes, 'cloudflared') : bytes;
  if (program === undefined)
    throw new TunnelError('failed', `${asset} holds no cloudflared.`, 'Install it in another way.');
  return place(program, join(context.stateDir, 'bin'));
}

async function digestOf(
  asset: string,
  version: string,
  context: ProviderContext,
  options: InstallOptions,
): Promise<string> {
  if (version === CLOUDFLARED_VERSION) {
    const pinned = pinnedDigest(asset);
    if (pinned !== undefined) return pinned;
    throw new TunnelError('missing-program', `No digest of ${asset} is known.`, 'Install it in another way.');
  }
  const base = context.mirror === undefined ? RELEASE_METADATA : `${context.mirror.replace(/\/+$/, '')}/tags`;
  options.onProgress(
    `cloudflared ${version} is not the version that this program knows (${CLOUDFLARED_VERSION}): its digest is taken from the release itself`,
  );
  const text = (await fetchBytes(new URL(`${base}/${version}`), context, options)).toString('utf8');
  const found = assetDigest(text, asset);
  if (found !== undefined) return found;
  throw new TunnelError(
    'not-configured',
    `The release ${version} of cloudflared names no SHA-256 of ${asset}.`,
    `Leave --tunnel-version out to install ${CLOUDFLARED_VERSION}.`,
  );
}

/** The digest in GitHub's metadata of a release: `assets[].digest` is `sha256:…`. */
function assetDigest(metadata: string, asset: string): string | undefined {
  try {
    const { assets } = JSON.parse(metadata) as { assets?: { name?: unknown; digest?: unknown }[] };
    const digest = assets?.find(({ name }) => name === asset)?.digest;
    return typeof digest === 'string' ? /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1] : undefined;
  } catch {
    return undefined;
  }
}

async function fetchBytes(url: URL, context: ProviderContext, options: InstallOptions): Promise<Buffer> {
  let told = 0;
  const onBytes = (bytes: number) => {
    if (bytes - told < PROGRESS_EVERY_BYTES) return;
    told = bytes;
    options.onProgress(`downloading cloudflared: ${Math.round(bytes / 1024 / 1024)} MiB`);
  };
  try {
    return await download(url, { env: context.env, maxBytes: MAX_BYTES, signal: options.signal, onBytes });
  } catch (error) {
    options.signal.throwIfAborted();
    throw new TunnelError(
      'failed',
      `cloudflared could not be downloaded from ${url.host}: ${error instanceof Error ? error.message : error}.`,
      'Check the network and the proxy variables (local-coder doctor), or install cloudflared in another way.',
    );
  }
}

async function place(program: Buffer, folder: string): Promise<string> {
  const file = join(folder, isWindows ? 'cloudflared.exe' : 'cloudflared');
  const temporary = join(folder, `.cloudflared-${randomBytes(6).toString('hex')}.tmp`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    await writeFile(temporary, program, { mode: 0o600, flag: 'wx' });
    await chmod(temporary, 0o700).catch(() => {}); // FAT refuses; whether it runs shows when it is started
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return file;
}
