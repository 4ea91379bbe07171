import { setTimeout as pause } from 'node:timers/promises';
import type { SettingName } from '../config/definitions.ts';
import { EXIT, type ExitCode, UsageError } from '../config/usage-error.ts';
import { download, HttpStatusError } from '../runtime/download.ts';
import { isDeno, isWindows, sea } from '../runtime/platform.ts';
import { RELEASE_PUBLIC_KEY, releaseAddress } from '../runtime/release.ts';
import { VERSION } from '../runtime/version.ts';
import { findOrigin, type Origin } from './upgrade/origin.ts';
import { type Published, readPublished, sha256 } from './upgrade/published.ts';
import { openWorkplace, PROVING, replaceExecutable } from './upgrade/replace.ts';
import { linesOfOlderInstances } from './upgrade/running.ts';
import { compareVersions, isVersion } from './upgrade/versions.ts';

const MAX_LIST_BYTES = 1024 * 1024;
const MAX_ARCHIVE_BYTES = 256 * 1024 * 1024;
const PROGRESS_EVERY_BYTES = 8 * 1024 * 1024;
const TRIES = 3;

export interface UpgradeOptions {
  /** Only says whether there is a newer version. */
  readonly check: boolean;
  /** A version in the place of the newest; the only way to an older one. */
  readonly to: string | undefined;
}

/** What an upgrade starts from; tests name another program, and the key of another owner. */
export interface UpgradeFacts {
  readonly origin: Origin;
  readonly version: string;
  /** Such as `linux-x64`. */
  readonly target: string;
  readonly publicKey: string | null;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly pauseMs: number;
  readonly write: (text: string) => void;
}

/**
 * `local-coder upgrade`: replaces the running executable's file by the newest release, or by `--to VERSION`. Only a
 * release that carries the owner's signature is taken, from whatever mirror it comes; there is no way around that.
 * @throws {UsageError} with what to do; the old executable is in its place then
 */
export async function upgrade(
  flags: ReadonlyMap<SettingName, unknown>,
  options: UpgradeOptions,
  given?: UpgradeFacts,
): Promise<ExitCode> {
  const facts = given ?? (await ownFacts());
  const wanted = options.to?.replace(/^v/, '');
  if (wanted !== undefined && !isVersion(wanted))
    throw new UsageError(`--to ${options.to} is no version such as 1.2.3.`);
  if (facts.env[PROVING])
    throw new UsageError(`${PROVING} is set: this program was started by an upgrade.`, EXIT.failed);
  if (facts.origin.instead !== undefined && !options.check)
    throw new UsageError(facts.origin.instead, EXIT.failed);
  const address = releaseAddress(facts.env['LOCAL_CODER_BASE_URL']);
  if (address.problem !== undefined) throw new UsageError(address.problem, EXIT.failed);
  if (facts.publicKey === null) {
    throw new UsageError(
      'This build knows no key with which releases are signed, so it cannot tell a release from a forgery. Take the ' +
        'new version with the installer, or build it from the sources.',
      EXIT.failed,
    );
  }
  const list = { ...facts, maxBytes: MAX_LIST_BYTES };
  const published = await readPublished(address.url, wanted, facts.publicKey, (url) => fetchFile(url, list));
  if (isThereNothingToDo(facts, published, wanted)) return EXIT.ok;
  if (options.check) {
    const how = facts.origin.instead ?? `To take it: local-coder upgrade${wanted ? ` --to ${wanted}` : ''}`;
    facts.write(`local-coder ${published.version} is available; this is ${facts.version}. ${how}\n`);
    return EXIT.ok;
  }
  await install(facts, published);
  for (const line of await linesOfOlderInstances(flags, facts.env, published.version))
    facts.write(`${line}\n`);
  return EXIT.ok;
}

function isThereNothingToDo(
  { version, write }: UpgradeFacts,
  published: Published,
  wanted: string | undefined,
): boolean {
  const order = compareVersions(published.version, version);
  if (order === 0) write(`This is local-coder ${version}${wanted ? '' : ', the newest version'}.\n`);
  else if (order < 0 && wanted === undefined) {
    write(
      `This is local-coder ${version}; the newest release is ${published.version}. ` +
        `To go back to it: local-coder upgrade --to ${published.version}\n`,
    );
  } else return false;
  return true;
}

