/** Packs bare/server.cjs into the same stripped Node as the product, so that both start from the same bytes. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Marks the place in Node that says whether a blob was injected; fixed by Node. */
const SEA_FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** @returns the absolute path of the bare server's executable, made when it is not there yet */
export async function buildBareServer(root: string): Promise<string> {
  // The pinned Node, which npm scripts run: the one that build.mjs makes the executable of.
  const base = process.execPath;
  const main = join(import.meta.dirname, 'server.cjs');
  const key = createHash('sha256')
    .update(await readFile(main))
    .update(base)
    .update(process.version);
  const folder = join(root, '.cache/bench-bare');
  const executable = join(
    folder,
    `bare-${key.digest('hex').slice(0, 12)}${process.platform === 'win32' ? '.exe' : ''}`,
  );
  if (existsSync(executable)) return executable;

  await mkdir(folder, { recursive: true });
  const [draft, blob, config] = ['draft', 'blob', 'sea.json'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await copyFile(base, draft);
  await chmod(draft, 0o755);
  // Where nothing can strip, the product is not stripped either.
  if (process.platform === 'linux') await run('strip', [draft]).catch(() => {});
  await writeFile(
    config,
    JSON.stringify({ main, output: blob, disableExperimentalSEAWarning: true, useCodeCache: true }),
  );
  await run(base, ['--experimental-sea-config', config]);
  const postject = createRequire(import.meta.url).resolve('postject/dist/cli.js');
  const isMac = process.platform === 'darwin';
  const segment = isMac ? ['--macho-segment-name', 'NODE_SEA'] : [];
  await run(process.execPath, [
    postject,
    draft,
    'NODE_SEA_BLOB',
    blob,
    '--sentinel-fuse',
    SEA_FUSE,
    ...segment,
  ]);
  if (isMac) await run('codesign', ['--force', '--sign', '-', draft]);
  // A copy, for the reason that build.mjs gives: the injected file maps more memory than it uses.
  await copyFile(draft, `${executable}.new`);
  await chmod(`${executable}.new`, 0o755);
  await rename(`${executable}.new`, executable);
  await Promise.all([draft, blob, config].map((file) => rm(file)));
  return executable;
}
