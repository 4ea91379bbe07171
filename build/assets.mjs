/** What the executable carries besides its code, for src/runtime/assets.ts. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import { LANGUAGE_NAMES } from '../src/context/outline/grammars.ts';
import { toolSchemas } from '../src/mcp/tool-list.ts';
import { packageFile } from '../src/runtime/assets.ts';
import { selectTools } from '../src/tools/index.ts';
import { collectLicences } from './licences.mjs';
import { licencesDocument } from './licences-document.mjs';
import { nodeLicence } from './licences-node.mjs';

/** Takes two thirds off ripgrep and is undone in 8 ms, once per machine. */
const LEVEL = 19;

/**
 * Compressed files of packages, and assets.json that lists them.
 *
 * @param {{ target: import('./targets.mjs').Target, packages: import('./packages.mjs').Packages,
 *   store: import('./store.mjs').Store, folder: string }} options  `folder` gets assets.json
 * @returns {Promise<{ assets: Record<string, string>, reused: number }>} asset name → file
 */
export async function packFiles({ target, packages, store, folder }) {
  const files = Object.entries({ ...target.files, ...treeSitterFiles() });
  const manifest = {};
  const assets = {};
  let reused = 0;
  for (const [name, path] of files) {
    const content = await readFile(await packages.locked(path));
    manifest[name] = {
      sha256: createHash('sha256').update(content).digest('hex'),
      sizeBytes: content.length,
    };
    const packed = await compressed(store, name, content);
    assets[`${name}.zst`] = packed.path;
    if (packed.reused) reused += 1;
  }
  const list = join(folder, 'assets.json');
  await writeFile(list, JSON.stringify(manifest));
  return { assets: { ...assets, 'assets.json': list }, reused };
}

/**
 * @param {import('./store.mjs').Store} store
 * @param {string} name
 * @param {Buffer} content
 */
export function compressed(store, name, content) {
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL };
  return store.get(
    `${name}.zst`,
    ['zstd', String(LEVEL), process.versions.zstd ?? '', content],
    async (draft) => writeFile(draft, await promisify(zstdCompress)(content, { params })),
  );
}

/**
 * Texts that are made, not packed: asset name → file.
 *
 * @param {{ folder: string, version: string }} options  `folder` gets the files
 */
export async function makeTexts({ folder, version }) {
  const schemas = selectTools('full').map((tool) => [tool.name, toolSchemas(tool)]);
  const texts = {
    // What tools/list says of the tools' schemas, for src/mcp/tool-list.ts.
    'tool-schemas.json': JSON.stringify(Object.fromEntries(schemas)),
    // For src/runtime/sea-launcher.cjs.
    version,
  };
  const assets = {};
  for (const [name, text] of Object.entries(texts)) {
    assets[name] = join(folder, name);
    await writeFile(assets[name], text);
  }
  return assets;
}

/**
 * The licences of all that is in the executable, for `local-coder licenses`: asset name → file.
 *
 * @param {{ metafile: import('esbuild').Metafile, nodeVersion: string, store: import('./store.mjs').Store,
 *   packages: import('./packages.mjs').Packages }} options
 */
export async function makeLicences({ metafile, nodeVersion, store, packages }) {
  const node = await nodeLicence(packages, nodeVersion);
  const text = licencesDocument(await collectLicences(metafile), [node]);
  return { 'licenses.txt.zst': (await compressed(store, 'licenses.txt', Buffer.from(text))).path };
}

/** The parser of outlines and its grammars. */
function treeSitterFiles() {
  const names = ['tree-sitter', ...Object.keys(LANGUAGE_NAMES).map((grammar) => `tree-sitter-${grammar}`)];
  return Object.fromEntries(names.map((name) => [name, packageFile(name)]));
}
