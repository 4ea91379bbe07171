/** Two releases on a mirror, for install.sh. */
import { after, before, beforeEach } from 'node:test';
import { standIn, tarballs } from './archives.ts';
import { type Mirror, startMirror, sumsOf } from './mirror.ts';

export const OLD: Buffer = standIn('1.0.0');
export const NEW: Buffer = standIn('1.1.0', 'x'.repeat(5_000));

export interface Releases {
  readonly mirror: Mirror;
  /** Those of the newest version. */
  readonly files: Readonly<Record<string, Buffer>>;
  publish(version: string, files: Readonly<Record<string, Buffer>>, sums?: Buffer): void;
}

/** Called in a suite: a mirror with 1.0.0 and, as the newest, 1.1.0, new before each test. */
export function withReleases(): Releases {
  let mirror: Mirror;
  let files: Record<string, Buffer>;
  let old: Record<string, Buffer>;
  before(async () => {
    mirror = await startMirror();
    files = filesOf('1.1.0', NEW);
    old = filesOf('1.0.0', OLD);
  });
  after(() => mirror.stop());
  beforeEach(() => {
    mirror.files.clear();
    mirror.asked.length = 0;
    publish(mirror, '1.0.0', old);
    publish(mirror, '1.1.0', files);
  });
  return {
    get mirror() {
      return mirror;
    },
    get files() {
      return files;
    },
    publish: (version, published, sums) => publish(mirror, version, published, sums),
  };
}

/** Puts a release on the mirror, as the newest and under its version. */
export function publish(
  mirror: Mirror,
  version: string,
  files: Readonly<Record<string, Buffer>>,
  sums: Buffer = sumsOf(files),
): void {
  for (const folder of ['latest/download', `download/v${version}`]) {
    mirror.files.set(`${folder}/SHA256SUMS`, sums);
    for (const [name, bytes] of Object.entries(files)) mirror.files.set(`${folder}/${name}`, bytes);
  }
}

/** The files of a release for three targets, whose executable is `program`. */
export function filesOf(version: string, program: Buffer): Record<string, Buffer> {
  const { gz, xz } = tarballs(program);
  const names = ['linux-x64', 'linux-arm64', 'darwin-arm64'].map(
    (target) => `local-coder-${version}-${target}`,
  );
  const files = names.flatMap((name): [string, Buffer][] => [
    [`${name}.tar.gz`, gz],
    [`${name}.tar.xz`, xz],
  ]);
  return Object.fromEntries([...files, ['install.sh', Buffer.from('#')]]);
}
