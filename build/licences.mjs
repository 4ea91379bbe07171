/**
 * The licences of everything that is in the product's files. What that is, is read off the files: the packages with
 * bytes in the bundle (esbuild's metafile), the packages that the assets come from, and what those have inside
 * (licences-embedded.mjs). `local-coder licenses` prints the text.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LANGUAGE_NAMES } from '../src/context/outline/grammars.ts';
import { grammarParts, nativeParts, vendoredPart } from './licences-embedded.mjs';
import { RECOGNISED, STANDARD_TEXTS } from './licences-texts.mjs';

const ROOT = join(import.meta.dirname, '..');
/** Packages that assets are taken from; the native ones of a platform carry the licence of their parent. */
const ASSET_PACKAGES = ['@vscode/ripgrep', '@lydell/node-pty', 'web-tree-sitter', '@vscode/tree-sitter-wasm'];
const LICENCE_FILE = /^(licen[cs]e|copying)([-.].*)?$/i;

/**
 * @typedef {object} Licence
 * @property {string} name  @property {string} version
 * @property {string} spdx
 * @property {string} text       whole, copyright lines included
 * @property {string} within     what it is part of; 'local-coder' for what the product takes itself
 * @property {string} [purl]
 */

/**
 * @param {import('esbuild').Metafile} metafile of the bundle
 * @returns {Promise<Licence[]>} sorted by name
 * @throws {Error} that names a package whose licence is missing or not one of those the product may carry
 */
export async function collectLicences(metafile) {
  const files = bundledFiles(metafile);
  const packages = new Set([...files.map(packageOf).filter(Boolean), ...ASSET_PACKAGES]);
  const found = await Promise.all([...packages].map(packageLicence));
  const parts = [
    ...(await vendoredIn(files)),
    ...nativeParts(),
    ...grammarParts(Object.keys(LANGUAGE_NAMES)),
  ];
  return [...found, ...parts.map(partLicence)].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** Sorted the same on every machine, whatever its language. */
function key({ name, within }) {
  return `${name.toLowerCase()} ${within}`;
}

/** Every file that has bytes in an output of the bundle, relative to the repository. */
function bundledFiles(metafile) {
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  return inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([file]) => file);
}

/** The package that a file belongs to, the innermost one; undefined for the product's own. */
function packageOf(file) {
  return /.*node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(file)?.[1].replaceAll('\\', '/');
}

async function packageLicence(name) {
  const folder = join(ROOT, 'node_modules', name);
  const { version, license: spdx } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const names = (await readdir(folder)).filter((file) => LICENCE_FILE.test(file)).sort();
  if (names.length === 0) throw new Error(`${name} ${version} has no licence text in its package.`);
  const texts = await Promise.all(names.map((file) => readFile(join(folder, file), 'utf8')));
  const text = texts.map(plain).join('\n\n');
  assertKnown({ name, version, spdx, text });
  return { name, version, spdx, text, within: 'local-coder', purl: npmUrl(name, version) };
}

/** A package URL has `%40` for the `@` of a scope. */
function npmUrl(name, version) {
  return `pkg:npm/${name.replace(/^@/, '%40')}@${version}`;
}

/** What bundled files say that they have bundled themselves. */
async function vendoredIn(files) {
  const parts = new Map();
  for (const file of files) {
    const within = packageOf(file);
    if (within === undefined) continue;
    const text = await readFile(join(ROOT, file), 'utf8');
    for (const [, name, version] of text.matchAll(
      /#region \S*node_modules\/\.pnpm\/([^/\s]+?)@([^/_\s]+)[^/\s]*\//g,
    )) {
      const packageName = name.replace('+', '/');
      parts.set(`${packageName} ${version} ${within}`, [packageName, version, within]);
    }
  }
  return [...parts.values()].map((part) => vendoredPart(...part));
}

function partLicence({ copyright, ...part }) {
  const standard = STANDARD_TEXTS[part.spdx];
  const licence = {
    ...part,
    text: standard && [...copyright, ...(copyright.length ? [''] : []), standard].join('\n'),
  };
  assertKnown(licence);
  return licence;
}

/** @throws {Error} for a licence that nobody has looked at, or a text that is not the one of its identifier */
export function assertKnown({ name, version, spdx, text }) {
  const words = Object.hasOwn(RECOGNISED, spdx ?? '') ? RECOGNISED[spdx] : undefined;
  if (!words) {
    throw new Error(
      `${name} ${version} is under "${spdx}", which is not among the licences that this product may carry ` +
        `(${Object.keys(RECOGNISED).join(', ')}): do without it, or add the licence to build/licences-texts.mjs.`,
    );
  }
  if (!words.test(text ?? '')) {
    throw new Error(`${name} ${version} says that it is under ${spdx}, and its licence text is another one.`);
  }
}

/** Unix line ends, no white space at the ends. */
function plain(text) {
  return text
    .replaceAll('\r\n', '\n')
    .replace(/[^\S\n]+$/gm, '')
    .trim();
}
