import { readFile } from 'node:fs/promises';
import type { Language } from 'web-tree-sitter';
import { type AssetName, assetFile, embeddedAsset } from '../../runtime/assets.ts';
import { CodedError } from '../../runtime/errors.ts';
import type { GrammarName } from './grammars.ts';

/** The parser, and the memory that all its trees are in: it grows when needed and is never given back. */
export interface TreeSitter extends Pick<typeof import('web-tree-sitter'), 'Parser' | 'Language'> {
  readonly memory: WasmMemory;
}

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

interface WasmPlatform {
  readonly WebAssembly: {
    readonly Memory: new (size: { readonly initial: number; readonly maximum: number }) => WasmMemory;
  };
}

const PAGE_BYTES = 64 * 1024;
const INITIAL_MEMORY_BYTES = 32 * 1024 * 1024;
/** The most that the parser is built for. */
const MAX_MEMORY_BYTES = 2 * 1024 * 1024 * 1024;

let treeSitter: Promise<TreeSitter> | undefined;
const languages = new Map<GrammarName, Promise<Language>>();

/** The parser, started when first needed and kept. */
export function loadTreeSitter(): Promise<TreeSitter> {
  treeSitter ??= (async () => {
    const [module, wasmBinary] = await Promise.all([import('web-tree-sitter'), bytesOf('tree-sitter')]);
    // The types of WebAssembly come with those of browsers, which this program does not include.
    const { WebAssembly } = globalThis as unknown as WasmPlatform;
    const memory = new WebAssembly.Memory({
      initial: INITIAL_MEMORY_BYTES / PAGE_BYTES,
      maximum: MAX_MEMORY_BYTES / PAGE_BYTES,
    });
    // Given its bytes, the library looks for no file of its own, which a bundle does not have.
    await module.Parser.init({ wasmBinary, wasmMemory: memory });
    return { Parser: module.Parser, Language: module.Language, memory };
  })().catch((error: unknown) => {
    treeSitter = undefined;
    throw error;
  });
  return treeSitter;
}

/**
 * The grammar of a language, loaded when first needed and kept.
 * @throws {CodedError} NOT_AVAILABLE where its file is not installed
 */
export function loadLanguage(grammar: GrammarName): Promise<Language> {
  let language = languages.get(grammar);
  if (language === undefined) {
    language = (async () => {
      const [{ Language }, bytes] = await Promise.all([loadTreeSitter(), bytesOf(`tree-sitter-${grammar}`)]);
      return Language.load(bytes);
    })();
    languages.set(grammar, language);
    language.catch(() => languages.delete(grammar));
  }
  return language;
}

async function bytesOf(name: AssetName): Promise<Buffer> {
  const embedded = embeddedAsset(name);
  if (embedded) return embedded.read();
  const file = await assetFile(name);
  if (file !== undefined) return readFile(file);
  throw new CodedError(
    'NOT_AVAILABLE',
    `Outlines are not available: ${name} is not installed.`,
    'Use grep for definitions instead, or install the program again with its dependencies (npm ci).',
  );
}
