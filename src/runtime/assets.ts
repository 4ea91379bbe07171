import { access, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { sea } from './platform.ts';

/**
 * Files that the product carries besides its code. The single executable has them embedded (build.mjs puts them
 * in, zstd-compressed); everywhere else they are files of the installed packages.
 */
export type AssetName = 'rg' | 'pty' | 'pty-helper' | 'tree-sitter' | `tree-sitter-${string}`;

/** An asset inside the single executable: bytes that must be written somewhere before they can be executed. */
export interface EmbeddedAsset {
  readonly name: AssetName;
  /** SHA-256 of the uncompressed bytes, lower-case hex: names the extracted file and proves it later. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /** The uncompressed bytes; nothing is kept, so that a caller which extracts them once costs memory once. */
  read(): Promise<Buffer>;
}

/** Written by build.mjs as the asset `assets.json`. */
type Manifest = Readonly<Record<string, { readonly sha256: string; readonly sizeBytes: number }>>;

/** Where an asset lies in node_modules when the program runs from its sources or as a plain bundle. */
export function packageFile(name: AssetName): string {
  if (name === 'rg') {
    const program = process.platform === 'win32' ? 'rg.exe' : 'rg';
    return `@vscode/ripgrep-${process.platform}-${process.arch}/bin/${program}`;
  }
  // The native part of node-pty, and on macOS the small program that it starts others through.
  if (name === 'pty' || name === 'pty-helper') {
    const file = name === 'pty' ? 'pty.node' : 'spawn-helper';
    return `@lydell/node-pty-${process.platform}-${process.arch}/${file}`;
  }
  return name === 'tree-sitter'
    ? 'web-tree-sitter/web-tree-sitter.wasm'
    : `@vscode/tree-sitter-wasm/wasm/${name}.wasm`;
}

/**
 * The asset as it is embedded in this executable; undefined when this process is no single executable, or when
 * none exists for its platform. Then ask `assetFile`.
 */
export function embeddedAsset(name: AssetName): EmbeddedAsset | undefined {
  if (!sea) return undefined;
  const { getAsset, getRawAsset } = sea;
  const manifest = JSON.parse(getAsset('assets.json', 'utf8')) as Manifest;
  const entry = manifest[name];
  if (!entry) return undefined;
  return {
    name,
    sha256: entry.sha256,
    sizeBytes: entry.sizeBytes,
    // The raw asset is the mapped, read-only memory of the executable itself: it is only read, never written to.
    read: () => promisify(zstdDecompress)(Buffer.from(getRawAsset(`${name}.zst`) as ArrayBuffer)),
  };
}

/** A text that build.mjs made for the executable; undefined outside of it. */
export function embeddedText(name: 'tool-schemas.json'): string | undefined {
  return sea?.getAsset(name, 'utf8');
}

/** Where the licences lie outside of the executable: beside the bundle, or among the sources (`npm run docs`). */
const LICENCES_PLACES = ['./licenses.txt', '../../docs/licenses.txt'];

/**
 * The licences of the software of others in this program, in the single executable with those of its Node.
 * @returns undefined when the file that belongs beside the bundle is not there
 */
export async function licencesText(): Promise<string | undefined> {
  if (sea) {
    const packed = sea.getRawAsset('licenses.txt.zst') as ArrayBuffer;
    return (await promisify(zstdDecompress)(Buffer.from(packed))).toString('utf8');
  }
  for (const place of LICENCES_PLACES) {
    const text = await readFile(new URL(place, import.meta.url), 'utf8').catch(() => undefined);
    if (text !== undefined) return text;
  }
  return undefined;
}

/**
 * The absolute path of the asset among the installed packages, or undefined where it is not installed (an
 * unsupported platform, `npm ci --omit=optional`). The single executable never looks there: a node_modules
 * folder beside it belongs to somebody else.
 */
export async function assetFile(name: AssetName): Promise<string | undefined> {
  if (sea) return undefined;
  try {
    const path = createRequire(import.meta.url).resolve(packageFile(name));
    await access(path);
    return path;
  } catch {
    return undefined;
  }
}