async function install(facts: UpgradeFacts, published: Published): Promise<void> {
  const { version } = published;
  const executable = facts.origin.executable ?? '';
  const isZip = facts.target.startsWith('win-');
  const archive = `local-coder-${version}-${facts.target}${isZip ? '.zip' : '.tar.gz'}`;
  const expected = published.sums.get(archive);
  if (expected === undefined)
    throw new UsageError(`local-coder ${version} has no build for ${facts.target}.`, EXIT.failed);
  const workplace = await openWorkplace(executable);
  try {
    facts.write(`Downloading local-coder ${version} for ${facts.target}\n`);
    const bytes = await fetchFile(new URL(`${published.folder}/${archive}`), {
      ...facts,
      maxBytes: MAX_ARCHIVE_BYTES,
      onBytes: progress(facts.write),
    }).catch((error: unknown) => {
      if (!(error instanceof HttpStatusError)) throw error;
      throw new UsageError(
        `${archive} is in the list of the release, but not there: ${error.message}. Nothing was changed.`,
        EXIT.failed,
      );
    });
    const actual = sha256(bytes);
    if (actual !== expected) {
      throw new UsageError(
        `${archive} is not what the release lists: its SHA-256 is ${actual}, not ${expected}. Nothing was changed. ` +
          'Try again; a proxy may change downloads.',
        EXIT.failed,
      );
    }
    const program = await unpack(bytes, isZip);
    if (program === undefined)
      throw new UsageError(`${archive} is broken or holds no executable. Nothing was changed.`, EXIT.failed);
    await replaceExecutable(workplace, program, version, facts.signal);
  } finally {
    await workplace.close();
  }
  facts.write(`local-coder ${version} is in the place of ${facts.version}: ${executable}\n`);
}

/** @returns the executable, or undefined when the archive holds none */
async function unpack(archive: Buffer, isZip: boolean): Promise<Buffer | undefined> {
  const { fileFromZip } = await import('../runtime/zip-entry.ts');
  const { fileFromTgz } = await import('../runtime/tar-entry.ts');
  return (isZip ? fileFromZip(archive, 'local-coder.exe') : fileFromTgz(archive, 'local-coder')).catch(
    () => undefined,
  );
}

interface FetchOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly pauseMs: number;
  readonly maxBytes: number;
  readonly onBytes?: (bytes: number) => void;
}

/** Tries again when the network fails, not when the server says no. */
async function fetchFile(url: URL, options: FetchOptions): Promise<Buffer> {
  for (let tries = 1; ; tries++) {
    try {
      return await download(url, options);
    } catch (error) {
      options.signal.throwIfAborted();
      if (error instanceof HttpStatusError && error.status < 500) {
        if (error.status === 404 || error.status === 410) throw error;
        throw new UsageError(`${url.href} could not be downloaded: ${error.message}.`, EXIT.failed);
      }
      if (tries >= TRIES) {
        throw new UsageError(
          `${url.href} could not be downloaded (tried ${tries} times): ${error instanceof Error ? error.message : error}. ` +
            'Nothing was changed. Check the network and the proxy variables (local-coder doctor).',
          EXIT.failed,
        );
      }
      await pause(options.pauseMs, undefined, { signal: options.signal }).catch(() => {});
      options.signal.throwIfAborted();
    }
  }
}

function progress(write: (text: string) => void): (bytes: number) => void {
  let told = 0;
  return (bytes) => {
    if (bytes < told) told = 0; // another try
    if (bytes - told < PROGRESS_EVERY_BYTES) return;
    told = bytes;
    write(`  ${Math.round(bytes / 1024 / 1024)} MiB\n`);
  };
}

async function ownFacts(): Promise<UpgradeFacts> {
  const interrupted = new AbortController();
  const onSignal = () =>
    interrupted.abort(new UsageError('Interrupted. Nothing was changed.', EXIT.interrupted));
  // A closed terminal ends it, too; what it began is taken away first.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  return {
    origin: await findOrigin({
      isDeno,
      isSingleExecutable: sea !== null,
      execPath: process.execPath,
      script: process.argv[1],
    }),
    version: VERSION,
    target: `${isWindows ? 'win' : process.platform}-${process.arch}`,
    publicKey: RELEASE_PUBLIC_KEY,
    env: process.env,
    signal: interrupted.signal,
    pauseMs: 1_000,
    write: (text) => void process.stdout.write(text),
  };
}
