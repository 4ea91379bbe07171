/** Makes the single executables: bundle, code cache, assets, blob, and each base with the blob in it. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { compressed, makeLicences, makeTexts, packFiles } from './assets.mjs';
import { makeBlob, nodeOfVersion } from './blob.mjs';
import { makeCodeCache } from './code-cache.mjs';
import { assemble, stripBase } from './executable.mjs';
import { collectLicences } from './licences.mjs';
import { licencesDocument } from './licences-document.mjs';
import { Packages } from './packages.mjs';
import { makeProgram } from './program.mjs';
import { digest, Store } from './store.mjs';
import { baseFile, NODE_PACKAGES } from './targets.mjs';

/** What each step does is written in these files: another text, and nothing made by the old one is used again. */
const RECIPES = {
  strip: ['executable.mjs', 'elf-strip.mjs', 'macho.mjs', 'macho-strip.mjs'],
  codeCache: ['code-cache.mjs', 'warm-up.mjs', 'settle-cache.cjs'],
  executable: [
    'blob.mjs',
    'executable.mjs',
    'inject.mjs',
    'macho.mjs',
    'macho-signature.mjs',
    'sea-fuse.mjs',
    'version-answer.mjs',
    'windows-executable.mjs',
    'windows-icon.mjs',
    'icon.mjs',
    '../package-lock.json',
    '../sea-config.json',
    '../src/runtime/sea-launcher.cjs',
  ],
};

/**
 * @typedef {object} Made
 * @property {import('./targets.mjs').Target} target
 * @property {string} file      of the executable
 * @property {string[]} reused  what an earlier build had made
 */

/**
 * @param {object} options
 * @param {string} options.root       of the repository
 * @param {readonly import('./targets.mjs').Target[]} options.targets
 * @param {(target: import('./targets.mjs').Target) => string} options.fileOf  where an executable goes
 * @param {string} [options.partsFolder]  gets the bundle and the parts of the last target
 * @param {(line: string) => void} options.report
 * @returns {Promise<Made[]>}
 */
export async function buildExecutables({ root, targets, fileOf, partsFolder, report }) {
  const cache = join(root, '.cache/build');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'work-'));
  try {
    const store = new Store(cache);
    const packages = new Packages(root, store);
    const about = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const program = await makeProgram({ root, folder });
    report(`bundle: ${await kilobytes(program.bundle)}`);
    const texts = await makeTexts({ folder, version: about.version });
    const shared = { root, folder, store, packages, about, program, texts };
    const made = [];
    for (const target of targets) {
      const startedMs = performance.now();
      const one = await buildOne({ ...shared, target, file: fileOf(target) });
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
      const reused = one.reused.length > 0 ? `; as before: ${one.reused.join(', ')}` : '';
      report(`${target.name}: ${one.file}, ${await megabytes(one.file)} (${seconds} s${reused})`);
      made.push(one);
    }
    if (partsFolder !== undefined) await keepParts(folder, program, partsFolder);
    await store.prune();
    return made;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @returns {Promise<Made>} */
async function buildOne({ root, folder, store, packages, about, program, texts, target, file }) {
  const reused = [];
  const step = async (what, made) => {
    const { path, reused: asBefore } = await made;
    if (asBefore) reused.push(what);
    return path;
  };
  const base = await packages.pinned(pinnedBase(target), baseFile(target));
  const stripped =
    target.platform === 'win32'
      ? base
      : await step(
          'base',
          store.get(`base-${target.name}`, [await recipe('strip'), pinnedBase(target).integrity], (draft) =>
            stripBase(target, base, draft),
          ),
        );
  const codeCache = join(folder, 'main.cache');
  await copyFile(await step('code cache', codeCacheOf({ store, folder, program, target, base })), codeCache);
  const packed = await packFiles({ target, packages, store, folder });
  if (packed.reused === Object.keys(packed.assets).length - 1) reused.push('assets');
  const assets = {
    'main.cjs.zst': (await compressed(store, 'main.cjs', await readFile(program.wrapped))).path,
    'main.cache': codeCache,
    ...packed.assets,
    ...texts,
    ...(await makeLicences({
      metafile: program.metafile,
      nodeVersion: target.base.version,
      store,
      packages,
    })),
  };

  const parts = [target.name, pinnedBase(target).integrity, about.version, about.description, about.license];
  const madeFrom = digest([
    await recipe('executable'),
    await recipe('strip'),
    ...parts,
    ...(await contents(assets)),
  ]);
  const record = join(root, '.cache/build', `executable-${digest([file]).slice(0, 32)}.json`);
  if (await isAsRecorded(record, madeFrom, file)) {
    return { target, file, reused: ['all of it'] };
  }
  const node = await nodeOfVersion(target.base.version, packages);
  const blob = await makeBlob({ root, node, assets, folder });
  const { version, description, license: licence } = about;
  await assemble({
    target,
    base: stripped,
    blob,
    executable: file,
    folder,
    packages,
    about: { version, description, licence },
  });
  await writeFile(record, JSON.stringify({ madeFrom, sha256: await sha256Of(file) }));
  return { target, file, reused };
}

/** The cache of this machine's own target; an empty one for another, where V8 compiles as usual. */
async function codeCacheOf({ store, folder, program, target, base }) {
  if (target.platform !== process.platform || target.arch !== process.arch) {
    const none = join(folder, 'no.cache');
    await writeFile(none, '');
    return { path: none, reused: false };
  }
  const code = await readFile(program.wrapped);
  return store.get('main.cache', [await recipe('codeCache'), pinnedBase(target).integrity, code], (draft) =>
    makeCodeCache({ node: base, code: program.wrapped, file: draft }),
  );
}

function pinnedBase({ base }) {
  const integrity = NODE_PACKAGES[`${base.package}@${base.version}`];
  if (integrity === undefined) {
    throw new Error(`build/targets.mjs has no hash for ${base.package} ${base.version}.`);
  }
  return { name: base.package, version: base.version, integrity };
}

async function recipe(step) {
  return digest(await Promise.all(RECIPES[step].map((name) => readFile(join(import.meta.dirname, name)))));
}

async function contents(files) {
  const entries = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
  return (await Promise.all(entries.map(async ([name, path]) => [name, await readFile(path)]))).flat();
}

/** Whether the file is the very one that a build made from the same. */
async function isAsRecorded(record, madeFrom, file) {
  try {
    const before = JSON.parse(await readFile(record, 'utf8'));
    return before.madeFrom === madeFrom && before.sha256 === (await sha256Of(file));
  } catch {
    return false;
  }
}

async function sha256Of(file) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Leaves what tests and curious people look at. */
async function keepParts(folder, program, partsFolder) {
  await mkdir(partsFolder, { recursive: true });
  await writeFile(join(partsFolder, 'metafile.json'), JSON.stringify(program.metafile));
  for (const name of ['main.cjs', 'main.cache', 'local-coder.cjs', 'local-coder.cjs.LEGAL.txt']) {
    await copyFile(join(folder, name), join(partsFolder, name));
  }
  // What the bundle prints for `local-coder licenses`; Node is not a part of it.
  const licences = licencesDocument(await collectLicences(program.metafile));
  await writeFile(join(partsFolder, 'licenses.txt'), licences);
}

async function kilobytes(file) {
  return `${Math.round((await stat(file)).size / 1e3)} kB`;
}

async function megabytes(file) {
  return `${((await stat(file)).size / 1e6).toFixed(1)} MB`;
}
