/**
 * Makes the single executables: `npm run build` dist/local-coder for this machine, `npm run build -- --target …` those
 * of a release for any platform. How: build/executables.mjs.
 *
 * Left in dist/ by the former: local-coder (.exe on Windows); local-coder.cjs, the bundle, which `node` runs, beside it
 * licenses.txt, which it prints, and local-coder.cjs.LEGAL.txt, the licence comments of what is in it; build/, parts.
 * In .cache/build: what the next build need not make again.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { buildExecutables } from './build/executables.mjs';
import { readOptions, WrongOption } from './build/options.mjs';
import { executableName, hostTarget, releaseName, TARGETS } from './build/targets.mjs';
import { VERSION } from './src/runtime/version.ts';

const root = import.meta.dirname;
const dist = join(root, 'dist');

async function main() {
  const { targets, folder } = readOptions(process.argv.slice(2), dist);
  if (targets === undefined) return buildForThisMachine();
  const fileOf = (target) => join(folder, releaseName(target, VERSION));
  await buildExecutables({ root, targets, fileOf, report });
}

async function buildForThisMachine() {
  const target = hostTarget();
  if (target === undefined) {
    const known = Object.keys(TARGETS).join(', ');
    throw new Error(`There is no executable for ${process.platform}-${process.arch}, only for ${known}.`);
  }
  const startedAt = new Date().toISOString();
  const partsFolder = join(dist, 'build');
  await mkdir(partsFolder, { recursive: true });
  await buildExecutables({
    root,
    targets: [target],
    fileOf: () => join(dist, executableName(target)),
    partsFolder,
    report,
  });
  for (const name of ['local-coder.cjs', 'local-coder.cjs.LEGAL.txt', 'licenses.txt']) {
    await rename(join(partsFolder, name), join(dist, name));
  }
  // Sources that are newer than this make it stale (tests/support/built.ts).
  await writeFile(join(partsFolder, 'started-at'), startedAt);
}

function report(line) {
  process.stdout.write(`${line.replace(root, relative('', root) || '.')}\n`);
}

try {
  await main();
} catch (error) {
  // What a failed program printed says more than our stack; esbuild has said what is wrong already.
  const known = error instanceof WrongOption;
  const text = known ? error.message : error.stderr?.trim() || (error.errors ? 'stopped' : error.stack);
  process.stderr.write(`build: ${text}\n`);
  process.exitCode = known ? 2 : 1;
}
